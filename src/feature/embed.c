/* feature/embed.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "feature/embed.h"

#include <math.h>

#include "base/alloc.h"

/* Classes less likely than this say nothing about a picture. */
static const float least_probability = 0.01f;

akin_status embedder_open(struct embedder *e, const struct model_card *card, enum infer_goal goal, unsigned threads,
                          const char *cache_dir, akin_error *err)
{
	char *model = model_card_path_of(card, card->file), *weights = model_card_path_of(card, card->weights);
	const struct infer_spec spec = {
		.model_path = model, .weights_path = weights, .input = card->input, .width = card->recipe.width,
		.height = card->recipe.height, .nchw = card->nchw, .bgr = card->bgr,
		.mean = { card->mean[0], card->mean[1], card->mean[2] }, .std = { card->std[0], card->std[1], card->std[2] },
		.embedding = card->embedding, .logits = card->logits,
	};
	akin_status st;

	*e = (struct embedder){ .card = card };
	if (!model || (card->weights && !weights)) st = error_nomem(err);
	else st = infer_open(&e->session, &spec, goal, threads, cache_dir, err);
	mem_free(model);
	mem_free(weights);
	return st;
}

void embedder_close(struct embedder *e)
{
	infer_close(e->session);
	*e = (struct embedder){ 0 };
}

/* Pool n_cells cells of dim channels: value(cell, channel) lies at cell * cell_step + channel * channel_step. */
static void pool_cells(const float *in, size_t n_cells, size_t cell_step, size_t channel_step, size_t dim,
                       const struct model_card *card, float *out)
{
	for (size_t c = 0; c < dim; c++) {
		double sum = 0;

		for (size_t i = 0; i < n_cells; i++) {
			double v = in[i * cell_step + c * channel_step];
			/* GeM (Radenovic et al. 2018, eq. 3) is defined for activations >= 0; clamp as its authors do. */
			sum += card->pooling == POOLING_GEM ? pow(fmax(v, 1e-6), card->gem_p) : v;
		}
		sum /= (double)n_cells;
		out[c] = (float)(card->pooling == POOLING_GEM ? pow(sum, 1 / (double)card->gem_p) : sum);
	}
}

static akin_status pool(const struct infer_output *o, const struct model_card *card, float *out, akin_error *err)
{
	const size_t dim = card->dim;
	bool first = o->rank && o->shape[0] == dim, last = o->rank && o->shape[o->rank - 1] == dim;

	if (card->pooling == POOLING_NONE && o->n == dim) {
		pool_cells(o->data, 1, 0, 1, dim, card, out);
	} else if (card->pooling == POOLING_CLS && last && o->n >= dim) {
		pool_cells(o->data, 1, 0, 1, dim, card, out);
	} else if ((card->pooling == POOLING_MEAN || card->pooling == POOLING_GEM) && o->n >= dim && (first || last)) {
		size_t n_cells = o->n / dim;
		/* C x H x W, unless only the last axis fits (H x W x C, or tokens x C). */
		if (first && o->rank > 1) pool_cells(o->data, n_cells, 1, n_cells, dim, card, out);
		else pool_cells(o->data, n_cells, dim, 1, dim, card, out);
	} else {
		return error_set(err, AKIN_ERR_FORMAT, "the model gave %zu numbers, its card says dim %zu", o->n, dim);
	}
	return AKIN_OK;
}

static akin_status normalise(float *v, size_t dim, bool to_unit, akin_error *err)
{
	double sum = 0;

	for (size_t i = 0; i < dim; i++) sum += (double)v[i] * v[i];
	if (!isfinite(sum)) return error_set(err, AKIN_ERR_FORMAT, "the model gave a number that is not finite");
	if (to_unit && sum > 0)
		for (size_t i = 0; i < dim; i++) v[i] = (float)(v[i] / sqrt(sum));
	return AKIN_OK;
}

/* The most probable classes by insertion into a short list: n is small and most classes fail its first test. */
static void top_classes(const struct infer_output *logits, bool softmax, struct embedding *out)
{
	double most = -INFINITY, sum = 0, lowest;

	for (size_t i = 0; i < logits->n; i++) most = fmax(most, logits->data[i]);
	for (size_t i = 0; softmax && i < logits->n; i++) sum += exp(logits->data[i] - most);
	/* The logit below which no class is probable enough: one comparison for most classes instead of an exponential. */
	lowest = softmax ? most + log((double)least_probability * sum) - 1e-3 : -INFINITY;
	for (size_t i = 0; i < logits->n; i++) {
		float p = logits->data[i] < lowest ? 0 : (float)(softmax ? exp(logits->data[i] - most) / sum : logits->data[i]);
		size_t at = out->n_labels;

		if (!(p >= least_probability)) continue;
		while (at > 0 && out->label[at - 1].probability < p) at--;
		if (at == EMBED_MAX_LABELS) continue;
		if (out->n_labels < EMBED_MAX_LABELS) out->n_labels++;
		for (size_t j = out->n_labels - 1; j > at; j--) out->label[j] = out->label[j - 1];
		out->label[at] = (struct embed_label){ (unsigned)i, p };
	}
}

akin_status embed_collect(const struct embedder *e, struct infer_slot *slot, struct embedding *out, akin_error *err)
{
	struct infer_output embedding, logits;
	akin_status st;

	*out = (struct embedding){ 0 };
	if ((st = infer_slot_embedding(slot, &embedding, err)) != AKIN_OK) return st;
	if ((st = infer_slot_logits(slot, &logits, err)) != AKIN_OK) return st;
	if (!(out->vector = mem_alloc(e->card->dim * sizeof *out->vector))) return error_nomem(err);
	if ((st = pool(&embedding, e->card, out->vector, err)) == AKIN_OK)
		st = normalise(out->vector, e->card->dim, e->card->normalise, err);
	if (st == AKIN_OK && logits.n) top_classes(&logits, e->card->softmax, out);
	if (st != AKIN_OK) embedding_deinit(out);
	return st;
}

void embedding_deinit(struct embedding *embedding)
{
	mem_free(embedding->vector);
	*embedding = (struct embedding){ 0 };
}
