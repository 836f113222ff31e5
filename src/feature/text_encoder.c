/* feature/text_encoder.c - Universal Sentence Encoder's network: embeddings, convolutions over 2, 3 and 5 tokens, the
 * sum over tokens, and four small layers (Yang et al., Multilingual Universal Sentence Encoder for Semantic Retrieval,
 * 2019).
 *
 * Tokens of many texts lie one after another in a block of rows, with GAP rows of zeros between texts, which is what a
 * convolution sees beyond a text's ends. A text that is longer than a block is continued in the next one, where HALO
 * rows on either side repeat what the convolutions reach for. So memory does not grow with the text, and the weights
 * are read once a block.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "feature/text_encoder.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "feature/text_model.h"

enum {
	GAP = 2,        /* the widest window reaches as far, to either side */
	HALO = 2 * GAP, /* two convolutions */
	BLOCK = 96,     /* rows at a time */
	GROUP = 32,     /* texts at a time through the last layers */
	MOST_NORMALISED = 4 * TEXT_MAX_BYTES,
};
static const uint32_t no_row = UINT32_MAX, no_text = UINT32_MAX;

struct text_encoder {
	struct model_card card;
	struct text_model model;
	const struct dense_kernels *kernels;
};

/* ---- opening ---- */

akin_status text_encoder_open(struct text_encoder **out, const char *card_or_dir, akin_error *err)
{
	struct text_encoder *e = mem_zalloc(sizeof *e);
	char *path = NULL;
	akin_status st;

	*out = NULL;
	if (!e) return error_nomem(err);
	if ((st = model_card_read(&e->card, card_or_dir, err)) != AKIN_OK) goto out;
	if (e->card.kind != CARD_TEXT) {
		st = error_set(err, AKIN_ERR_FORMAT, "%s is not of kind \"text\"", e->card.path);
		goto out;
	}
	if (!(path = model_card_path_of(&e->card, e->card.file))) {
		st = error_nomem(err);
		goto out;
	}
	if ((st = text_model_open(&e->model, path, err)) != AKIN_OK) goto out;
	if (e->model.dim != e->card.dim)
		st = error_set(err, AKIN_ERR_FORMAT, "%s gives %zu numbers, its card says %u", path, e->model.dim,
			       e->card.dim);
	e->kernels = dense_kernels_for(kernels_best());
out:
	mem_free(path);
	if (st != AKIN_OK)
		text_encoder_close(e);
	else
		*out = e;
	return st;
}

void text_encoder_close(struct text_encoder *e)
{
	if (!e) return;
	text_model_close(&e->model);
	model_card_deinit(&e->card);
	mem_free(e);
}

size_t text_encoder_dim(const struct text_encoder *e)
{
	return e->model.dim;
}

const struct model_card *text_encoder_card(const struct text_encoder *e)
{
	return &e->card;
}

/* ---- pieces ---- */

static akin_status add_pieces(const struct text_encoder *e, const struct buf *normalised, uint32_t **ids, size_t *n,
			      akin_error *err)
{
	const struct text_model *m = &e->model;
	struct unigram_token *tokens;
	size_t count;
	akin_status st = unigram_encode(m->unigram, normalised->data, normalised->len, &tokens, &count, err);

	if (st != AKIN_OK) return st;
	*n = (count ? count : 1) + 2;
	if ((*ids = mem_calloc(*n, sizeof **ids))) {
		(*ids)[0] = m->start;
		(*ids)[1] = m->unknown; /* of no text */
		for (size_t i = 0; i < count; i++) (*ids)[1 + i] = tokens[i].id;
		(*ids)[*n - 1] = m->end;
	}
	mem_free(tokens);
	return *ids ? AKIN_OK : error_nomem(err);
}

akin_status text_encoder_pieces(const struct text_encoder *e, const char *text, size_t bytes, uint32_t **ids, size_t *n,
				akin_error *err)
{
	struct buf repaired = BUF_EMPTY, normalised = BUF_EMPTY;
	akin_status st;

	*ids = NULL;
	*n = 0;
	if (bytes > TEXT_MAX_BYTES)
		return error_set(err, AKIN_ERR_LIMIT, "the text has %zu bytes, at most %d are read", bytes,
				 TEXT_MAX_BYTES);
	utf8_repair(text, bytes, &repaired);
	if (repaired.failed)
		st = error_nomem(err);
	else
		st =
		    charsmap_normalise(&e->model.rules, repaired.data, repaired.len, MOST_NORMALISED, &normalised, err);
	if (st == AKIN_OK) st = add_pieces(e, &normalised, ids, n, err);
	buf_deinit(&repaired);
	buf_deinit(&normalised);
	return st;
}

/* ---- a block of rows ---- */

struct row {
	uint32_t id, text; /* text: whose sum the row goes into; no_text in gaps and halos */
};

struct work {
	size_t room, n; /* rows */
	struct row row[BLOCK];
	float *features; /* room x features: embedding, then for each order its projection and later its convolutions */
	float *x, *h;    /* (GAP + room + GAP) x conv: input and output of a first convolution */
	float *sums;     /* GROUP x features */
	float *a, *b, *c; /* GROUP x the widest of the last layers */
	float *memory;
};

static akin_status work_init(struct work *w, const struct text_model *m, size_t rows, akin_error *err)
{
	const size_t wide = GROUP * (m->dim > m->hidden ? m->dim : m->hidden), padded = (rows + 2 * GAP) * m->conv;
	const size_t parts[] = { rows * m->features, padded, padded, GROUP * m->features, wide, wide, wide };
	float **const to[] = { &w->features, &w->x, &w->h, &w->sums, &w->a, &w->b, &w->c };
	size_t total = 0;

	*w = (struct work){ .room = rows };
	for (size_t i = 0; i < COUNT(parts); i++) total += parts[i];
	if (!(w->memory = mem_aligned(total * sizeof *w->memory))) return error_nomem(err);
	total = 0;
	for (size_t i = 0; i < COUNT(parts); i++) {
		*to[i] = w->memory + total;
		total += parts[i];
	}
	memset(w->x, 0, GAP * m->conv * sizeof *w->x); /* before the first row; what lies behind the last one moves */
	memset(w->h, 0, GAP * m->conv * sizeof *w->h);
	return AKIN_OK;
}

/* Zeros in the gaps and behind the last row. */
static void clear_gaps(const struct work *w, const struct text_model *m, float *padded)
{
	for (size_t r = 0; r < w->n + GAP; r++)
		if (r >= w->n || w->row[r].id == no_row)
			memset(padded + (GAP + r) * m->conv, 0, m->conv * sizeof *padded);
}

/* The convolutions of one order, from its part of the projected rows into its part of the features. */
static void run_order(const struct text_encoder *e, const struct work *w, size_t which)
{
	const struct text_model *m = &e->model;
	const struct text_order *order = &m->order[which];
	const size_t conv = m->conv, f = m->features, first_row = (GAP - order->left) * conv;
	float *x = w->x + GAP * conv, *h = w->h + GAP * conv, *out = w->features + m->embedding + which * conv;

	for (size_t r = 0; r < w->n; r++) memcpy(x + r * conv, out + r * f, conv * sizeof *x);
	clear_gaps(w, m, w->x);
	e->kernels->product(&order->first, w->x + first_row, conv, w->n, h, conv);
	for (size_t r = 0; r < w->n; r++) e->kernels->relu_add(h + r * conv, x + r * conv, conv);
	clear_gaps(w, m, w->h);
	e->kernels->product(&order->second, w->h + first_row, conv, w->n, out, f);
	for (size_t r = 0; r < w->n; r++) e->kernels->relu_add(out + r * f, h + r * conv, conv);
}

static akin_status run_block(const struct text_encoder *e, struct work *w, akin_error *err)
{
	const struct text_model *m = &e->model;

	for (size_t r = 0; r < w->n; r++) {
		float *row = w->features + r * m->features;

		if (w->row[r].id == no_row)
			memset(row, 0, m->embedding * sizeof *row);
		else if (!text_model_row(m, w->row[r].id, row))
			return error_set(err, AKIN_ERR_FORMAT, "row %u of the text model's table is damaged",
					 w->row[r].id);
	}
	for (size_t i = 0; i < TEXT_ORDERS; i++)
		e->kernels->product(&m->order[i].project, w->features, m->features, w->n,
				    w->features + m->embedding + i * m->conv, m->features);
	for (size_t r = 0; r < w->n; r++) {
		float *projected = w->features + r * m->features + m->embedding;
		e->kernels->normalise(projected, m->project_gain, m->project_bias, m->eps, TEXT_ORDERS * m->conv,
				      projected);
	}
	for (size_t i = 0; i < TEXT_ORDERS; i++) run_order(e, w, i);
	for (size_t r = 0; r < w->n; r++) {
		float *row = w->features + r * m->features;

		if (w->row[r].text == no_text) continue;
		e->kernels->normalise(row, m->gain, m->bias, m->eps, m->features, row);
		e->kernels->add(w->sums + w->row[r].text * m->features, row, m->features);
	}
	w->n = 0;
	return AKIN_OK;
}

/* ---- texts into blocks ---- */

struct pieces {
	uint32_t *ids;
	size_t n;
};

/* Rows of tokens first .. last - 1 of a text and, around them, of what of `all` the convolutions see. */
static void add_rows(struct work *w, const struct pieces *all, uint32_t text, size_t first, size_t last)
{
	const size_t from = first > HALO ? first - HALO : 0, to = all->n - last > HALO ? last + HALO : all->n;

	for (size_t g = 0; w->n && g < GAP; g++) w->row[w->n++] = (struct row){ no_row, no_text };
	for (size_t i = from; i < to; i++)
		w->row[w->n++] = (struct row){ all->ids[i], i >= first && i < last ? text : no_text };
}

static akin_status run_text(const struct text_encoder *e, struct work *w, const struct pieces *all, uint32_t text,
			    akin_error *err)
{
	akin_status st = AKIN_OK;

	if (w->n && w->n + GAP + all->n > w->room) st = run_block(e, w, err);
	if (all->n <= w->room) {
		if (st == AKIN_OK) add_rows(w, all, text, 0, all->n);
		return st;
	}
	for (size_t first = 0; first < all->n && st == AKIN_OK; first += w->room - 2 * HALO) {
		const size_t last = all->n - first > w->room - 2 * HALO ? first + w->room - 2 * HALO : all->n;

		add_rows(w, all, text, first, last);
		st = run_block(e, w, err);
	}
	return st;
}

/* ---- the last layers ---- */

static void relu(float *values, size_t n)
{
	for (size_t i = 0; i < n; i++) values[i] = values[i] > 0 ? values[i] : 0;
}

static bool to_unit(float *z, size_t dim, float eps)
{
	float sum = 0;

	for (size_t i = 0; i < dim; i++) {
		z[i] = tanhf(z[i]);
		sum += z[i] * z[i];
	}
	sum = sqrtf(sum > eps ? sum : eps);
	for (size_t i = 0; i < dim; i++) z[i] /= sum;
	return isfinite(sum);
}

/* Sums over tokens into vectors. */
static akin_status finish(const struct text_encoder *e, const struct work *w, const struct pieces *pieces, size_t n,
			  float *out, akin_error *err)
{
	const struct text_model *m = &e->model;
	const size_t d = m->dim, h = m->hidden;
	void (*product)(const struct dense_layer *, const float *, size_t, size_t, float *, size_t) =
	    e->kernels->product;

	product(&m->pool, w->sums, m->features, n, w->a, d);
	for (size_t t = 0; t < n; t++) {
		const float tokens = (float)pieces[t].n, factor = 1 / sqrtf(tokens);
		for (size_t i = 0; i < d; i++) w->a[t * d + i] = (w->a[t * d + i] + tokens * m->pool_bias[i]) * factor;
	}
	product(&m->dense0, w->a, d, n, w->b, h);
	relu(w->b, n * h);
	product(&m->dense1, w->b, h, n, w->c, h);
	product(&m->skip1, w->a, d, n, w->b, h);
	e->kernels->add(w->b, w->c, n * h);
	relu(w->b, n * h);
	product(&m->dense2, w->b, h, n, w->a, d);
	relu(w->a, n * d);
	product(&m->dense3, w->a, d, n, w->c, d);
	product(&m->skip3, w->b, h, n, out, d);
	e->kernels->add(out, w->c, n * d);
	for (size_t t = 0; t < n; t++)
		if (!to_unit(out + t * d, d, m->eps))
			return error_set(err, AKIN_ERR_FORMAT, "the text model gives no numbers");
	return AKIN_OK;
}

/* ---- encoding ---- */

static akin_status encode_group(const struct text_encoder *e, const struct pieces *pieces, size_t n, float *out,
				akin_error *err)
{
	size_t rows = 0;
	struct work w;
	akin_status st;

	for (size_t t = 0; t < n; t++) rows += pieces[t].n + (t ? GAP : 0);
	if ((st = work_init(&w, &e->model, rows < BLOCK ? rows : BLOCK, err)) != AKIN_OK) return st;
	memset(w.sums, 0, n * e->model.features * sizeof *w.sums);
	for (size_t t = 0; t < n && st == AKIN_OK; t++) st = run_text(e, &w, &pieces[t], (uint32_t)t, err);
	if (st == AKIN_OK) st = run_block(e, &w, err);
	if (st == AKIN_OK) st = finish(e, &w, pieces, n, out, err);
	mem_free(w.memory);
	return st;
}

akin_status text_encode_many(const struct text_encoder *e, const struct text *texts, size_t n, float *out,
			     akin_error *err)
{
	const size_t dim = e->model.dim;
	akin_status st = AKIN_OK;

	for (size_t first = 0; first < n && st == AKIN_OK; first += GROUP) {
		const size_t here = n - first < GROUP ? n - first : GROUP;
		struct pieces pieces[GROUP] = { 0 };

		for (size_t t = 0; t < here && st == AKIN_OK; t++) {
			st = text_encoder_pieces(e, texts[first + t].bytes, texts[first + t].n, &pieces[t].ids,
						 &pieces[t].n, err);
			if (n > 1) error_note(err, st, "text %zu", first + t + 1);
		}
		if (st == AKIN_OK) st = encode_group(e, pieces, here, out + first * dim, err);
		for (size_t t = 0; t < here; t++) mem_free(pieces[t].ids);
	}
	if (st != AKIN_OK) memset(out, 0, n * dim * sizeof *out);
	return st;
}

akin_status text_encode(const struct text_encoder *e, const char *text, size_t bytes, float *out, akin_error *err)
{
	const struct text one = { text, bytes };

	return text_encode_many(e, &one, 1, out, err);
}
