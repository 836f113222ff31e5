/* akin/query.h - asking a library what is like something.
 *
 * A query is a weighted sum of parts: pictures, parts of pictures, vectors, texts, keywords. A part with a negative weight
 * is not wanted: it pushes down what is like it, and lifts nothing. docs/search.md has the ranking with examples.
 *
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

typedef enum akin_mode {
	AKIN_MODE_AUTO = 0,    /* texts by their meaning and by their words */
	AKIN_MODE_MEANING = 1, /* texts by their meaning only */
	AKIN_MODE_KEYWORD = 2  /* texts by their words only */
} akin_mode;

typedef enum akin_sort {
	AKIN_SORT_SCORE = 0, /* best first */
	AKIN_SORT_TAKEN = 1  /* the k best hits, the newest first */
} akin_sort;

typedef enum akin_group {
	AKIN_GROUP_NONE = 0,
	AKIN_GROUP_FOLDER = 1, /* hits of a folder together, the folder with the best hit first */
	AKIN_GROUP_DAY = 2     /* the same with the day a picture was taken */
} akin_group;

/* A query of texts alone has no hits when nothing in the library stands out for its meaning and no picture has all its words; else
 * those with at least this score. */
#define AKIN_FIT 0.01

typedef struct akin_search_params {
	size_t k;         /* at most so many hits; 0: 10 */
	double threshold; /* only hits with score >= threshold, 0..1; 0: all, but of texts alone those that fit (AKIN_FIT) */
	const char *in;   /* only pictures with a file below this folder; NULL: all */
	const char *filter; /* only pictures that fit (akin/filter.h); NULL: all */
	int exact;        /* nonzero: compare with every vector, whatever index there is */
	int with_self;    /* nonzero: the pictures of the query themselves may be answers */
	akin_mode mode;
	akin_sort sort;
	akin_group group;
	double diverse;   /* 0..1, how much a hit should differ from those before it: 0 not at all, 1 as much as it is wanted */
	int all;          /* nonzero: texts bring the nearest pictures also where nothing fits */
	int why;          /* nonzero: hits tell their labels (akin_hit.labels) */
} akin_search_params;

/* A rectangle of a picture as shown, from its upper left corner. */
typedef struct akin_crop {
	double x, y, width, height;
	int percent; /* nonzero: of the picture's sides, 0..100; else pixels */
} akin_crop;

/* "10,20,300,200" or "10%,10%,50%,50%": x, y, width, height. */
AKIN_API akin_status akin_crop_parse(akin_crop *out, const char *text, akin_error *err);

typedef struct akin_query akin_query;

AKIN_API akin_status akin_query_create(akin_query **out, akin_error *err);
AKIN_API void akin_query_free(akin_query *query);

/* Add a part. What is passed is copied. `crop` NULL: the whole picture. `weight` is -1000..1000 and not 0; only its ratio
 * to those of the other parts matters. On failure the query is as it was. Pictures are read when the query is asked. */
AKIN_API akin_status akin_query_add_file(akin_query *query, const char *path, const akin_crop *crop, double weight,
                                         akin_error *err);
AKIN_API akin_status akin_query_add_bytes(akin_query *query, const void *bytes, size_t n_bytes, const akin_crop *crop,
                                          double weight, akin_error *err);
AKIN_API akin_status akin_query_add_id(akin_query *query, akin_id id, const akin_crop *crop, double weight,
                                       akin_error *err);
/* `vector` has the library's dimension (akin_library_info.dim); it need not have unit length. */
AKIN_API akin_status akin_query_add_vector(akin_query *query, const float *vector, size_t dim, double weight,
                                           akin_error *err);
/* UTF-8. What is found is decided by akin_search_params.mode. */
AKIN_API akin_status akin_query_add_text(akin_query *query, const char *text, double weight, akin_error *err);
/* Feedback on answers: pictures that were right or wrong. After Rocchio: all liked together weigh 0.75 of the wanted
 * parts (1 when there are none), all disliked together -0.25. */
AKIN_API akin_status akin_query_add_feedback(akin_query *query, akin_id id, int liked, akin_error *err);
AKIN_API size_t akin_query_count(const akin_query *query);

/* Best hits first, equal ones by smaller id. Finding nothing is AKIN_OK with no hits. `params` may be NULL. A file that the
 * library knows unchanged costs no decoding and no model. */
AKIN_API akin_status akin_search(akin_library *lib, const akin_query *query, const akin_search_params *params,
                                 akin_result **out, akin_error *err);

/* Queries of one part. */
AKIN_API akin_status akin_search_file(akin_library *lib, const char *path, const akin_search_params *params,
                                      akin_result **out, akin_error *err);
AKIN_API akin_status akin_search_bytes(akin_library *lib, const void *bytes, size_t n_bytes,
                                       const akin_search_params *params, akin_result **out, akin_error *err);
AKIN_API akin_status akin_search_id(akin_library *lib, akin_id id, const akin_search_params *params,
                                    akin_result **out, akin_error *err);
AKIN_API akin_status akin_search_vector(akin_library *lib, const float *vector, size_t dim,
                                        const akin_search_params *params, akin_result **out, akin_error *err);
AKIN_API akin_status akin_search_text(akin_library *lib, const char *text, const akin_search_params *params,
                                      akin_result **out, akin_error *err);

#ifdef __cplusplus
}
#endif
#endif
