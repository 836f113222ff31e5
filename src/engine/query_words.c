/* engine/query_words.c - the words of a text against what is written about pictures: names, captions, tags, labels.
 *
 * How much a find says: the share of the text's words that the picture has, to a power, and how well they stand there (BM25)
 * beside the best of all finds. Both lie in 0..1; their product is the nearness. The power: that a picture has all the words
 * says much, that it has one of five, such as the name of a class that it is unlikely of, nearly nothing. docs/search.md has
 * the measurement.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "engine/asking.h"

/* EVIDENCE of the best find; COVER is that power; RANDOM_ODDS is the logarithm of the odds of a picture that has none of the words, where words are
 * all that is asked. */
static const double EVIDENCE = 5, COVER = 4, RANDOM_ODDS = -4.6;

struct find {
	int64_t id;
	double score;
	size_t n_terms;
};

struct finds {
	struct find *find;
	size_t n, capacity, most_terms;
	bool failed;
};

static int take(void *ctx, const struct store_keyword_hit *hit)
{
	struct finds *f = ctx;
	struct find *moved = mem_grow(f->find, &f->capacity, f->n, sizeof *moved);

	if (!(f->failed = !moved)) {
		f->find = moved;
		f->find[f->n++] = (struct find){ hit->picture_id, hit->score, hit->n_terms };
		if (hit->n_terms > f->most_terms) f->most_terms = hit->n_terms;
	}
	return f->failed;
}

static int take_any(void *ctx, const struct store_keyword_hit *hit)
{
	(void)hit;
	*(bool *)ctx = true;
	return 1;
}

static int by_id(const void *a, const void *b)
{
	return id_order(&((const struct worded *)a)->id, &((const struct worded *)b)->id);
}

/* The text with the words that were perhaps meant, when there are any. */
static akin_status look_nearby(struct asking *a, const char *text, akin_error *err)
{
	static const char blanks[] = " \t\n";
	struct buf meant = BUF_EMPTY;
	bool changed = false;
	akin_status st = AKIN_OK;

	for (const char *at = text + strspn(text, blanks); *at && st == AKIN_OK; at += strspn(at, blanks)) {
		size_t n = strcspn(at, blanks);
		char *word = str_printf("%.*s", (int)n, at), *nearest = NULL;

		st = word ? store_keywords_nearest(a->lib->store, word, &nearest, err) : error_nomem(err);
		if (st == AKIN_OK) buf_printf(&meant, "%s%s", meant.len ? " " : "", nearest ? nearest : word);
		changed = changed || nearest;
		mem_free(nearest);
		mem_free(word);
		at += n;
	}
	if (st == AKIN_OK && meant.failed) st = error_nomem(err);
	if (st == AKIN_OK && changed && !a->hint && !(a->hint = buf_take(&meant))) st = error_nomem(err);
	buf_deinit(&meant);
	return st;
}

akin_status words_term(struct asking *a, const char *text, struct term *term, akin_error *err)
{
	struct finds f = { 0 };
	bool all = false;
	double words, best;
	akin_status st = store_keywords_search(a->lib->store, text, KEYWORDS_ANY, 0, take, &f, err);

	term->scale = (struct scale){ .half = 1 + RANDOM_ODDS / EVIDENCE, .slope = EVIDENCE, .random = 1, .linear = true };
	if (st == AKIN_OK && f.failed) st = error_nomem(err);
	/* Where no picture has all the words, the one with the most of them is not taken for one that has. */
	if (st == AKIN_OK && f.n) st = store_keywords_search(a->lib->store, text, KEYWORDS_ALL, 1, take_any, &all, err);
	if (st == AKIN_OK && !(term->worded = mem_calloc(f.n, sizeof *term->worded))) st = error_nomem(err);
	term->all_words = all;
	words = (double)f.most_terms + (all ? 0 : 1);
	best = f.n ? fmax(f.find[0].score, 1e-9) : 1;
	for (size_t i = 0; i < f.n && st == AKIN_OK; i++) {
		double share = pow(fmin((double)f.find[i].n_terms / words, 1), COVER), well = fmin(fmax(f.find[i].score / best, 0), 1);

		term->worded[term->n_worded++] = (struct worded){ f.find[i].id, (float)(1 - share * (0.5 + 0.5 * well)) };
	}
	if (term->n_worded) qsort(term->worded, term->n_worded, sizeof *term->worded, by_id);
	if (st == AKIN_OK && !f.n && term_is_wanted(term)) st = look_nearby(a, text, err);
	mem_free(f.find);
	return st;
}
