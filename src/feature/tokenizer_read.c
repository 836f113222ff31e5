/* feature/tokenizer_read.c - a whole tokenizer.json: its parts in the order in which they need each other.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "feature/tokenizer_json.h"

/* ---- added tokens ---- */

/* The text that such a token is looked for by: as written, or as the normalizers leave it. */
static void add_text(struct reader *r, struct tokenizer *t, const char *text, size_t bytes, bool normalized,
		     int32_t index)
{
	struct pieces as_is = { 0 }, scratch = { 0 };
	uint32_t budget = TOKENIZER_SEARCH_BUDGET;
	akin_status st = AKIN_OK;

	if (normalized) {
		st = pieces_add(&as_is, text, bytes, -1, true, r->err);
		if (st == AKIN_OK) st = steps_run(&t->normalize, &as_is, &scratch, &budget, r->err);
		if (st == AKIN_OK && !as_is.n)
			st = error_set(r->err, AKIN_ERR_UNSUPPORTED, "the normalizer leaves nothing of it");
		if (st == AKIN_OK)
			st = vocab_add(&t->added.normal, as_is.text.data + as_is.piece[0].at, as_is.piece[0].bytes,
				       index, r->err);
	} else {
		st = vocab_add(&t->added.plain, text, bytes, index, r->err);
	}
	reader_fail(r, "content", st);
	pieces_deinit(&as_is);
	pieces_deinit(&scratch);
}

static void read_added_token(struct reader *r, const json_t *o, struct tokenizer *t, int32_t *next_id)
{
	static const char *const members[] = { "id",     "content",    "single_word", "lstrip",
					       "rstrip", "normalized", "special",     NULL };
	struct added_tokens *added = &t->added;
	struct added_token token = { 0 }, *moved;
	const char *text;
	int32_t known;
	size_t bytes;

	if (!reader_has_only(r, o, members)) return;
	text = reader_text(r, o, "content", true, &bytes);
	token.id = (int32_t)reader_number(r, o, "id", 0, INT32_MAX - 1, -1);
	token.single_word = reader_flag(r, o, "single_word", FLAG_REQUIRED);
	token.left_strip = reader_flag(r, o, "lstrip", FLAG_REQUIRED);
	token.right_strip = reader_flag(r, o, "rstrip", FLAG_REQUIRED);
	reader_flag(r, o, "special", FLAG_REQUIRED);
	if (text && !bytes) reader_wrong(r, "content", "is empty");
	if (r->st != AKIN_OK) return;
	/* `tokenizers` takes the vocabulary's id, or the next free one, whatever the file says. */
	known = vocab_find(&t->model.vocab, text, bytes);
	if (token.id != (known >= 0 ? known : (*next_id)++)) {
		reader_wrong(r, "id", "is neither what the vocabulary says nor the next after it");
		return;
	}
	if (!(moved = mem_grow(added->token, &added->capacity, added->n, sizeof *added->token))) {
		r->st = error_nomem(r->err);
		return;
	}
	added->token = moved;
	added->token[added->n++] = token;
	add_text(r, t, text, bytes, reader_flag(r, o, "normalized", FLAG_REQUIRED), (int32_t)added->n - 1);
}

static void read_added(struct reader *r, const json_t *list, struct tokenizer *t)
{
	const size_t entered = reader_enter(r, "added_tokens");
	int32_t next_id = (int32_t)t->model.vocab.n;

	if (t->model.kind == MODEL_UNIGRAM) next_id = (int32_t)t->model.n_scores;
	if (list && !json_is_null(list) && !json_is_array(list)) reader_wrong(r, "", "must be a list");
	for (size_t i = 0; i < json_array_size(list) && r->st == AKIN_OK; i++) {
		const size_t item = reader_enter_item(r, i);

		read_added_token(r, json_array_get(list, i), t, &next_id);
		reader_leave(r, item);
	}
	if (r->st == AKIN_OK) reader_fail(r, "", vocab_sort(&t->added.plain, r->err));
	if (r->st == AKIN_OK) reader_fail(r, "", vocab_sort(&t->added.normal, r->err));
	if (r->st == AKIN_OK && t->added.plain.n + t->added.normal.n != t->added.n)
		reader_wrong(r, "", "has the same token twice");
	reader_leave(r, entered);
}

/* ---- post-processors ---- */

static void add_special(struct reader *r, struct id_list *to, json_int_t id)
{
	if (r->st != AKIN_OK) return;
	if (id < 0 || id >= INT32_MAX)
		reader_wrong(r, "", "has an id that is no number from 0 to 2147483646");
	else if (to->n >= TOKENIZER_LENGTH_MAX)
		reader_wrong(r, "", "adds too many special tokens");
	else
		reader_fail(r, "", ids_add(to, (int32_t)id, r->err));
}

/* A SpecialToken's id names an entry of special_tokens, which has the numbers. */
static void add_named(struct reader *r, const json_t *special, const json_t *piece, struct id_list *to)
{
	const char *name = reader_text(r, piece, "id", true, NULL);
	const json_t *entry = name ? json_object_get(special, name) : NULL, *ids = json_object_get(entry, "ids");

	if (!json_is_array(ids)) reader_wrong(r, "id", "names no entry of \"special_tokens\" with \"ids\"");
	for (size_t i = 0; i < json_array_size(ids) && r->st == AKIN_OK; i++) {
		const json_t *id = json_array_get(ids, i);
		add_special(r, to, json_is_integer(id) ? json_integer_value(id) : -1);
	}
}

static void read_template(struct reader *r, const json_t *o, struct tokenizer *t)
{
	static const char *const members[] = { "type", "single", "pair", "special_tokens", NULL };
	static const char *const kinds[] = { "SpecialToken", "Sequence", NULL };
	static const char *const names[] = { "A", NULL };
	const json_t *single = json_object_get(o, "single"), *special = json_object_get(o, "special_tokens");
	const size_t entered = reader_enter(r, "single");
	size_t texts = 0;

	if (!json_is_array(single)) reader_wrong(r, "", "must be a list");
	for (size_t i = 0; i < json_array_size(single) && r->st == AKIN_OK; i++) {
		const json_t *item = json_array_get(single, i), *token = json_object_get(item, "SpecialToken");
		const json_t *text = json_object_get(item, "Sequence"), *piece = token ? token : text;
		const size_t at = reader_enter_item(r, i);

		if (!reader_has_only(r, item, kinds)) break;
		if (!piece || (token && text)) reader_wrong(r, "", "must be one of \"SpecialToken\" and \"Sequence\"");
		if (reader_number(r, piece, "type_id", 0, INT32_MAX, 0) != 0)
			reader_unknown(r, "type_id", "is not 0, which akin does not pass on");
		if (token)
			add_named(r, special, token, texts ? &t->after : &t->before);
		else if (piece)
			reader_choice(r, piece, "id", names, -1), texts++;
		reader_leave(r, at);
	}
	if (r->st == AKIN_OK && texts != 1) reader_wrong(r, "", "must have the sequence A once");
	reader_leave(r, entered);
	reader_has_only(r, o, members);
}

/* ["[SEP]", 102] */
static void add_pair(struct reader *r, const json_t *o, const char *member, struct id_list *to)
{
	const json_t *pair = json_object_get(o, member), *id = json_array_get(pair, 1);

	if (json_array_size(pair) != 2 || !json_is_integer(id))
		reader_wrong(r, member, "must be [text, id]");
	else
		add_special(r, to, json_integer_value(id));
}

static void read_post(struct reader *r, const json_t *o, struct tokenizer *t, unsigned depth)
{
	static const char *const types[] = { "TemplateProcessing", "RobertaProcessing", "BertProcessing",
					     "ByteLevel",          "Sequence",          NULL };
	static const char *const members[][6] = {
		{ "type", "single", "pair", "special_tokens" },
		{ "type", "sep", "cls", "trim_offsets", "add_prefix_space" },
		{ "type", "sep", "cls" },
		{ "type", "add_prefix_space", "trim_offsets", "use_regex" },
		{ "type", "processors" },
	};
	const json_t *list = json_object_get(o, "processors");
	int type;

	if (r->st != AKIN_OK || !o || json_is_null(o)) return;
	type = reader_choice(r, o, "type", types, -1);
	if (!reader_has_only(r, o, members[type])) return;
	if (type <= 2 && t->before.n + t->after.n)
		reader_unknown(r, "type", "frames the text a second time, which akin does not do");
	if (type == 0) read_template(r, o, t);
	if (type == 1 || type == 2) add_pair(r, o, "cls", &t->before), add_pair(r, o, "sep", &t->after);
	if (type != 4) return;
	if (!json_is_array(list) || depth == TOKENIZER_DEPTH_MAX)
		reader_wrong(r, "processors", "must be a list, not nested deeply");
	for (size_t i = 0; i < json_array_size(list) && r->st == AKIN_OK; i++) {
		const size_t entered = reader_enter(r, "processors"), item = reader_enter_item(r, i);

		read_post(r, json_array_get(list, i), t, depth + 1);
		reader_leave(r, item);
		reader_leave(r, entered);
	}
}

/* ---- length ---- */

static const char *const directions[] = { "Right", "Left", NULL };

static void read_truncation(struct reader *r, const json_t *o, struct tokenizer *t)
{
	static const char *const members[] = { "direction", "max_length", "strategy", "stride", NULL };
	static const char *const strategies[] = { "LongestFirst", "OnlyFirst", NULL };
	const size_t entered = reader_enter(r, "truncation");

	if (o && !json_is_null(o) && reader_has_only(r, o, members)) {
		t->cut_left = reader_choice(r, o, "direction", directions, 0) == 1;
		t->length = (size_t)reader_number(r, o, "max_length", 1, TOKENIZER_LENGTH_MAX, 0);
		reader_choice(r, o, "strategy", strategies, -1);
	}
	reader_leave(r, entered);
}

static void read_padding(struct reader *r, const json_t *o, struct tokenizer *t)
{
	static const char *const members[] = { "strategy",  "direction", "pad_to_multiple_of", "pad_id", "pad_type_id",
					       "pad_token", NULL };
	static const char *const strategies[] = { "BatchLongest", NULL }, *const fixed[] = { "Fixed", NULL };
	const json_t *strategy = json_object_get(o, "strategy");
	const size_t entered = reader_enter(r, "padding");

	if (o && !json_is_null(o) && reader_has_only(r, o, members)) {
		if (!json_is_object(strategy))
			reader_choice(r, o, "strategy", strategies, -1);
		else if (reader_has_only(r, strategy, fixed))
			t->pad_length = (size_t)reader_number(r, strategy, "Fixed", 0, TOKENIZER_LENGTH_MAX, -1);
		t->pad_left = reader_choice(r, o, "direction", directions, -1) == 1;
		t->pad_multiple = (size_t)reader_number(r, o, "pad_to_multiple_of", 0, TOKENIZER_LENGTH_MAX, 0);
		t->pad_id = (int32_t)reader_number(r, o, "pad_id", 0, INT32_MAX - 1, -1);
	}
	reader_leave(r, entered);
}

/* ---- all ---- */

akin_status tokenizer_read(struct tokenizer *t, const json_t *root, akin_error *err)
{
	static const char *const members[] = {
		"version",       "truncation",     "padding", "added_tokens", "normalizer",
		"pre_tokenizer", "post_processor", "decoder", "model",        NULL
	};
	struct reader r = { AKIN_OK, err, "" };
	const char *version;
	size_t entered;

	if (!reader_has_only(&r, root, members)) return r.st;
	version = reader_text(&r, root, "version", false, NULL);
	if (version && strcmp(version, "1.0") != 0) reader_unknown(&r, "version", "is not 1.0");
	entered = reader_enter(&r, "model");
	read_model(&r, json_object_get(root, "model"), &t->model);
	reader_leave(&r, entered);
	entered = reader_enter(&r, "normalizer");
	read_normalizer(&r, json_object_get(root, "normalizer"), &t->normalize, 0);
	reader_leave(&r, entered);
	entered = reader_enter(&r, "pre_tokenizer");
	read_pre_tokenizer(&r, json_object_get(root, "pre_tokenizer"), &t->split, 0);
	reader_leave(&r, entered);
	if (r.st == AKIN_OK) read_added(&r, json_object_get(root, "added_tokens"), t);
	entered = reader_enter(&r, "post_processor");
	read_post(&r, json_object_get(root, "post_processor"), t, 0);
	reader_leave(&r, entered);
	read_truncation(&r, json_object_get(root, "truncation"), t);
	read_padding(&r, json_object_get(root, "padding"), t);
	return r.st;
}
