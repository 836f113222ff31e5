/* feature/unigram.c - the vocabulary is an array in the order of bytes. Reading on in the text narrows a range of it,
 * which needs no more memory than the pieces themselves and nothing built before a mapped file can be used.
 * SPDX-License-Identifier: Apache-2.0 */
#include "feature/unigram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct unigram {
	size_t n;
	const uint32_t *text_at, *id;
	const char *text;
	double *score;
	double unknown_score;
	uint32_t unknown;
	uint32_t lead[257]; /* pieces that begin with byte c: lead[c] .. lead[c + 1] */
	void *owned[3];
};

/* ---- making ---- */

/* Scores and the table of first bytes, of pieces that are in place. */
static akin_status finish(struct unigram *u, uint32_t unknown, akin_error *err)
{
	double least = 0;
	size_t rank = 0;

	if (unknown >= u->n)
		return error_set(err, AKIN_ERR_FORMAT, "the unknown piece %u is none of %zu", unknown, u->n);
	for (size_t i = 0; i < u->n; i++) {
		if (!isfinite(u->score[i])) return error_set(err, AKIN_ERR_FORMAT, "the score of a piece is no number");
		if (u->id[i] >= u->n) return error_set(err, AKIN_ERR_FORMAT, "a piece has an id beyond the vocabulary");
		if (i == 0 || u->score[i] < least) least = u->score[i];
	}
	while (rank < u->n && u->text_at[rank + 1] == u->text_at[rank]) rank++; /* empty ones come first */
	for (unsigned c = 0; c < 256; c++) {
		u->lead[c] = (uint32_t)rank;
		while (rank < u->n && (uint8_t)u->text[u->text_at[rank]] == c) rank++;
	}
	u->lead[256] = (uint32_t)rank;
	u->unknown_score = least - UNIGRAM_PENALTY;
	u->unknown = unknown;
	return AKIN_OK;
}

static int compare_bytes(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
	const size_t common = a_bytes < b_bytes ? a_bytes : b_bytes;
	const int order = common ? memcmp(a, b, common) : 0;

	return order ? order : (a_bytes > b_bytes) - (a_bytes < b_bytes);
}

static int compare_pieces(const void *a, const void *b)
{
	const struct unigram_piece *x = *(const struct unigram_piece *const *)a,
				   *y = *(const struct unigram_piece *const *)b;
	const int order = compare_bytes(x->text, x->bytes, y->text, y->bytes);

	return order ? order : (x > y) - (x < y); /* both are of one list */
}

/* The sorted pieces into arrays of our own. */
static akin_status copy_pieces(struct unigram *u, const struct unigram_piece *pieces,
			       const struct unigram_piece **order, size_t text_bytes, akin_error *err)
{
	uint32_t *at = u->owned[0] = mem_calloc(u->n + 1, sizeof *at);
	uint32_t *id = u->owned[1] = mem_calloc(u->n, sizeof *id);
	char *text = u->owned[2] = mem_alloc(text_bytes + !text_bytes);

	if (!(u->score = mem_calloc(u->n, sizeof *u->score)) || !at || !id || !text) return error_nomem(err);
	for (size_t i = 0; i < u->n; i++) {
		if (order[i]->bytes) memcpy(text + at[i], order[i]->text, order[i]->bytes);
		at[i + 1] = at[i] + (uint32_t)order[i]->bytes;
		id[i] = (uint32_t)(order[i] - pieces);
		u->score[i] = order[i]->score;
	}
	u->text_at = at;
	u->id = id;
	u->text = text;
	return AKIN_OK;
}

akin_status unigram_create(struct unigram **out, const struct unigram_piece *pieces, size_t n, uint32_t unknown,
			   akin_error *err)
{
	const struct unigram_piece **order = NULL;
	struct unigram *u = NULL;
	size_t text_bytes = 0;
	akin_status st = AKIN_OK;

	*out = NULL;
	for (size_t i = 0; i < n; i++) {
		text_bytes += pieces[i].bytes;
		if (pieces[i].bytes > UINT32_MAX || text_bytes > UINT32_MAX || i == UINT32_MAX - 1)
			return error_set(err, AKIN_ERR_LIMIT, "the vocabulary is larger than 4 GiB");
	}
	if (!(u = mem_zalloc(sizeof *u)) || !(order = mem_calloc(n + !n, sizeof *order))) {
		st = error_nomem(err);
		goto out;
	}
	u->n = n;
	for (size_t i = 0; i < n; i++) order[i] = &pieces[i];
	qsort(order, n, sizeof *order, compare_pieces);
	if ((st = copy_pieces(u, pieces, order, text_bytes, err)) == AKIN_OK) st = finish(u, unknown, err);
out:
	mem_free(order);
	if (st != AKIN_OK)
		unigram_destroy(u);
	else
		*out = u;
	return st;
}

static akin_status check_view(const struct unigram_view *v, akin_error *err)
{
	if (v->n == 0 || v->n >= UINT32_MAX || v->text_at[0] != 0 || v->text_at[v->n] != v->text_bytes)
		return error_set(err, AKIN_ERR_FORMAT, "the vocabulary does not fill its text");
	for (size_t i = 0; i < v->n; i++)
		if (v->text_at[i + 1] < v->text_at[i] || v->text_at[i + 1] > v->text_bytes)
			return error_set(err, AKIN_ERR_FORMAT, "piece %zu lies outside the vocabulary's text", i);
	for (size_t i = 1; i < v->n; i++) {
		const uint32_t before = v->text_at[i - 1], here = v->text_at[i], after = v->text_at[i + 1];

		if (compare_bytes(v->text + before, here - before, v->text + here, after - here) > 0)
			return error_set(err, AKIN_ERR_FORMAT, "the vocabulary is not in order at piece %zu", i);
	}
	return AKIN_OK;
}

akin_status unigram_create_view(struct unigram **out, const struct unigram_view *view, uint32_t unknown,
				akin_error *err)
{
	struct unigram *u;
	akin_status st = check_view(view, err);

	*out = NULL;
	if (st != AKIN_OK) return st;
	if (!(u = mem_zalloc(sizeof *u)) || !(u->score = mem_calloc(view->n, sizeof *u->score))) {
		unigram_destroy(u);
		return error_nomem(err);
	}
	u->n = view->n;
	u->text_at = view->text_at;
	u->id = view->id;
	u->text = view->text;
	for (size_t i = 0; i < view->n; i++) u->score[i] = (double)view->score[i];
	if ((st = finish(u, unknown, err)) != AKIN_OK)
		unigram_destroy(u);
	else
		*out = u;
	return st;
}

void unigram_destroy(struct unigram *u)
{
	if (!u) return;
	for (size_t i = 0; i < COUNT(u->owned); i++) mem_free(u->owned[i]);
	mem_free(u->score);
	mem_free(u);
}

/* ---- cutting ---- */

/* Byte `depth` of a piece, -1 beyond its end: the order of the array. */
static int byte_of(const struct unigram *u, size_t rank, uint32_t depth)
{
	const uint32_t at = u->text_at[rank] + depth;

	return at < u->text_at[rank + 1] ? (uint8_t)u->text[at] : -1;
}

/* The first rank of lo .. hi, all alike before `depth`, whose byte there is at least c. */
static size_t first_from(const struct unigram *u, size_t lo, size_t hi, uint32_t depth, int c)
{
	while (lo < hi) {
		const size_t middle = lo + (hi - lo) / 2;

		if (byte_of(u, middle, depth) < c)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo;
}

/* Of the pieces lo .. hi, all alike before `depth`, those with byte c there. Most often that is all or none. */
static void narrow(const struct unigram *u, size_t *lo, size_t *hi, uint32_t depth, int c)
{
	if (byte_of(u, *lo, depth) != c) *lo = first_from(u, *lo, *hi, depth, c);
	if (*lo < *hi && byte_of(u, *hi - 1, depth) != c) *hi = first_from(u, *lo, *hi, depth, c + 1);
}

static uint32_t character_bytes(uint8_t lead, size_t left)
{
	const uint32_t n = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

	return n < left ? n : (uint32_t)left;
}

/* The best cut of the text before a position ends in a token of `bytes`, 0: no cut ends here. */
struct node {
	double score;
	uint32_t bytes, id;
};

static void offer(struct node *end, double score, uint32_t bytes, uint32_t id)
{
	if (!end->bytes || score > end->score) *end = (struct node){ score, bytes, id };
}

/* Every token that can follow the best cut before `at`. */
static void extend(const struct unigram *u, const char *text, size_t bytes, struct node *nodes, size_t at)
{
	const uint8_t lead = (uint8_t)text[at];
	const uint32_t character = character_bytes(lead, bytes - at);
	const double score = nodes[at].score;
	size_t lo = u->lead[lead], hi = u->lead[lead + 1];
	int has_character = 0;

	for (uint32_t depth = 0; lo < hi;) {
		size_t whole = hi; /* the last piece that ends here */

		depth++;
		while (lo < hi && u->text_at[lo + 1] - u->text_at[lo] == depth) whole = lo++;
		if (whole != hi) {
			offer(&nodes[at + depth], score + u->score[whole], depth, u->id[whole]);
			has_character |= depth == character;
		}
		if (at + depth == bytes || lo == hi) break;
		narrow(u, &lo, &hi, depth, (uint8_t)text[at + depth]);
	}
	if (!has_character) offer(&nodes[at + character], score + u->unknown_score, character, u->unknown);
}

akin_status unigram_encode(const struct unigram *u, const char *text, size_t bytes, struct unigram_token **tokens,
			   size_t *n, akin_error *err)
{
	struct node *nodes;
	size_t count = 0;

	*tokens = NULL;
	*n = 0;
	if (!bytes) return AKIN_OK;
	if (bytes >= UINT32_MAX) return error_set(err, AKIN_ERR_LIMIT, "the text has 4 GiB or more");
	if (!(nodes = mem_calloc(bytes + 1, sizeof *nodes))) return error_nomem(err);
	for (size_t at = 0; at < bytes; at++)
		if (at == 0 || nodes[at].bytes) extend(u, text, bytes, nodes, at);
	for (size_t at = bytes; at > 0; at -= nodes[at].bytes) count++;
	if ((*tokens = mem_calloc(count, sizeof **tokens))) {
		*n = count;
		for (size_t at = bytes; at > 0; at -= nodes[at].bytes)
			(*tokens)[--count] =
			    (struct unigram_token){ nodes[at].id, (uint32_t)at - nodes[at].bytes, nodes[at].bytes };
	}
	mem_free(nodes);
	return *tokens ? AKIN_OK : error_nomem(err);
}
