/* feature/tokenizer_charsmap.c - SentencePiece's table of replacements (its NFKC and more), as `Precompiled` holds it:
 * base64 of [bytes of the trie, u32][double array trie, u32 units][texts, each ended by a 0].
 *
 * `tokenizers` asks the table for a whole grapheme when that is short, and takes the shortest entry found at its start;
 * this does the same, so that the ids agree.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <utf8proc.h>

#include "base/alloc.h"
#include "feature/tokenizer_parts.h"

enum { GRAPHEME_MAX = 6 };

struct charsmap {
	uint8_t *bytes;
	size_t n_units, n_text;
	const char *text;
};

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z') return c - 'A';
	if (c >= 'a' && c <= 'z') return c - 'a' + 26;
	if (c >= '0' && c <= '9') return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decode into `out` of at least n / 4 * 3 + 3 bytes; false when it is no base64. */
static bool base64_decode(const char *s, size_t n, uint8_t *out, size_t *bytes)
{
	uint32_t bits = 0;
	unsigned held = 0;

	*bytes = 0;
	while (n && s[n - 1] == '=') n--;
	for (size_t i = 0; i < n; i++) {
		const int digit = base64_digit(s[i]);

		if (digit < 0) return false;
		bits = (bits << 6 | (uint32_t)digit) & 0xFFFFFF;
		held += 6;
		if (held < 8) continue;
		held -= 8;
		out[(*bytes)++] = (uint8_t)(bits >> held);
	}
	return n % 4 != 1;
}

static uint32_t unit_at(const struct charsmap *map, size_t i)
{
	const uint8_t *b = map->bytes + 4 + 4 * i;

	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static bool is_utf8(const char *s, size_t n)
{
	utf8proc_ssize_t used;
	utf8proc_int32_t code;

	for (size_t i = 0; i < n; i += (size_t)used)
		if ((used = utf8proc_iterate((const utf8proc_uint8_t *)s + i, (utf8proc_ssize_t)(n - i), &code)) <= 0)
			return false;
	return true;
}

akin_status charsmap_create(struct charsmap **out, const char *base64, size_t n, akin_error *err)
{
	struct charsmap *map = mem_zalloc(sizeof *map);
	size_t bytes = 0, trie;
	akin_status st = AKIN_OK;

	*out = NULL;
	if (!map || !(map->bytes = mem_alloc(n / 4 * 3 + 8))) {
		st = error_nomem(err);
	} else if (!base64_decode(base64, n, map->bytes, &bytes) || bytes < 4) {
		st = error_set(err, AKIN_ERR_FORMAT, "the table is no base64");
	} else {
		trie = (size_t)map->bytes[0] | (size_t)map->bytes[1] << 8 | (size_t)map->bytes[2] << 16 |
		       (size_t)map->bytes[3] << 24;
		map->n_units = trie / 4;
		if (!trie || trie % 4 || trie > bytes - 4) {
			st = error_set(err, AKIN_ERR_FORMAT, "the table says %zu bytes for its trie and has %zu", trie,
				       bytes);
		} else {
			map->text = (const char *)map->bytes + 4 + trie;
			map->n_text = bytes - 4 - trie;
			if (!is_utf8(map->text, map->n_text))
				st = error_set(err, AKIN_ERR_FORMAT, "the table's texts are no UTF-8");
		}
	}
	if (st == AKIN_OK)
		*out = map;
	else
		charsmap_destroy(map);
	return st;
}

void charsmap_destroy(struct charsmap *map)
{
	if (!map) return;
	mem_free(map->bytes);
	mem_free(map);
}

/* Where the replaced text of the shortest entry at the start of `s` lies; false: there is none. */
static bool look_up(const struct charsmap *map, const char *s, size_t n, uint32_t *value)
{
	uint32_t unit = unit_at(map, 0);
	size_t at = 0;

	for (size_t i = 0; i <= n; i++) {
		at ^= (size_t)(unit >> 10) << ((unit & 0x200) >> 6);
		if (at >= map->n_units) return false;
		if (i && unit & 0x100) {
			*value = unit_at(map, at) & 0x7FFFFFFF;
			return true;
		}
		if (i == n || !s[i]) return false;
		at ^= (uint8_t)s[i];
		if (at >= map->n_units) return false;
		unit = unit_at(map, at);
		if ((unit & 0x800000FF) != (uint8_t)s[i]) return false;
	}
	return false;
}

static akin_status add_replaced(const struct charsmap *map, const char *s, size_t n, struct buf *out, bool *done,
				akin_error *err)
{
	uint32_t at = 0;

	*done = look_up(map, s, n, &at);
	if (!*done) return AKIN_OK;
	if (at >= map->n_text || ((uint8_t)map->text[at] & 0xC0) == 0x80)
		return error_set(err, AKIN_ERR_FORMAT,
				 "the tokenizer's table of replacements points outside its texts");
	return out_add(out, map->text + at, strnlen(map->text + at, map->n_text - at), err);
}

static akin_status apply_grapheme(const struct charsmap *map, const char *s, size_t n, struct buf *out, akin_error *err)
{
	bool done = false;
	akin_status st = n < GRAPHEME_MAX ? add_replaced(map, s, n, out, &done, err) : AKIN_OK;
	size_t bytes;

	for (size_t i = 0; i < n && !done && st == AKIN_OK; i += bytes) {
		bool replaced;

		char_at(s + i, n - i, &bytes);
		st = add_replaced(map, s + i, bytes, out, &replaced, err);
		if (st == AKIN_OK && !replaced) st = out_add(out, s + i, bytes, err);
	}
	return st;
}

akin_status charsmap_apply(const struct charsmap *map, const char *in, size_t n, struct buf *out, akin_error *err)
{
	akin_status st = AKIN_OK;
	size_t start = 0, i = 0, bytes;
	utf8proc_int32_t state = 0, before = 0;

	for (; i < n && st == AKIN_OK; i += bytes) {
		const int32_t c = char_at(in + i, n - i, &bytes);

		if (i && utf8proc_grapheme_break_stateful(before, c, &state)) {
			st = apply_grapheme(map, in + start, i - start, out, err);
			start = i;
		}
		before = c;
	}
	if (st == AKIN_OK && start < n) st = apply_grapheme(map, in + start, n - start, out, err);
	return st;
}
