/* feature/charsmap.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "feature/charsmap.h"

#include <stdbool.h>
#include <string.h>

akin_status charsmap_check(const struct charsmap *map, akin_error *err)
{
	if (map->text_bytes && map->text[map->text_bytes - 1] != '\0')
		return error_set(err, AKIN_ERR_FORMAT, "the last rule of the normaliser is not ended");
	return AKIN_OK;
}

/* ---- UTF-8 ---- */

/* How many bytes at the text's beginning are one valid character (*valid), or should be replaced by one. */
static size_t utf8_step(const uint8_t *text, size_t bytes, bool *valid)
{
	const uint8_t lead = text[0];
	const size_t n = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
	/* Of the second byte: neither longer than needed, nor a surrogate, nor beyond U+10FFFF. */
	const uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	const uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
	size_t i = 1;

	if (n > 1 && bytes > 1 && text[1] >= low && text[1] <= high)
		for (i = 2; i < n && i < bytes && (text[i] & 0xc0) == 0x80; i++) {
		}
	*valid = i == n;
	return i;
}

void utf8_repair(const char *text, size_t bytes, struct buf *out)
{
	size_t from = 0;
	bool valid;

	for (size_t at = 0, step; at < bytes; at += step) {
		step = utf8_step((const uint8_t *)text + at, bytes - at, &valid);
		if (valid) continue;
		buf_add(out, text + from, at - from);
		buf_puts(out, "\xef\xbf\xbd");
		from = at + step;
	}
	buf_add(out, text + from, bytes - from);
}

/* ---- rules ---- */

static size_t unit_offset(uint32_t unit)
{
	return (size_t)(unit >> 10) << ((unit & 0x200) >> 6);
}

size_t charsmap_prefix(const struct charsmap *map, const char *text, size_t bytes, const char **becomes,
		       size_t *becomes_bytes)
{
	size_t node = map->n_units ? unit_offset(map->units[0]) : 0, used = 0, place = 0;
	bool valid;

	*becomes = text;
	*becomes_bytes = 0;
	if (!bytes) return 0;
	for (size_t i = 0; i < bytes && map->n_units; i++) {
		const uint8_t c = (uint8_t)text[i];
		uint32_t unit;

		node ^= c;
		if (node >= map->n_units || ((unit = map->units[node]) & 0x800000ff) != c) break;
		node ^= unit_offset(unit);
		if (!(unit & 0x100)) continue;
		if (node >= map->n_units) break;
		used = i + 1;
		place = map->units[node] & 0x7fffffff;
	}
	if (used && place < map->text_bytes) {
		*becomes = map->text + place;
		*becomes_bytes = strlen(*becomes);
		return used;
	}
	return *becomes_bytes = utf8_step((const uint8_t *)text, bytes, &valid);
}

akin_status charsmap_normalise(const struct charsmap *map, const char *text, size_t bytes, size_t max_bytes,
			       struct buf *out, akin_error *err)
{
	const size_t symbol = strlen(SPACE_SYMBOL), start = out->len;
	bool after_space = true;
	const char *becomes;
	size_t n;

	for (size_t at = 0; at < bytes;) {
		at += charsmap_prefix(map, text + at, bytes - at, &becomes, &n);
		if (out->len == start && n == 1 && *becomes == ' ') continue;
		if (out->len == start) buf_add(out, SPACE_SYMBOL, symbol);
		for (; after_space && n && *becomes == ' '; n--) becomes++;
		if (n) after_space = becomes[n - 1] == ' ';
		for (; n; n--, becomes++)
			buf_add(out, *becomes == ' ' ? SPACE_SYMBOL : becomes, *becomes == ' ' ? symbol : 1);
		if (out->len - start > max_bytes)
			return error_set(err, AKIN_ERR_LIMIT, "the text becomes longer than %zu bytes", max_bytes);
		if (out->failed) return error_nomem(err);
	}
	while (out->len - start >= symbol && !memcmp(out->data + out->len - symbol, SPACE_SYMBOL, symbol))
		out->data[out->len -= symbol] = '\0';
	return out->failed ? error_nomem(err) : AKIN_OK;
}
