/* feature/text_tower.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "feature/text_tower.h"

#include <math.h>
#include <pthread.h>

#include "base/alloc.h"
#include "feature/tokenizer.h"
#include "infer/infer.h"

struct text_tower {
	const struct model_card *card;
	struct tokenizer *tokenizer;
	struct infer_session *session;
	struct infer_slot *slot;
	pthread_mutex_t lock; /* over `slot` */
};

static akin_status open_tokenizer(struct text_tower *t, akin_error *err)
{
	const struct card_text *text = &t->card->text;
	/* Always the full length: the network's shapes are fixed to it, and SigLIP was trained on padded texts. */
	const struct tokenizer_fit fit = { .length = text->length, .pad = true, .pad_id = text->pad_id };
	char *path = model_card_path_of(t->card, text->tokenizer);
	akin_status st = path ? tokenizer_open(&t->tokenizer, path, &fit, err) : error_nomem(err);

	mem_free(path);
	return st;
}

static akin_status open_network(struct text_tower *t, unsigned threads, const char *cache_dir, akin_error *err)
{
	const struct card_text *text = &t->card->text;
	char *model = model_card_path_of(t->card, text->file), *weights = model_card_path_of(t->card, text->weights);
	const struct infer_text_spec spec = { model,       weights,      text->ids,   text->mask,
					      text->types, text->output, text->length };
	akin_status st = AKIN_OK;

	if (!model || (text->weights && !weights)) st = error_nomem(err);
	if (st == AKIN_OK) st = infer_open_text(&t->session, &spec, INFER_LATENCY, threads, cache_dir, err);
	if (st == AKIN_OK) st = infer_slot_create(&t->slot, t->session, err);
	mem_free(model);
	mem_free(weights);
	return st;
}

akin_status text_tower_open(struct text_tower **out, const struct model_card *card, unsigned threads,
			    const char *cache_dir, akin_error *err)
{
	struct text_tower *t = mem_zalloc(sizeof *t);
	akin_status st;

	*out = NULL;
	if (!t) return error_nomem(err);
	t->card = card;
	pthread_mutex_init(&t->lock, NULL);
	st = open_tokenizer(t, err);
	if (st == AKIN_OK) st = open_network(t, threads, cache_dir, err);
	if (st == AKIN_OK)
		*out = t;
	else
		text_tower_close(t);
	return error_note(err, st, "opening the text tower of %s", card->name);
}

void text_tower_close(struct text_tower *t)
{
	if (!t) return;
	infer_slot_destroy(t->slot);
	infer_close(t->session);
	tokenizer_close(t->tokenizer);
	pthread_mutex_destroy(&t->lock);
	mem_free(t);
}

static akin_status read_vector(const struct text_tower *t, float *vector, akin_error *err)
{
	const size_t dim = t->card->dim;
	struct infer_output out;
	double sum = 0, scale = 1;
	akin_status st = infer_slot_embedding(t->slot, &out, err);

	if (st != AKIN_OK) return st;
	if (out.n != dim)
		return error_set(err, AKIN_ERR_FORMAT, "the text tower gave %zu numbers, its card says dim %zu", out.n,
				 dim);
	for (size_t i = 0; i < dim; i++) sum += (double)out.data[i] * out.data[i];
	if (!isfinite(sum)) return error_set(err, AKIN_ERR_FORMAT, "the text tower gave a number that is not finite");
	if (t->card->text.normalise && sum > 0) scale = 1 / sqrt(sum);
	for (size_t i = 0; i < dim; i++) vector[i] = (float)(out.data[i] * scale);
	return AKIN_OK;
}

akin_status text_tower_encode(struct text_tower *t, const char *text, size_t bytes, float *vector, akin_error *err)
{
	struct token_ids ids;
	akin_status st = tokenizer_encode(t->tokenizer, text, bytes, &ids, err);

	if (st == AKIN_OK) {
		pthread_mutex_lock(&t->lock);
		infer_slot_set_tokens(t->slot, ids.id, ids.mask);
		st = infer_slot_run(t->slot, err);
		if (st == AKIN_OK) st = read_vector(t, vector, err);
		pthread_mutex_unlock(&t->lock);
	}
	token_ids_deinit(&ids);
	return st;
}
