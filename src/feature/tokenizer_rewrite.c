/* feature/tokenizer_rewrite.c - steps that rewrite one piece: Unicode forms, case, blanks, replacements, bytes.
 *
 * Besides the text, a step keeps `leading`: whether the piece still begins with the first character of the whole text.
 * What drops or swallows that character ends it, as the alignment that `tokenizers` keeps does.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <utf8proc.h>

#include "base/alloc.h"
#include "feature/tokenizer_parts.h"

akin_status out_add(struct buf *out, const char *bytes, size_t n, akin_error *err)
{
	if (n > TOKENIZER_REWRITTEN_MAX || out->len + n > TOKENIZER_REWRITTEN_MAX)
		return error_set(err, AKIN_ERR_LIMIT, "the tokenizer makes more than %d bytes of this text",
				 TOKENIZER_REWRITTEN_MAX);
	buf_add(out, bytes, n);
	return out->failed ? error_nomem(err) : AKIN_OK;
}

akin_status out_char(struct buf *out, int32_t c, akin_error *err)
{
	char bytes[4];
	const size_t n = char_write(c, bytes);

	return out_add(out, bytes, n, err);
}

static akin_status unicode_form(enum step_kind kind, const char *in, size_t n, struct buf *out, akin_error *err)
{
	const bool compose = kind == STEP_NFC || kind == STEP_NFKC, compat = kind == STEP_NFKC || kind == STEP_NFKD;
	const utf8proc_option_t options =
	    (utf8proc_option_t)(UTF8PROC_STABLE | (compose ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE) |
				(compat ? UTF8PROC_COMPAT : 0));
	utf8proc_ssize_t room = utf8proc_decompose((const utf8proc_uint8_t *)in, (utf8proc_ssize_t)n, NULL, 0, options);
	utf8proc_int32_t *codes;
	akin_status st = AKIN_OK;

	if (room < 0) return error_set(err, AKIN_ERR_FORMAT, "the text cannot be normalized");
	if (room > TOKENIZER_REWRITTEN_MAX) return out_add(out, in, (size_t)room, err);
	if (!(codes = mem_alloc(((size_t)room + 1) * sizeof *codes))) return error_nomem(err);
	room = utf8proc_decompose((const utf8proc_uint8_t *)in, (utf8proc_ssize_t)n, codes, room, options);
	room = utf8proc_normalize_utf32(codes, room, options);
	for (utf8proc_ssize_t i = 0; i < room && st == AKIN_OK; i++) st = out_char(out, codes[i], err);
	mem_free(codes);
	return st;
}

static akin_status strip(const struct step *step, const char *in, size_t n, bool *leading, struct buf *out,
			 akin_error *err)
{
	size_t start = 0, end = 0, bytes;
	bool seen = false;

	for (size_t i = 0; i < n; i += bytes) {
		if (char_is_space(char_at(in + i, n - i, &bytes))) continue;
		if (!seen) start = i;
		seen = true;
		end = i + bytes;
	}
	if (!seen && (step->left || step->right)) return AKIN_OK;
	if (!step->left) start = 0;
	if (!step->right) end = n;
	if (start) *leading = false;
	return out_add(out, in + start, end - start, err);
}

static bool is_dropped_by_clean(int32_t c)
{
	return c == 0 || c == 0xFFFD || char_is_control(c);
}

static bool is_dropped_by_nmt(int32_t c)
{
	return (c >= 1 && c <= 8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F;
}

static int32_t nmt_space(int32_t c)
{
	return c == 9 || c == 0xA || c == 0xC || c == 0xD || c == 0x1680 || (c >= 0x200B && c <= 0x200F) ||
		       c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF || c == 0xFFFD
		   ? ' '
		   : c;
}

static akin_status one_char(const struct step *step, int32_t c, struct buf *out, bool *dropped, akin_error *err)
{
	int32_t lower[2];
	akin_status st = AKIN_OK;

	switch (step->kind) {
	case STEP_LOWERCASE:
		for (size_t i = 0, n = char_lower(c, lower); i < n && st == AKIN_OK; i++)
			st = out_char(out, lower[i], err);
		return st;
	case STEP_DROP: *dropped = step->drop(c); return *dropped ? AKIN_OK : out_char(out, c, err);
	case STEP_CLEAN:
		*dropped = is_dropped_by_clean(c);
		return *dropped ? AKIN_OK : out_char(out, char_is_space(c) ? ' ' : c, err);
	case STEP_NMT: *dropped = is_dropped_by_nmt(c); return *dropped ? AKIN_OK : out_char(out, nmt_space(c), err);
	default: /* STEP_SPACE_CJK */
		if (!char_is_cjk(c)) return out_char(out, c, err);
		if ((st = out_char(out, ' ', err)) == AKIN_OK) st = out_char(out, c, err);
		return st == AKIN_OK ? out_char(out, ' ', err) : st;
	}
}

static akin_status each_char(const struct step *step, const char *in, size_t n, bool *leading, struct buf *out,
			     akin_error *err)
{
	akin_status st = AKIN_OK;
	size_t bytes;

	for (size_t i = 0; i < n && st == AKIN_OK; i += bytes) {
		bool dropped = false;

		st = one_char(step, char_at(in + i, n - i, &bytes), out, &dropped, err);
		if (dropped && i == 0) *leading = false;
	}
	return st;
}

static akin_status replace(const struct step *step, const char *in, size_t n, bool *leading, struct buf *out,
			   uint32_t *budget, akin_error *err)
{
	struct pattern_run *run;
	size_t done = 0, start = 0, end = 0, first;
	bool found = true;
	akin_status st = pattern_run_create(&run, &step->pattern, in, n, budget, err);

	if (st != AKIN_OK) return st;
	while (st == AKIN_OK && n) {
		st = pattern_next(run, &start, &end, &found, err);
		if (st != AKIN_OK || !found) break;
		if (!start && end) {
			char_at(in, n, &first);
			if (!step->content_bytes || end > first) *leading = false;
		}
		st = out_add(out, in + done, start - done, err);
		if (st == AKIN_OK) st = out_add(out, step->content, step->content_bytes, err);
		done = end;
	}
	if (st == AKIN_OK) st = out_add(out, in + done, n - done, err);
	pattern_run_destroy(run);
	return st;
}

static akin_status prepend(const struct step *step, const char *in, size_t n, bool leading, struct buf *out,
			   akin_error *err)
{
	const bool there = n >= step->content_bytes && !memcmp(in, step->content, step->content_bytes);
	akin_status st = AKIN_OK;

	if (n && (step->prepend == PREPEND_ALWAYS || (!there && (leading || step->prepend == PREPEND_IF_MISSING))))
		st = out_add(out, step->content, step->content_bytes, err);
	return st == AKIN_OK ? out_add(out, in, n, err) : st;
}

akin_status step_rewrite(const struct step *step, const char *in, size_t n, bool *leading, struct buf *out,
			 uint32_t *budget, akin_error *err)
{
	akin_status st = AKIN_OK;

	switch (step->kind) {
	case STEP_NFC:
	case STEP_NFD:
	case STEP_NFKC:
	case STEP_NFKD: return unicode_form(step->kind, in, n, out, err);
	case STEP_STRIP: return strip(step, in, n, leading, out, err);
	case STEP_REPLACE: return replace(step, in, n, leading, out, budget, err);
	case STEP_PREPEND: return prepend(step, in, n, *leading, out, err);
	case STEP_CHARSMAP: return charsmap_apply(step->charsmap, in, n, out, err);
	case STEP_BYTES:
		for (size_t i = 0; i < n && st == AKIN_OK; i++) st = out_char(out, char_of_byte((uint8_t)in[i]), err);
		return st;
	default: return each_char(step, in, n, leading, out, err);
	}
}
