/* common/text.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "common/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "common/out.h"

/* The next character and its bytes; a byte that begins none is returned as -1 with length 1. */
static utf8proc_int32_t next(const char *s, size_t *len)
{
	utf8proc_int32_t code;
	utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)strnlen(s, 4), &code);

	*len = n > 0 ? (size_t)n : 1;
	return n > 0 ? code : -1;
}

static bool is_hidden(utf8proc_int32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* How a hidden character, or the byte at s, is shown; "" when it is shown as it is. */
static void escape_of(utf8proc_int32_t code, char byte, char out[16])
{
	out[0] = '\0';
	if (code == '\n') snprintf(out, 16, "\\n");
	else if (code == '\t') snprintf(out, 16, "\\t");
	else if (code == '\r') snprintf(out, 16, "\\r");
	else if (code < 0 || (code < 0x80 && is_hidden(code))) snprintf(out, 16, "\\x%02x", (unsigned char)byte);
	else if (is_hidden(code)) snprintf(out, 16, "\\u%04x", (unsigned)code);
}

static void put(FILE *out, const char *s, bool double_backslash)
{
	char escape[16];
	size_t len;

	for (; *s; s += len) {
		escape_of(next(s, &len), *s, escape);
		if (escape[0]) fputs(escape, out);
		else if (*s == '\\' && double_backslash) fputs("\\\\", out);
		else fwrite(s, 1, len, out);
	}
}

void text_put_visible(FILE *out, const char *s)
{
	put(out, s, false);
}

void text_put_escaped(FILE *out, const char *s)
{
	put(out, s, true);
}

unsigned text_width(const char *s)
{
	unsigned width = 0;
	char escape[16];
	size_t len;

	for (; *s; s += len) {
		utf8proc_int32_t code = next(s, &len);
		int columns;

		escape_of(code, *s, escape);
		columns = escape[0] ? (int)strlen(escape) : utf8proc_charwidth(code);
		if (columns > 0) width += (unsigned)columns;
	}
	return width;
}

void text_put_blanks(FILE *out, unsigned n)
{
	fprintf(out, "%*s", (int)n, "");
}

bool text_is_utf8(const char *s)
{
	size_t len;

	for (; *s; s += len)
		if (next(s, &len) < 0) return false;
	return true;
}

char *text_to_utf8(const char *s)
{
	static const char replacement[] = "\xef\xbf\xbd";
	char *out = must_zalloc(3 * strlen(s) + 1), *to = out;
	size_t len;

	for (; *s; s += len) {
		bool bad = next(s, &len) < 0;
		size_t n = bad ? 3 : len;

		memcpy(to, bad ? replacement : s, n);
		to += n;
	}
	return out;
}

char *text_base64(const void *bytes, size_t n)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *in = bytes;
	char *out = must_zalloc((n + 2) / 3 * 4 + 1), *to = out;

	for (size_t i = 0; i < n; i += 3) {
		size_t left = n - i;
		uint32_t word = (uint32_t)in[i] << 16;

		if (left > 1) word |= (uint32_t)in[i + 1] << 8;
		if (left > 2) word |= in[i + 2];
		*to++ = digit[word >> 18];
		*to++ = digit[word >> 12 & 63];
		*to++ = left > 1 ? digit[word >> 6 & 63] : '=';
		*to++ = left > 2 ? digit[word & 63] : '=';
	}
	return out;
}

void text_put_html(FILE *out, const char *s)
{
	char *clean = text_to_utf8(s);

	for (const char *p = clean; *p; p++) {
		switch (*p) {
		case '&': fputs("&amp;", out); break;
		case '<': fputs("&lt;", out); break;
		case '>': fputs("&gt;", out); break;
		case '"': fputs("&quot;", out); break;
		default: putc(*p, out);
		}
	}
	free(clean);
}

const char *text_number(uint64_t n, char out[TEXT_NUMBER])
{
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, n), to = 0;

	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0) out[to++] = ',';
		out[to++] = digits[i];
	}
	out[to] = '\0';
	return out;
}

const char *text_bytes(uint64_t n, char out[TEXT_NUMBER])
{
	static const char *const unit[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
	double value = (double)n / 1000;
	size_t i = 0;

	if (n < 1000) {
		snprintf(out, TEXT_NUMBER, "%" PRIu64 " bytes", n);
		return out;
	}
	/* 999.95 would be rounded to 1000.0 of the smaller unit. */
	for (; value >= 999.95 && i + 1 < COUNT(unit); i++) value /= 1000;
	snprintf(out, TEXT_NUMBER, "%.1f %s", value, unit[i]);
	return out;
}

void text_put_wrapped(FILE *out, const char *text, unsigned start, unsigned indent, unsigned width)
{
	unsigned column = start;
	bool at_start = true;

	while (*text) {
		size_t blank = strspn(text, " "), len = strcspn(text + blank, " \n");

		text += blank;
		if (len) {
			if (!at_start && column + 1 + len > width) {
				putc('\n', out);
				column = 0;
				at_start = true;
			}
			if (!at_start) putc(' ', out);
			if (column < indent) text_put_blanks(out, indent - column);
			column = at_start ? (column < indent ? indent : column) : column + 1;
			fwrite(text, 1, len, out);
			column += (unsigned)len;
			at_start = false;
			text += len;
		}
		if (*text == '\n') {
			bool paragraph = text[1] == '\n';

			text += paragraph ? 2 : 1;
			if (!paragraph) continue;
			fputs("\n\n", out);
			column = 0;
			at_start = true;
		}
	}
	putc('\n', out);
}
