/* feature/tokenizer_read_steps.c - normalizers and pre-tokenizers of a tokenizer.json, as lists of steps.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "feature/tokenizer_json.h"

/* What GPT-2 cuts by: contractions, words with the blank before them, numbers, signs, blanks. */
static const char gpt2_words[] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

static struct step *add_step(struct reader *r, struct steps *steps, enum step_kind kind)
{
	if (r->st != AKIN_OK) return NULL;
	if (steps->n == TOKENIZER_STEPS_MAX) {
		reader_wrong(r, "", "has too many steps");
		return NULL;
	}
	steps->step[steps->n] = (struct step){ .kind = kind };
	return &steps->step[steps->n++];
}

static void set_content(struct reader *r, struct step *step, const char *text, size_t bytes)
{
	if (!step || r->st != AKIN_OK || !text) return;
	if (!(step->content = mem_alloc(bytes + 1))) {
		r->st = error_nomem(r->err);
		return;
	}
	memcpy(step->content, text, bytes);
	step->content_bytes = bytes;
}

static struct step *add_split(struct reader *r, struct steps *steps, enum step_cut cut, enum step_behaviour behaviour)
{
	struct step *step = add_step(r, steps, STEP_SPLIT);

	if (!step) return NULL;
	step->cut = cut;
	step->behaviour = behaviour;
	return step;
}

static void set_literal(struct reader *r, struct step *step, const char *text, size_t bytes)
{
	if (step && r->st == AKIN_OK && text)
		reader_fail(r, "pattern", pattern_literal(&step->pattern, text, bytes, r->err));
}

/* {"String": "..."} or {"Regex": "..."} */
static void set_pattern(struct reader *r, struct step *step, const json_t *object)
{
	static const char *const forms[] = { "String", "Regex", NULL };
	const json_t *pattern = json_object_get(object, "pattern");
	const char *text;
	size_t entered, bytes;

	if (!step || r->st != AKIN_OK) return;
	entered = reader_enter(r, "pattern");
	if (reader_has_only(r, pattern, forms)) {
		if (json_object_size(pattern) != 1) reader_wrong(r, "", "must have one of \"String\" and \"Regex\"");
		if ((text = reader_text(r, pattern, "Regex", false, &bytes)))
			reader_fail(r, "Regex", pattern_compile(&step->pattern, text, bytes, r->err));
		else if ((text = reader_text(r, pattern, "String", true, &bytes)) && !bytes)
			reader_unknown(r, "String", "is empty, which akin does not search for");
		else if (text)
			reader_fail(r, "String", pattern_literal(&step->pattern, text, bytes, r->err));
	}
	reader_leave(r, entered);
}

/* ---- normalizers ---- */

static void read_bert(struct reader *r, const json_t *o, struct steps *steps)
{
	const bool lower = reader_flag(r, o, "lowercase", FLAG_REQUIRED),
		   strip = reader_flag(r, o, "strip_accents", lower);

	if (reader_flag(r, o, "clean_text", FLAG_REQUIRED)) add_step(r, steps, STEP_CLEAN);
	if (reader_flag(r, o, "handle_chinese_chars", FLAG_REQUIRED)) add_step(r, steps, STEP_SPACE_CJK);
	if (strip) {
		struct step *drop;

		add_step(r, steps, STEP_NFD);
		if ((drop = add_step(r, steps, STEP_DROP))) drop->drop = char_is_nonspacing;
	}
	if (lower) add_step(r, steps, STEP_LOWERCASE);
}

static void read_strip(struct reader *r, const json_t *o, struct steps *steps)
{
	struct step *step = add_step(r, steps, STEP_STRIP);

	if (!step) return;
	step->left = reader_flag(r, o, "strip_left", FLAG_REQUIRED);
	step->right = reader_flag(r, o, "strip_right", FLAG_REQUIRED);
}

static void read_strip_accents(struct reader *r, const json_t *o, struct steps *steps)
{
	struct step *step = add_step(r, steps, STEP_DROP);

	(void)o;
	if (step) step->drop = char_is_mark;
}

static void read_replace(struct reader *r, const json_t *o, struct steps *steps)
{
	struct step *step = add_step(r, steps, STEP_REPLACE);
	size_t bytes;
	const char *content = reader_text(r, o, "content", true, &bytes);

	set_pattern(r, step, o);
	set_content(r, step, content, bytes);
}

static void read_prepend(struct reader *r, const json_t *o, struct steps *steps)
{
	struct step *step = add_step(r, steps, STEP_PREPEND);
	size_t bytes;
	const char *content = reader_text(r, o, "prepend", true, &bytes);

	set_content(r, step, content, bytes);
}

static void read_precompiled(struct reader *r, const json_t *o, struct steps *steps)
{
	struct step *step = add_step(r, steps, STEP_CHARSMAP);
	size_t bytes;
	const char *table = reader_text(r, o, "precompiled_charsmap", true, &bytes);

	if (step && table)
		reader_fail(r, "precompiled_charsmap", charsmap_create(&step->charsmap, table, bytes, r->err));
}

static void read_nfc(struct reader *r, const json_t *o, struct steps *s)
{
	(void)o, add_step(r, s, STEP_NFC);
}
static void read_nfd(struct reader *r, const json_t *o, struct steps *s)
{
	(void)o, add_step(r, s, STEP_NFD);
}
static void read_nfkc(struct reader *r, const json_t *o, struct steps *s)
{
	(void)o, add_step(r, s, STEP_NFKC);
}
static void read_nfkd(struct reader *r, const json_t *o, struct steps *s)
{
	(void)o, add_step(r, s, STEP_NFKD);
}
static void read_lowercase(struct reader *r, const json_t *o, struct steps *s)
{
	(void)o, add_step(r, s, STEP_LOWERCASE);
}
static void read_nmt(struct reader *r, const json_t *o, struct steps *s)
{
	(void)o, add_step(r, s, STEP_NMT);
}
static void read_bytes(struct reader *r, const json_t *o, struct steps *s)
{
	(void)o, add_step(r, s, STEP_BYTES);
}

/* ---- pre-tokenizers ---- */

static const char *const behaviours[] = { "Removed",        "Isolated",   "MergedWithPrevious",
					  "MergedWithNext", "Contiguous", NULL };

static void read_byte_level(struct reader *r, const json_t *o, struct steps *steps)
{
	const bool prefix = reader_flag(r, o, "add_prefix_space", FLAG_REQUIRED),
		   regex = reader_flag(r, o, "use_regex", 1);
	struct step *step;

	if (prefix && (step = add_step(r, steps, STEP_PREPEND))) {
		step->prepend = PREPEND_IF_MISSING;
		set_content(r, step, " ", 1);
	}
	if (regex && (step = add_split(r, steps, CUT_PATTERN, SPLIT_ISOLATED)))
		reader_fail(r, "use_regex", pattern_compile(&step->pattern, gpt2_words, sizeof gpt2_words - 1, r->err));
	add_step(r, steps, STEP_BYTES);
}

static void read_split(struct reader *r, const json_t *o, struct steps *steps)
{
	const int behaviour = reader_choice(r, o, "behavior", behaviours, -1);
	struct step *step = add_split(r, steps, CUT_PATTERN, (enum step_behaviour)behaviour);

	set_pattern(r, step, o);
	if (step) step->invert = reader_flag(r, o, "invert", FLAG_REQUIRED);
}

static void read_delimiter(struct reader *r, const json_t *o, struct steps *steps)
{
	struct step *step = add_split(r, steps, CUT_PATTERN, SPLIT_REMOVED);
	size_t bytes, first = 0;
	const char *text = reader_text(r, o, "delimiter", true, &bytes);

	if (text) char_at(text, bytes, &first);
	if (text && (!bytes || bytes != first)) reader_wrong(r, "delimiter", "must be one character");
	set_literal(r, step, text, bytes);
}

static void read_metaspace(struct reader *r, const json_t *o, struct steps *steps)
{
	static const char *const schemes[] = { "always", "first", "never", NULL };
	const int scheme =
	    reader_choice(r, o, "prepend_scheme", schemes, reader_flag(r, o, "add_prefix_space", 1) ? 0 : 2);
	const char *text;
	size_t bytes, first = 0;
	struct step *step;

	text = reader_text(r, o, "replacement", true, &bytes);
	if (text) char_at(text, bytes, &first);
	if (text && (!bytes || bytes != first)) reader_wrong(r, "replacement", "must be one character");
	if (!reader_flag(r, o, "add_prefix_space", 1) && scheme != 2)
		reader_wrong(r, "add_prefix_space", "contradicts \"prepend_scheme\"");
	step = add_step(r, steps, STEP_REPLACE);
	set_literal(r, step, " ", 1);
	set_content(r, step, text, bytes);
	if (scheme != 2 && (step = add_step(r, steps, STEP_PREPEND))) {
		step->prepend = scheme == 0 ? PREPEND_IF_MISSING : PREPEND_IF_LEADING;
		set_content(r, step, text, bytes);
	}
	if (reader_flag(r, o, "split", 1))
		set_literal(r, add_split(r, steps, CUT_PATTERN, SPLIT_WITH_NEXT), text, bytes);
}

static void read_punctuation(struct reader *r, const json_t *o, struct steps *steps)
{
	add_split(r, steps, CUT_PUNCTUATION,
		  (enum step_behaviour)reader_choice(r, o, "behavior", behaviours, SPLIT_ISOLATED));
}

static void read_digits(struct reader *r, const json_t *o, struct steps *steps)
{
	const bool single = reader_flag(r, o, "individual_digits", FLAG_REQUIRED);

	add_split(r, steps, CUT_NUMBER, single ? SPLIT_ISOLATED : SPLIT_CONTIGUOUS);
}

static void read_whitespace(struct reader *r, const json_t *o, struct steps *steps)
{
	(void)o;
	add_split(r, steps, CUT_WORDS, SPLIT_REMOVED);
}

static void read_whitespace_split(struct reader *r, const json_t *o, struct steps *steps)
{
	(void)o;
	add_split(r, steps, CUT_SPACE, SPLIT_REMOVED);
}

static void read_bert_words(struct reader *r, const json_t *o, struct steps *steps)
{
	(void)o;
	add_split(r, steps, CUT_SPACE, SPLIT_REMOVED);
	add_split(r, steps, CUT_PUNCTUATION, SPLIT_ISOLATED);
}

/* ---- both ---- */

struct part {
	const char *type;
	void (*read)(struct reader *r, const json_t *object, struct steps *steps);
	const char *members[8]; /* besides "type" */
};

static const struct part normalizers[] = {
	{ "BertNormalizer", read_bert, { "type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase" } },
	{ "Strip", read_strip, { "type", "strip_left", "strip_right" } },
	{ "StripAccents", read_strip_accents, { "type" } },
	{ "Replace", read_replace, { "type", "pattern", "content" } },
	{ "Prepend", read_prepend, { "type", "prepend" } },
	{ "Precompiled", read_precompiled, { "type", "precompiled_charsmap" } },
	{ "NFC", read_nfc, { "type" } },
	{ "NFD", read_nfd, { "type" } },
	{ "NFKC", read_nfkc, { "type" } },
	{ "NFKD", read_nfkd, { "type" } },
	{ "Lowercase", read_lowercase, { "type" } },
	{ "Nmt", read_nmt, { "type" } },
	{ "ByteLevel", read_bytes, { "type" } },
	{ NULL, NULL, { NULL } },
};

static const struct part pre_tokenizers[] = {
	{ "ByteLevel", read_byte_level, { "type", "add_prefix_space", "trim_offsets", "use_regex" } },
	{ "Split", read_split, { "type", "pattern", "behavior", "invert" } },
	{ "CharDelimiterSplit", read_delimiter, { "type", "delimiter" } },
	{ "Metaspace",
	  read_metaspace,
	  { "type", "replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep" } },
	{ "Punctuation", read_punctuation, { "type", "behavior" } },
	{ "Digits", read_digits, { "type", "individual_digits" } },
	{ "Whitespace", read_whitespace, { "type" } },
	{ "WhitespaceSplit", read_whitespace_split, { "type" } },
	{ "BertPreTokenizer", read_bert_words, { "type" } },
	{ NULL, NULL, { NULL } },
};

static void read_part(struct reader *r, const json_t *value, const struct part *parts, const char *list,
		      struct steps *steps, unsigned depth)
{
	const char *const of_sequence[] = { "type", list, NULL };
	const char *type;

	if (r->st != AKIN_OK || !value || json_is_null(value)) return;
	if (!(type = reader_text(r, value, "type", true, NULL))) return;
	if (!strcmp(type, "Sequence")) {
		const json_t *items = json_object_get(value, list);
		const size_t entered = reader_enter(r, list);

		if (!json_is_array(items)) reader_wrong(r, "", "must be a list");
		if (depth == TOKENIZER_DEPTH_MAX) reader_wrong(r, "", "is nested too deeply");
		for (size_t i = 0; i < json_array_size(items) && r->st == AKIN_OK; i++) {
			const size_t item = reader_enter_item(r, i);

			read_part(r, json_array_get(items, i), parts, list, steps, depth + 1);
			reader_leave(r, item);
		}
		reader_leave(r, entered);
		reader_has_only(r, value, of_sequence);
		return;
	}
	while (parts->type && strcmp(parts->type, type) != 0) parts++;
	if (!parts->type)
		reader_unknown(r, "type", "has a value that akin does not know");
	else if (reader_has_only(r, value, parts->members))
		parts->read(r, value, steps);
}

void read_normalizer(struct reader *r, const json_t *value, struct steps *steps, unsigned depth)
{
	read_part(r, value, normalizers, "normalizers", steps, depth);
}

void read_pre_tokenizer(struct reader *r, const json_t *value, struct steps *steps, unsigned depth)
{
	read_part(r, value, pre_tokenizers, "pretokenizers", steps, depth);
}
