/* image/metadata.c - putting down what the blocks of a file say.
 * SPDX-License-Identifier: Apache-2.0 */
#include "image/metadata.h"

#include <math.h>
#include <string.h>

#include <utf8proc.h>

#include "base/buf.h"
#include "base/date.h"

/* One character more: blanks in a row become one, as do empty lines, and there are none of them at the beginning. */
static void add_character(struct buf *out, utf8proc_int32_t c, bool lines)
{
	utf8proc_uint8_t bytes[4];

	if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xfeff) c = lines && c == '\n' ? '\n' : ' ';
	if (c == '\n' && (!out->len || out->data[out->len - 1] == '\n')) return;
	if (c == ' ' && (!out->len || out->data[out->len - 1] == ' ' || out->data[out->len - 1] == '\n')) return;
	buf_add(out, bytes, (size_t)utf8proc_encode_char(c, bytes));
}

static bool is_utf8(const uint8_t *p, size_t n)
{
	utf8proc_int32_t c;

	for (utf8proc_ssize_t used; n; p += used, n -= (size_t)used)
		if ((used = utf8proc_iterate(p, (utf8proc_ssize_t)n, &c)) <= 0) return false;
	return true;
}

/* A text that is cut in the middle of a character is UTF-8 up to there. */
static size_t whole_characters(const uint8_t *p, size_t n, size_t most)
{
	if (n <= most) return n;
	for (n = most; n && (p[n] & 0xc0) == 0x80; n--);
	return n;
}

static void take(struct metadata *m, enum fact_text which, struct buf *text)
{
	while (text->len && strchr(" \n", text->data[text->len - 1])) text->data[--text->len] = '\0';
	if (text->len && !text->failed) m->facts->text[which] = buf_take(text);
	m->failed |= text->failed;
	buf_deinit(text);
}

void metadata_text(struct metadata *m, enum fact_text which, const void *bytes, size_t n)
{
	const size_t most = which == FACT_SIDECAR ? FACT_SIDECAR_MAX : FACT_TEXT_MAX;
	const uint8_t *p = bytes;
	struct buf text = BUF_EMPTY;
	utf8proc_int32_t c;
	bool utf8;

	if (m->facts->text[which]) return;
	n = whole_characters(p, n, most);
	utf8 = is_utf8(p, n);
	for (utf8proc_ssize_t used = 1; n; p += used, n -= (size_t)used) {
		if (utf8) used = utf8proc_iterate(p, (utf8proc_ssize_t)n, &c);
		else c = *p;
		add_character(&text, c, which == FACT_SIDECAR || which == FACT_CAPTION);
	}
	take(m, which, &text);
}

void metadata_utf16(struct metadata *m, enum fact_text which, const uint8_t *p, size_t n)
{
	struct buf text = BUF_EMPTY;

	if (m->facts->text[which]) return;
	for (size_t i = 0; i + 1 < n && i < FACT_TEXT_MAX; i += 2) {
		utf8proc_int32_t c = p[i] | p[i + 1] << 8, low;

		if (!c) break;
		if (c >= 0xd800 && c < 0xdc00 && i + 3 < n && (low = p[i + 2] | p[i + 3] << 8) >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			i += 2;
		}
		if (c < 0xd800 || c >= 0xe000) add_character(&text, c, which == FACT_CAPTION);
	}
	take(m, which, &text);
}

static bool has_line(const char *lines, const char *line)
{
	size_t n = strlen(line);

	for (; lines; lines = strchr(lines, '\n') ? strchr(lines, '\n') + 1 : NULL)
		if (strcspn(lines, "\n") == n && !memcmp(lines, line, n)) return true;
	return false;
}

void metadata_keyword(struct metadata *m, const void *bytes, size_t n)
{
	char **all = &m->facts->text[FACT_KEYWORDS];
	struct facts one = { 0 };
	struct metadata word = { .facts = &one };
	struct buf joined = BUF_EMPTY;

	metadata_text(&word, FACT_TITLE, bytes, n);
	m->failed |= word.failed;
	if (one.text[FACT_TITLE] && !has_line(*all, one.text[FACT_TITLE]) &&
	    (*all ? strlen(*all) : 0) + strlen(one.text[FACT_TITLE]) < FACT_TEXT_MAX) {
		buf_printf(&joined, "%s%s%s", *all ? *all : "", *all ? "\n" : "", one.text[FACT_TITLE]);
		m->failed |= joined.failed;
		if (!joined.failed) {
			mem_free(*all);
			*all = buf_take(&joined);
		}
	}
	buf_deinit(&joined);
	facts_deinit(&one);
}

/* Clocks that were never set say the year 0 or 1970-01-01 00:00:00; photographs are not older than 1826. */
void metadata_taken(struct metadata *m, const char *text, size_t n)
{
	struct facts *f = m->facts;
	struct date date;
	bool has_zone;
	int zone;

	if (f->has_taken || n > 64 || !date_read(text, n, &date, &has_zone, &zone)) return;
	if (date.year < 1826 || !date_seconds(&date)) return;
	f->has_taken = true;
	f->taken = date_seconds(&date);
	f->has_zone = has_zone;
	f->zone_minutes = has_zone ? zone : 0;
}

/* Receivers without a fix write 0, 0. */
void metadata_place(struct metadata *m, double latitude, double longitude)
{
	struct facts *f = m->facts;

	if (f->has_place || !(fabs(latitude) <= 90) || !(fabs(longitude) <= 180)) return;
	if (fpclassify(latitude) == FP_ZERO && fpclassify(longitude) == FP_ZERO) return;
	f->has_place = true;
	f->latitude = latitude;
	f->longitude = longitude;
}

void metadata_rating(struct metadata *m, double rating)
{
	if (m->facts->has_rating || !(rating >= -1 && rating <= 5)) return;
	m->facts->has_rating = true;
	m->facts->rating = (int)rint(rating);
}
