/* engine/eval_captions.c - akin_eval_captions: every caption as a query, its picture the one right answer.
 *
 * Queries go the way of akin_search up to the ranking, over all captioned pictures and exactly; only paths are not looked up.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/pool.h"
#include "engine/asking.h"
#include "engine/eval.h"

struct captions {
	akin_eval *e;
	const char *const *caption;
	int64_t *id; /* of the captioned pictures, ascending */
	size_t n;
};

/* Captions whose picture the library can find, in the order given, and those pictures. */
static akin_status collect(struct captions *c, const char *const *paths, size_t n, akin_error *err)
{
	akin_eval *e = c->e;
	akin_status st = AKIN_OK;
	size_t kept = 0;

	e->doc = mem_calloc(n, sizeof *e->doc);
	c->id = mem_calloc(n, sizeof *c->id);
	if (!e->doc || !c->id) return error_nomem(err);
	for (size_t i = 0; i < n && st == AKIN_OK; i++) {
		akin_id id;

		st = akin_picture_find(e->lib, paths[i], &id, err);
		if (st == AKIN_OK && index_has(e->lib->vectors.index, id)) {
			c->id[e->n] = id;
			e->doc[e->n++] = (struct doc){ .id = id, .row = i };
		} else if (st == AKIN_OK || st == AKIN_ERR_NOT_FOUND) {
			st = AKIN_OK;
			e->unknown++;
		}
	}
	if (e->n) qsort(c->id, e->n, sizeof *c->id, id_order);
	for (size_t i = 0; i < e->n; i++)
		if (!i || c->id[i] != c->id[kept - 1]) c->id[kept++] = c->id[i];
	c->n = kept;
	return st;
}

static void measure(const struct captions *c, const struct asking *a, struct doc *doc, const struct pool *pool, bool *relevant)
{
	for (size_t i = 0; i < pool->n; i++) {
		const struct ranked *item = &pool->item[i];

		relevant[i] = item->id == doc->id;
		if (i >= EVAL_TOP) continue;
		doc->top[i] = item->id;
		doc->top_relevant[i] = relevant[i];
		doc->top_score[i] = pool_score(pool, a, i);
		doc->n_top = i + 1;
	}
	eval_measure(c->e, doc, relevant, pool->n, 1);
	/* What a keyword search does not find at all ranks behind every picture. */
	if (doc->first > (double)pool->n) doc->first = (double)c->n + 1;
}

static akin_status ask(const struct captions *c, struct doc *doc, akin_error *err)
{
	const akin_search_params params = { .exact = 1, .mode = c->e->params->mode };
	struct part part = { .kind = PART_TEXT, .text = c->caption[doc->row], .weight = 1 };
	struct akin_query query = { &part, 1, 1 };
	struct asking a = { .lib = c->e->lib, .params = &params, .query = &query };
	struct pool pool = { 0 };
	bool *relevant = mem_calloc(c->n, sizeof *relevant);
	akin_status st = relevant ? asking_terms(&a, err) : error_nomem(err);

	if (st == AKIN_OK && !(a.allowed = mem_dup(c->id, c->n * sizeof *c->id))) st = error_nomem(err);
	a.n_allowed = c->n;
	if (st == AKIN_OK) st = pool_fill(&pool, &a, c->n, err);
	if (st == AKIN_OK) measure(c, &a, doc, &pool, relevant);
	pool_deinit(&pool);
	asking_deinit(&a);
	mem_free(relevant);
	return st;
}

static void ask_one(void *ctx, size_t i)
{
	struct captions *c = ctx;
	akin_error err;
	akin_status st;

	if (atomic_load(&c->e->stop)) return;
	st = ask(c, &c->e->doc[i], &err);
	eval_step(c->e, c->e->n, st, &err);
}

akin_status akin_eval_captions(akin_eval **out, akin_library *lib, const char *const *paths, const char *const *captions,
                               size_t n, const akin_eval_params *params, akin_error *err)
{
	struct part text = { .kind = PART_TEXT, .text = "", .weight = 1 };
	const struct akin_query any_text = { &text, 1, 1 };
	struct captions c = { .caption = captions };
	double start = clock_seconds();
	akin_status st;

	*out = NULL;
	error_clear(err);
	if ((st = eval_create(&c.e, lib, params, err)) != AKIN_OK) return st;
	if ((st = asking_prepare(lib, &any_text, &(akin_search_params){ .mode = c.e->params->mode }, err)) != AKIN_OK) goto out;
	pthread_rwlock_rdlock(&lib->lock);
	st = collect(&c, paths, n, err);
	if (st == AKIN_OK) pool_for(c.e->n, lib->threads, ask_one, &c);
	pthread_rwlock_unlock(&lib->lock);
	if (st == AKIN_OK && (st = c.e->st) != AKIN_OK && err) *err = c.e->err;
	if (st == AKIN_OK) st = eval_summarise(c.e, paths, captions, err);
	c.e->seconds = clock_seconds() - start;
out:
	mem_free(c.id);
	if (st == AKIN_OK) *out = c.e;
	else akin_eval_free(c.e);
	return st;
}
