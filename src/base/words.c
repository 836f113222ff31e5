/* base/words.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/words.h"

#include <utf8proc.h>

#include "base/status.h"

enum { WORD_MAX_BYTES = 256 }; /* the rest of a longer one is a word of its own */

enum class { BLANK, LETTER, SIGN, MARK };

static bool is_sign(utf8proc_int32_t c)
{
	static const struct {
		utf8proc_int32_t first, last;
	} ranges[] = {
		{ 0x0e00, 0x0eff },   /* Thai, Lao */
		{ 0x1000, 0x109f },   /* Burmese */
		{ 0x1100, 0x11ff },   /* Korean letters */
		{ 0x1780, 0x17ff },   /* Khmer */
		{ 0x2600, 0x27bf },   /* pictures among the symbols */
		{ 0x2e80, 0x2fdf },   /* Chinese radicals */
		{ 0x3005, 0x3007 },   { 0x3040, 0x30ff }, /* Japanese */
		{ 0x3105, 0x312f },   { 0x3130, 0x318f }, { 0x31a0, 0x31bf }, { 0x31f0, 0x31ff },
		{ 0x3400, 0x4dbf },   { 0x4e00, 0x9fff }, /* Chinese */
		{ 0xac00, 0xd7ff },   /* Korean syllables */
		{ 0xf900, 0xfaff },   { 0x1f000, 0x1faff }, /* emoji */
		{ 0x20000, 0x3ffff },
	};

	for (size_t i = 0; c >= ranges[0].first && i < COUNT(ranges); i++)
		if (c >= ranges[i].first && c <= ranges[i].last) return true;
	return false;
}

static enum class class_of(utf8proc_int32_t c)
{
	switch (utf8proc_category(c)) {
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_MC:
	case UTF8PROC_CATEGORY_ME: return MARK;
	case UTF8PROC_CATEGORY_SK: /* the colours of emoji's skins */
		return c >= 0x1f3fb && c <= 0x1f3ff ? MARK : BLANK;
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_ND:
	case UTF8PROC_CATEGORY_NL:
	case UTF8PROC_CATEGORY_NO: return is_sign(c) && c != 0x30fb ? SIGN : LETTER;
	case UTF8PROC_CATEGORY_SO: return is_sign(c) ? SIGN : BLANK;
	default: return BLANK;
	}
}

static enum class read(const char *text, size_t n, size_t at, size_t *bytes)
{
	const unsigned char first = (unsigned char)text[at];
	utf8proc_int32_t c;
	utf8proc_ssize_t used;

	*bytes = 1;
	if (first < 0x80)
		return (first >= '0' && first <= '9') || ((first | 32) >= 'a' && (first | 32) <= 'z') ? LETTER : BLANK;
	used = utf8proc_iterate((const utf8proc_uint8_t *)text + at, (utf8proc_ssize_t)(n - at), &c);
	if (used <= 0) return BLANK;
	*bytes = (size_t)used;
	return class_of(c);
}

bool word_next(const char *text, size_t n, size_t *at, struct word *out)
{
	enum class first = BLANK, next;
	size_t start, bytes = 0;

	for (; *at < n; *at += bytes)
		if ((first = read(text, n, *at, &bytes)) == LETTER || first == SIGN) break;
	if (*at >= n) return false;
	for (start = *at; *at < n && *at - start < WORD_MAX_BYTES; *at += bytes)
		if ((next = read(text, n, *at, &bytes)) != first && next != MARK) break;
	*out = (struct word){ text + start, *at - start, first == SIGN };
	return true;
}

size_t word_sign(const char *run, size_t n)
{
	size_t bytes, end;

	(void)read(run, n, 0, &end);
	while (end < n && read(run, n, end, &bytes) == MARK) end += bytes;
	return end < n ? end : n;
}
