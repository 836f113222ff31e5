/* feature/tokenizer.c - opening, and the way of one text through the parts.
 * SPDX-License-Identifier: Apache-2.0 */
#include "feature/tokenizer.h"

#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "feature/tokenizer_parts.h"

/* ---- opening ---- */

/* The card's wishes over the file's. */
static akin_status fit(struct tokenizer *t, const struct tokenizer_fit *fit, akin_error *err)
{
	const size_t special = t->before.n + t->after.n;

	if (fit && fit->length) {
		t->length = fit->length;
		t->pad_length = fit->pad ? fit->length : 0;
		t->pad_multiple = 0;
		if (fit->pad_id >= 0) t->pad_id = (int32_t)fit->pad_id;
	}
	if (t->length && t->length <= special)
		return error_set(err, AKIN_ERR_FORMAT,
				 "a length of %zu ids leaves no room for words beside %zu special ones", t->length,
				 special);
	if (t->length > TOKENIZER_LENGTH_MAX || t->pad_length > TOKENIZER_LENGTH_MAX ||
	    t->pad_multiple > TOKENIZER_LENGTH_MAX || (fit && fit->pad_id > INT32_MAX))
		return error_set(err, AKIN_ERR_LIMIT, "a length of more than %d ids", TOKENIZER_LENGTH_MAX);
	return AKIN_OK;
}

akin_status tokenizer_parse(struct tokenizer **out, const char *json, size_t bytes, const struct tokenizer_fit *wanted,
			    akin_error *err)
{
	struct tokenizer *t = mem_zalloc(sizeof *t);
	json_error_t where;
	json_t *root;
	akin_status st;

	*out = NULL;
	if (!t) return error_nomem(err);
	if (!(root = json_loadb(json, bytes, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &where)))
		st = error_set(err, AKIN_ERR_FORMAT, "line %d: %s", where.line, where.text);
	else
		st = tokenizer_read(t, root, err);
	json_decref(root);
	if (st == AKIN_OK) st = fit(t, wanted, err);
	if (st == AKIN_OK)
		*out = t;
	else
		tokenizer_close(t);
	return st;
}

akin_status tokenizer_open(struct tokenizer **out, const char *path, const struct tokenizer_fit *wanted,
			   akin_error *err)
{
	struct buf json = BUF_EMPTY;
	akin_status st = fs_read(path, TOKENIZER_FILE_MAX, &json, err);

	*out = NULL;
	if (st == AKIN_OK) {
		st = tokenizer_parse(out, json.data ? json.data : "", json.len, wanted, err);
		error_note(err, st, "%s", path);
	}
	buf_deinit(&json);
	return st;
}

void tokenizer_close(struct tokenizer *t)
{
	if (!t) return;
	vocab_deinit(&t->added.plain);
	vocab_deinit(&t->added.normal);
	mem_free(t->added.token);
	steps_deinit(&t->normalize);
	steps_deinit(&t->split);
	vocab_deinit(&t->model.vocab);
	vocab_deinit(&t->model.continuing);
	mem_free(t->model.merge);
	mem_free(t->model.score);
	mem_free(t->before.id);
	mem_free(t->after.id);
	mem_free(t);
}

/* ---- encoding ---- */

akin_status ids_add(struct id_list *ids, int32_t id, akin_error *err)
{
	int32_t *moved = mem_grow(ids->id, &ids->capacity, ids->n, sizeof *ids->id);

	if (!moved) return error_nomem(err);
	ids->id = moved;
	if (ids->n >= TOKENIZER_REWRITTEN_MAX)
		return error_set(err, AKIN_ERR_LIMIT, "the tokenizer makes more than %d ids of this text",
				 TOKENIZER_REWRITTEN_MAX);
	ids->id[ids->n++] = id;
	return AKIN_OK;
}

static akin_status encode_word(const struct token_model *m, struct model_scratch *scratch, const char *word, size_t n,
			       struct id_list *ids, akin_error *err)
{
	switch (m->kind) {
	case MODEL_BPE: return bpe_encode(m, scratch, word, n, ids, err);
	case MODEL_UNIGRAM: return unigram_model_encode(m, scratch, word, n, ids, err);
	default: return wordpiece_encode(m, word, n, ids, err);
	}
}

static akin_status encode_pieces(const struct tokenizer *t, const struct pieces *pieces, struct id_list *ids,
				 akin_error *err)
{
	struct model_scratch scratch = { 0 };
	akin_status st = AKIN_OK;

	for (size_t i = 0; i < pieces->n && st == AKIN_OK; i++) {
		const struct piece *piece = &pieces->piece[i];

		if (piece->id >= 0)
			st = ids_add(ids, piece->id, err);
		else
			st = encode_word(&t->model, &scratch, pieces->text.data + piece->at, piece->bytes, ids, err);
	}
	mem_free(scratch.symbols);
	mem_free(scratch.heap);
	return st;
}

/* Stations 1 to 3 of tokenizer_parts.h. */
static akin_status encode_text(const struct tokenizer *t, const char *text, size_t n, struct id_list *ids,
			       akin_error *err)
{
	struct pieces a = { 0 }, b = { 0 };
	struct buf repaired = BUF_EMPTY;
	uint32_t budget = TOKENIZER_SEARCH_BUDGET;
	akin_status st;

	chars_repair(text, n, &repaired);
	st = repaired.failed ? error_nomem(err) : pieces_add(&a, repaired.data, repaired.len, -1, true, err);
	if (st == AKIN_OK) st = added_cut(&t->added, &t->added.plain, &a, &b, err);
	if (st == AKIN_OK) st = steps_run(&t->normalize, &b, &a, &budget, err);
	if (st == AKIN_OK) st = added_cut(&t->added, &t->added.normal, &b, &a, err);
	if (st == AKIN_OK) st = steps_run(&t->split, &a, &b, &budget, err);
	if (st == AKIN_OK) st = encode_pieces(t, &a, ids, err);
	buf_deinit(&repaired);
	pieces_deinit(&a);
	pieces_deinit(&b);
	return st;
}

static void put(struct token_ids *out, const int32_t *ids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		out->id[out->n] = ids[i];
		out->mask[out->n++] = 1;
	}
}

static void put_padding(const struct tokenizer *t, struct token_ids *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		out->id[out->n] = t->pad_id;
		out->mask[out->n++] = 0;
	}
}

/* Station 4. */
static akin_status frame(const struct tokenizer *t, const struct id_list *ids, struct token_ids *out, akin_error *err)
{
	const size_t special = t->before.n + t->after.n, room = t->length ? t->length - special : SIZE_MAX;
	const size_t kept = ids->n < room ? ids->n : room, n = kept + special;
	size_t padded = n > t->pad_length ? n : t->pad_length;
	int64_t *both;

	if (t->pad_multiple && padded % t->pad_multiple) padded += t->pad_multiple - padded % t->pad_multiple;
	if (!(both = mem_calloc(2 * padded + 2, sizeof *both))) return error_nomem(err);
	out->id = both;
	out->mask = both + padded + 1;
	if (t->pad_left) put_padding(t, out, padded - n);
	put(out, t->before.id, t->before.n);
	if (kept) put(out, ids->id + (t->cut_left ? ids->n - kept : 0), kept);
	put(out, t->after.id, t->after.n);
	if (!t->pad_left) put_padding(t, out, padded - n);
	return AKIN_OK;
}

akin_status tokenizer_encode(const struct tokenizer *t, const char *text, size_t bytes, struct token_ids *out,
			     akin_error *err)
{
	struct id_list ids = { 0 };
	akin_status st;

	*out = (struct token_ids){ 0 };
	if (bytes > TOKENIZER_TEXT_MAX)
		return error_set(err, AKIN_ERR_LIMIT, "the text has %zu bytes, more than %d", bytes,
				 TOKENIZER_TEXT_MAX);
	st = encode_text(t, text, bytes, &ids, err);
	if (st == AKIN_OK) st = frame(t, &ids, out, err);
	mem_free(ids.id);
	return st;
}

void token_ids_deinit(struct token_ids *ids)
{
	mem_free(ids->id);
	*ids = (struct token_ids){ 0 };
}
