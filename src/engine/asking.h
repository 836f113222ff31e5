/* engine/asking.h - a query on its way to an answer.
 *
 *   query.c         parts, as the caller gave them
 *   query_terms.c   parts -> terms: vectors in the library's spaces
 *   query_search.c  terms -> candidates, each with its evidence, best first
 *   query_result.c  candidates -> hits with paths; kept apart, grouped, sorted
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_ENGINE_ASKING_H
#define AKIN_ENGINE_ASKING_H

#include "engine/engine.h"
#include "search/rank.h"

enum part_kind { PART_FILE, PART_BYTES, PART_ID, PART_VECTOR, PART_TEXT };

struct part {
	enum part_kind kind;
	const char *text;       /* a file's path; a text */
	const void *bytes;      /* of a picture; floats of a vector */
	size_t n;               /* bytes, or numbers */
	akin_id id;
	struct image_crop crop; /* width 0: none */
	double weight;
	bool feedback;          /* the weight's sign says which; its size is chosen when the query is asked */
};

struct akin_query {
	struct part *part;
	size_t n, capacity;
};

/* A picture that the words of a text were found with. */
struct worded {
	int64_t id;
	float distance; /* 1: nothing found, 0: the best that was */
};

/* What one part says, in a space of vectors or by its words. */
struct term {
	size_t part;
	double weight;
	struct vectors *space;  /* NULL: by words */
	float *vector;          /* of unit length under the cosine; mem_free */
	struct worded *worded;  /* ascending by id; mem_free */
	size_t n_worded;
	akin_id id;             /* the picture of the library that it is; 0: none */
	bool more;              /* another term of the same part stands before it */
	bool all_words;         /* some picture has all of its words */
	double stands_out;      /* of a meaning: the distance that some picture must have for it to be there at all */
	struct scale scale;
};

struct asking {
	struct akin_library *lib;
	const akin_search_params *params;
	const struct akin_query *query;
	struct term *term;
	struct rank_term *weigher; /* of each term, set by pool_fill */
	size_t n_terms;
	akin_id *self;    /* pictures that are no answers, ascending */
	size_t n_self;
	int64_t *allowed; /* ascending; NULL: all */
	size_t n_allowed;
	char *in;         /* params->in, absolute */
	char *hint;       /* the text that was perhaps meant; mem_free */
	akin_timings ms;
};

static inline bool term_is_wanted(const struct term *term)
{
	return term->weight > 0;
}

/* ---- query_terms.c ---- */
/* Open what the query needs and bring it up to date. Before asking_terms, without the library's lock. */
akin_status asking_prepare(struct akin_library *lib, const struct akin_query *query, const akin_search_params *params,
                           akin_error *err);
akin_status asking_terms(struct asking *a, akin_error *err);
void asking_deinit(struct asking *a);

/* ---- query_words.c ---- */
/* What the words of a text are found with; a text that is nowhere found has no term. */
akin_status words_term(struct asking *a, const char *text, struct term *term, akin_error *err);

/* ---- query_search.c: the library's lock is held ---- */
struct pool {
	struct ranked *item;  /* best first, equal ones by distance, then by smaller id */
	double *evidence;     /* of each row, by each term */
	float *distance;      /* the same */
	size_t n, n_terms;
	bool complete;        /* no picture is missing that could be an answer */
};
/* The best `wanted` or more. */
akin_status pool_fill(struct pool *pool, struct asking *a, size_t wanted, akin_error *err);
void pool_deinit(struct pool *pool);
/* The score of item i. */
double pool_score(const struct pool *pool, const struct asking *a, size_t i);

/* ---- query_result.c ---- */
akin_status result_create(akin_result **out, const struct asking *a, size_t k, akin_error *err);
/* Hits of the pool, best first, until there are k. *below: what follows has less than the threshold. */
akin_status result_gather(akin_result *r, const struct asking *a, const struct pool *pool, bool *below, akin_error *err);
void result_empty(akin_result *r);
size_t result_room(const akin_result *r);
/* Choose and arrange as the params say; ranks are given here. */
akin_status result_arrange(akin_result *r, const struct asking *a, size_t k, akin_error *err);
void result_set_timings(akin_result *r, const akin_timings *ms);

#endif
