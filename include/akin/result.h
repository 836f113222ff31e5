/* akin/result.h - ranked answers.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_RESULT_H
#define AKIN_RESULT_H

#include <stddef.h>
#include <stdint.h>

#include "akin/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct akin_result akin_result;

/* One answer. Borrowed from its result. */
typedef struct akin_hit {
	size_t rank;      /* 1 is the best */
	int64_t id;
	double score;     /* 0..1, higher is nearer, calibrated on the library: 1 is the same vector, 0.5 as likely as not akin */
	double distance;  /* the metric's own number; cosine: 1 - cos, 0..2; of several wanted parts the weighted mean */
	const char *path; /* a present file, else a missing one */
	unsigned width, height;
	const char *group;       /* what it was grouped by: a folder, or a day as YYYY-MM-DD; NULL: not grouped */
	const double *evidence;  /* of each part of the query, akin_result_n_parts of them: what it adds to the logarithm of the odds
	                          * that the hit is what is meant, over those of a picture taken at random; 2.3: ten times the
	                          * odds; below 0: it takes away */
	const char *const *labels; /* with akin_search_params.why: what the model calls both the picture and one that was asked
	                            * with; n_labels of them */
	size_t n_labels;
	const char *const *keywords; /* with akin_search_params.why: words of the query's texts that are written about the picture */
	size_t n_keywords;
} akin_hit;

/* Where the milliseconds went. */
typedef struct akin_timings {
	double open_ms;   /* reading the library's index */
	double model_ms;  /* loading the model, 0 when it was not needed or warm */
	double decode_ms; /* the query picture */
	double embed_ms;  /* its vector */
	double search_ms; /* comparing */
	double gather_ms; /* paths and sizes of the hits */
} akin_timings;

AKIN_API size_t akin_result_count(const akin_result *result);
/* Parts of the query, and which it is in words: "beach.jpg", "sunset"; NULL when i is not below the number. */
AKIN_API size_t akin_result_n_parts(const akin_result *result);
AKIN_API const char *akin_result_part(const akin_result *result, size_t i);
/* NULL when i is not below the count. */
AKIN_API const akin_hit *akin_result_hit(const akin_result *result, size_t i);
/* When words of a text are written about no picture, the text with words that are, and that they may have been meant for;
 * else NULL. */
AKIN_API const char *akin_result_hint(const akin_result *result);
AKIN_API const akin_timings *akin_result_timings(const akin_result *result);
AKIN_API void akin_result_free(akin_result *result);

#ifdef __cplusplus
}
#endif
#endif
