/* feature/tokenizer_chars.c - what kind of character is this, by Unicode's tables (utf8proc).
 * SPDX-License-Identifier: Apache-2.0 */
#include <utf8proc.h>

#include "feature/tokenizer_parts.h"

enum { REPLACEMENT = 0xFFFD };

int32_t char_at(const char *s, size_t n, size_t *bytes)
{
	utf8proc_int32_t code = REPLACEMENT;
	utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)n, &code);

	*bytes = used > 0 ? (size_t)used : 1;
	return used > 0 ? code : REPLACEMENT;
}

size_t char_write(int32_t code, char out[4])
{
	return (size_t)utf8proc_encode_char(code, (utf8proc_uint8_t *)out);
}

/* How many bytes of a broken sequence one U+FFFD stands for: the longest beginning of a valid one (Unicode 3.9,
 * "maximal subparts"), as Python and Rust do. */
static size_t broken_bytes(const uint8_t *s, size_t n)
{
	uint8_t low = 0x80, high = 0xBF;
	size_t wanted = s[0] >= 0xC2 && s[0] <= 0xDF   ? 2
			: s[0] >= 0xE0 && s[0] <= 0xEF ? 3
			: s[0] >= 0xF0 && s[0] <= 0xF4 ? 4
						       : 1;

	if (s[0] == 0xE0) low = 0xA0;
	if (s[0] == 0xED) high = 0x9F;
	if (s[0] == 0xF0) low = 0x90;
	if (s[0] == 0xF4) high = 0x8F;
	for (size_t i = 1; i < wanted; i++) {
		if (i >= n || s[i] < low || s[i] > high) return i;
		low = 0x80;
		high = 0xBF;
	}
	return 1;
}

void chars_repair(const char *text, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n;) {
		utf8proc_int32_t code;
		utf8proc_ssize_t used =
		    utf8proc_iterate((const utf8proc_uint8_t *)text + i, (utf8proc_ssize_t)(n - i), &code);

		if (used > 0) {
			buf_add(out, text + i, (size_t)used);
			i += (size_t)used;
		} else {
			buf_add(out, "\xEF\xBF\xBD", 3);
			i += broken_bytes((const uint8_t *)text + i, n - i);
		}
	}
}

bool char_is_space(int32_t c)
{
	return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
	       (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/* utf8proc has no Alphabetic property: what letters, marks and letter numbers do not cover of it are circled and
 * squared letters. */
static bool is_enclosed_letter(int32_t c)
{
	return (c >= 0x24B6 && c <= 0x24E9) || (c >= 0x1F130 && c <= 0x1F149) || (c >= 0x1F150 && c <= 0x1F169) ||
	       (c >= 0x1F170 && c <= 0x1F189);
}

bool char_is_word(int32_t c)
{
	const utf8proc_category_t category = utf8proc_category(c);

	return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NL) ||
	       category == UTF8PROC_CATEGORY_PC || c == 0x200C || c == 0x200D || is_enclosed_letter(c);
}

bool char_is_number(int32_t c)
{
	const utf8proc_category_t category = utf8proc_category(c);

	return category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
}

bool char_is_punctuation(int32_t c)
{
	const utf8proc_category_t category = utf8proc_category(c);

	if (c < 0x80)
		return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
		       (c >= '{' && c <= '~');
	return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

bool char_is_mark(int32_t c)
{
	const utf8proc_category_t category = utf8proc_category(c);

	return category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME;
}

bool char_is_nonspacing(int32_t c)
{
	return utf8proc_category(c) == UTF8PROC_CATEGORY_MN;
}

bool char_is_control(int32_t c)
{
	const utf8proc_category_t category = utf8proc_category(c);

	if (c == '\t' || c == '\n' || c == '\r') return false;
	return category >= UTF8PROC_CATEGORY_CC && category <= UTF8PROC_CATEGORY_CO;
}

bool char_is_cjk(int32_t c)
{
	return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
	       (c >= 0x2A700 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) || (c >= 0xF900 && c <= 0xFAFF) ||
	       (c >= 0x2F800 && c <= 0x2FA1F);
}

/* Dotted capital I is the only character that becomes two. */
size_t char_lower(int32_t c, int32_t out[2])
{
	if (c == 0x130) {
		out[0] = 'i';
		out[1] = 0x307;
		return 2;
	}
	out[0] = utf8proc_tolower(c);
	return 1;
}

/* Bytes that are visible in Latin-1 stand for themselves; the others follow from U+0100 in order. */
int32_t char_of_byte(uint8_t byte)
{
	if (byte <= 0x20) return 0x100 + byte;
	if (byte < 0x7F) return byte;
	if (byte <= 0xA0) return 0x121 + (byte - 0x7F);
	if (byte == 0xAD) return 0x143;
	return byte;
}
