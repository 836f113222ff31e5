/* base/fold.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/fold.h"

#include <string.h>

#include <utf8proc.h>

enum { ROOM = 64, REPLACEMENT = 0xfffd };

/* Accents and points that a reader leaves out when he searches. */
static bool is_accent(utf8proc_int32_t c)
{
	return (c >= 0x300 && c <= 0x36f) || (c >= 0x591 && c <= 0x5c7 && c != 0x5be) || (c >= 0x64b && c <= 0x652) || c == 0x640 ||
	       c == 0x670 || (c >= 0x1ab0 && c <= 0x1aff) || (c >= 0x1dc0 && c <= 0x1dff) || (c >= 0x20d0 && c <= 0x20ff) ||
	       (c >= 0xfe00 && c <= 0xfe0f) || (c >= 0xfe20 && c <= 0xfe2f);
}

/* Letters that Unicode does not take apart. */
static const char *plain_letters(utf8proc_int32_t c)
{
	switch (c) {
	case 0xe6: return "ae";
	case 0xf0:
	case 0x111: return "d";
	case 0xf8: return "o";
	case 0xfe: return "th";
	case 0x127: return "h";
	case 0x131: return "i";
	case 0x142: return "l";
	case 0x153: return "oe";
	case 0x167: return "t";
	default: return NULL;
	}
}

/* Letters that are waiting for the marks that may follow. */
struct pending {
	utf8proc_int32_t c[ROOM];
	utf8proc_ssize_t n;
};

static void flush(struct pending *p, struct buf *out)
{
	utf8proc_uint8_t bytes[4];

	if (p->n) p->n = utf8proc_normalize_utf32(p->c, p->n, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
	for (utf8proc_ssize_t i = 0; i < p->n; i++) {
		const char *letters = plain_letters(p->c[i]);

		if (letters) buf_puts(out, letters);
		else buf_add(out, bytes, (size_t)utf8proc_encode_char(p->c[i], bytes));
	}
	p->n = 0;
}

static void add(struct pending *p, utf8proc_int32_t c, struct buf *out)
{
	const utf8proc_option_t how = (utf8proc_option_t)(UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
	utf8proc_int32_t parts[ROOM / 2];
	int boundary = 0;
	utf8proc_ssize_t n = utf8proc_decompose_char(c, parts, COUNT(parts), how, &boundary);

	/* A letter that nothing before it can join; Korean letters are joined of letters. */
	const bool starts = n > 0 && !utf8proc_get_property(parts[0])->combining_class && (parts[0] < 0x1160 || parts[0] > 0x11ff);

	if (starts || p->n + n > ROOM) flush(p, out);
	for (utf8proc_ssize_t i = 0; i < n && i < (utf8proc_ssize_t)COUNT(parts); i++)
		if (!is_accent(parts[i])) p->c[p->n++] = parts[i];
}

void fold_text(const char *text, size_t n, struct buf *out)
{
	const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)text;
	struct pending pending = { .n = 0 };
	utf8proc_int32_t c;
	size_t at = 0;

	while (at < n) {
		utf8proc_ssize_t used;

		if (p[at] < 0x80) { /* most names are nothing but ASCII */
			char letter = (char)(p[at] >= 'A' && p[at] <= 'Z' ? p[at] + ('a' - 'A') : p[at]);

			flush(&pending, out);
			if (at + 1 < n && p[at + 1] >= 0x80) pending.c[pending.n++] = letter; /* an accent may follow */
			else buf_add(out, &letter, 1);
			at++;
			continue;
		}
		used = utf8proc_iterate(p + at, (utf8proc_ssize_t)(n - at), &c);
		if (used <= 0) used = 1, c = REPLACEMENT;
		add(&pending, c, out);
		at += (size_t)used;
	}
	flush(&pending, out);
}

char *fold_string(const char *text)
{
	struct buf out = BUF_EMPTY;

	buf_add(&out, "", 0);
	fold_text(text, strlen(text), &out);
	return buf_take(&out);
}
