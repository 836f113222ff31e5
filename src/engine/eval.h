/* engine/eval.h - an evaluation while it runs and after: of classes (eval.c), of captions (eval_captions.c).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_ENGINE_EVAL_H
#define AKIN_ENGINE_EVAL_H

#include <stdatomic.h>

#include "akin/eval.h"
#include "engine/engine.h"

enum { EVAL_TOP = 10 }; /* first answers that are kept, and whose scores are held against the truth */

struct klass {
	const char *name;
	size_t members;
	akin_measures measures;
};

/* A query: a labelled picture, or a caption. */
struct doc {
	akin_id id;
	size_t row;   /* of the caller's lists */
	size_t klass;
	double ap, r_precision, ndcg, precision[AKIN_EVAL_MAX_K], recall[AKIN_EVAL_MAX_K], ndcg_at[AKIN_EVAL_MAX_K];
	double first;  /* rank of the first relevant picture; behind all others when it is not found */
	size_t n_top;
	akin_id top[EVAL_TOP];
	int top_relevant[EVAL_TOP];
	double top_score[EVAL_TOP];
	bool measured;
};

struct akin_eval {
	size_t k[AKIN_EVAL_MAX_K], n_k;
	struct doc *doc; /* ascending by id */
	size_t n;
	struct klass *klass;
	char **klass_name;
	size_t n_classes, klass_capacity, name_capacity;
	akin_eval_query *query; /* worst first */
	char **path; /* two of each query: its path, its words */
	size_t n_queries;
	akin_measures overall;
	uint64_t unknown, skipped;
	double seconds;

	/* while it runs */
	akin_library *lib;
	const akin_eval_params *params;
	atomic_size_t done;
	atomic_bool stop;
	pthread_mutex_t lock; /* of the progress callback and the error */
	akin_status st;
	akin_error err;
};


akin_status eval_create(akin_eval **out, akin_library *lib, const akin_eval_params *params, akin_error *err);
/* What the ranking of a query is worth: relevant[n] by rank, of n_relevant that there are. */
void eval_measure(const akin_eval *e, struct doc *doc, const bool *relevant, size_t n, size_t n_relevant);
/* One query is done, or failed: count, tell the progress, stop when asked to. From any thread. */
void eval_step(akin_eval *e, size_t total, akin_status st, const akin_error *err);
/* Averages over e->doc, and the queries ordered; words[doc->row] says what was asked. */
akin_status eval_summarise(akin_eval *e, const char *const *paths, const char *const *words, akin_error *err);

#endif
