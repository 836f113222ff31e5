/* akin/eval.h - how good the ranking is, on pictures whose class or caption is known.
 *
 * Every labelled picture is a query against all other labelled pictures; a result is relevant when it has the query's
 * class. Or every caption is a query against all captioned pictures, and its own picture alone is relevant: recall@k is the
 * share of captions whose picture is among the first k, map is the mean reciprocal rank. Definitions follow trec_eval (AP, R-precision, P@k, recall@k, nDCG with binary gain and log2 discount); queries
 * without a relevant picture are left out and counted.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_EVAL_H
#define AKIN_EVAL_H

#include <stddef.h>
#include <stdint.h>

#include "akin/library.h"
#include "akin/query.h"
#include "akin/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Labels of pictures, read from a CSV file with a header line: a column `path` (relative ones are relative to the CSV's
 * folder) and class columns. The class of a row is the value of `column`, or the values of several columns joined by " / ".
 * n_columns 0: the column `label`. Rows with an empty class are left out. */
typedef struct akin_labels akin_labels;
AKIN_API akin_status akin_labels_read(akin_labels **out, const char *csv_path, const char *const *columns,
                                      size_t n_columns, akin_error *err);
AKIN_API size_t akin_labels_count(const akin_labels *labels);
AKIN_API const char *const *akin_labels_paths(const akin_labels *labels);
AKIN_API const char *const *akin_labels_classes(const akin_labels *labels);
AKIN_API void akin_labels_free(akin_labels *labels);

/* Nonzero when n_columns was 0 and the file has no column `label` but one called `caption`: the classes are captions. */
AKIN_API int akin_labels_are_captions(const akin_labels *labels);

enum { AKIN_EVAL_MAX_K = 8, AKIN_EVAL_BINS = 10 };

/* Of the first ten answers of all queries, those whose score lies between i / 10 and (i + 1) / 10. */
typedef struct akin_reliability {
	uint64_t answers;
	double score;    /* the mean of their scores */
	double relevant; /* the share that is relevant: where scores are calibrated, the same number */
} akin_reliability;

typedef struct akin_measures {
	uint64_t queries;
	double map, r_precision, ndcg;                        /* over the full ranking */
	double precision[AKIN_EVAL_MAX_K], recall[AKIN_EVAL_MAX_K], ndcg_at[AKIN_EVAL_MAX_K]; /* at k[i] */
	double mrr;               /* mean of 1 / rank of the first relevant answer */
	double median_rank;       /* of the first relevant answer */
	/* Of all queries together only: */
	akin_reliability reliability[AKIN_EVAL_BINS];
	double calibration_error; /* mean of |score - relevant| over the bins, weighted by their answers */
} akin_measures;

typedef struct akin_eval akin_eval;

typedef struct akin_eval_params {
	size_t k[AKIN_EVAL_MAX_K]; /* cut-offs, ascending, 0 ends; all 0: 1, 5, 10, 100 */
	int (*on_progress)(void *user, uint64_t done, uint64_t total); /* nonzero stops */
	void *user;
	akin_mode mode; /* of captions: by meaning, by keywords, or both */
} akin_eval_params;

/* Pictures are given by path (already indexed in `lib`); classes[i] is the class of paths[i]. A path that the library
 * does not know is left out and counted. */
AKIN_API akin_status akin_eval_run(akin_eval **out, akin_library *lib, const char *const *paths,
                                   const char *const *classes, size_t n, const akin_eval_params *params,
                                   akin_error *err);

/* The same with captions: captions[i] is one of paths[i], which may have several. Queries in the result have the caption in
 * `klass`; there are no classes. */
AKIN_API akin_status akin_eval_captions(akin_eval **out, akin_library *lib, const char *const *paths,
                                        const char *const *captions, size_t n, const akin_eval_params *params,
                                        akin_error *err);

AKIN_API const akin_measures *akin_eval_overall(const akin_eval *eval);
AKIN_API size_t akin_eval_n_k(const akin_eval *eval);
AKIN_API const size_t *akin_eval_k(const akin_eval *eval);
AKIN_API size_t akin_eval_n_classes(const akin_eval *eval);
AKIN_API const char *akin_eval_class(const akin_eval *eval, size_t c, const akin_measures **measures);
AKIN_API uint64_t akin_eval_unknown(const akin_eval *eval);  /* paths left out: not in the library */
AKIN_API uint64_t akin_eval_skipped(const akin_eval *eval);  /* queries left out: nothing relevant */
AKIN_API double akin_eval_seconds(const akin_eval *eval);

/* Queries ordered from the worst average precision to the best. */
typedef struct akin_eval_query {
	const char *path, *klass;
	akin_id id;
	double average_precision;
	size_t n_top;            /* up to 10 first answers */
	akin_id top[10];
	int top_relevant[10];
} akin_eval_query;
AKIN_API size_t akin_eval_n_queries(const akin_eval *eval);
AKIN_API const akin_eval_query *akin_eval_query_at(const akin_eval *eval, size_t i);
AKIN_API void akin_eval_free(akin_eval *eval);

#ifdef __cplusplus
}
#endif
#endif
