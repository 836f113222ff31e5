/* akin/query.h - asking a library what is like a picture.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_QUERY_H
#define AKIN_QUERY_H

#include <stddef.h>

#include "akin/library.h"
#include "akin/result.h"
#include "akin/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct akin_search_params {
	size_t k;         /* at most so many hits; 0: 10 */
	double threshold; /* only hits with score >= threshold, 0..1; 0: all */
	const char *in;   /* only pictures with a file below this folder; NULL: all */
	const char *filter; /* only pictures that fit (akin/filter.h); NULL: all */
	int exact;        /* nonzero: compare with every vector, whatever index there is */
	int with_self;    /* nonzero: the query picture itself may be an answer */
} akin_search_params;

/* Nearest pictures first, equal distances by smaller id. Finding nothing is AKIN_OK with no hits. `params` may be NULL.
 * A file that the library knows unchanged costs no decoding and no model. */
AKIN_API akin_status akin_search_file(akin_library *lib, const char *path, const akin_search_params *params,
                                      akin_result **out, akin_error *err);
AKIN_API akin_status akin_search_bytes(akin_library *lib, const void *bytes, size_t n_bytes,
                                       const akin_search_params *params, akin_result **out, akin_error *err);
AKIN_API akin_status akin_search_id(akin_library *lib, akin_id id, const akin_search_params *params,
                                    akin_result **out, akin_error *err);
/* `vector` has the library's dimension (akin_library_info.dim); it need not have unit length. */
AKIN_API akin_status akin_search_vector(akin_library *lib, const float *vector, size_t dim,
                                        const akin_search_params *params, akin_result **out, akin_error *err);

#ifdef __cplusplus
}
#endif
#endif
