/* image/exif.c - TIFF directories with what a camera knew: EXIF 2.32 (CIPA DC-008). Every offset is hostile; directories do
 * not follow one another here, so there is nothing to run in circles.
 * SPDX-License-Identifier: Apache-2.0 */
#include "image/metadata.h"

#include <math.h>
#include <string.h>

enum { MAX_ENTRIES = 512 };

enum tag {
	TAG_DESCRIPTION = 0x10e,
	TAG_MAKE = 0x10f,
	TAG_MODEL = 0x110,
	TAG_DATE = 0x132,
	TAG_ARTIST = 0x13b,
	TAG_XMP = 0x2bc,
	TAG_RATING = 0x4746,
	TAG_IPTC = 0x83bb,
	TAG_EXIF = 0x8769,
	TAG_GPS = 0x8825,
	TAG_DATE_TAKEN = 0x9003,
	TAG_DATE_DIGITISED = 0x9004,
	TAG_ZONE = 0x9010,
	TAG_ZONE_TAKEN = 0x9011,
	TAG_ZONE_DIGITISED = 0x9012,
	TAG_COMMENT = 0x9286,
	TAG_XP_TITLE = 0x9c9b,
	TAG_XP_COMMENT = 0x9c9c,
	TAG_XP_AUTHOR = 0x9c9d,
	TAG_XP_KEYWORDS = 0x9c9e,
	TAG_LENS_MODEL = 0xa434
};

enum type { TYPE_BYTE = 1, TYPE_ASCII = 2, TYPE_SHORT = 3, TYPE_LONG = 4, TYPE_RATIONAL = 5, TYPE_UNDEFINED = 7 };

struct tiff {
	const uint8_t *bytes;
	size_t n;
	bool big_endian;
};

struct entry {
	unsigned tag, type;
	size_t count;
	const uint8_t *data; /* count items, all within the block */
	size_t bytes;
};

static uint32_t number(const struct tiff *t, const uint8_t *p, unsigned bytes)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < bytes; i++) v |= (uint32_t)p[i] << 8 * (t->big_endian ? bytes - 1 - i : i);
	return v;
}

static bool open_tiff(struct tiff *t, const uint8_t *bytes, size_t n)
{
	if (n >= 6 && !memcmp(bytes, "Exif\0", 5)) bytes += 6, n -= 6;
	*t = (struct tiff){ bytes, n, n && bytes[0] == 'M' };
	if (n < 8 || (memcmp(bytes, "II", 2) != 0 && memcmp(bytes, "MM", 2) != 0)) return false;
	/* 42, or what Olympus and Panasonic write instead. */
	return number(t, bytes + 2, 2) == 42 || number(t, bytes + 2, 2) == 0x55 || !memcmp(bytes, "IIRO", 4) ||
	       !memcmp(bytes, "IIRS", 4);
}

static bool read_entry(const struct tiff *t, size_t at, struct entry *e)
{
	static const uint8_t sizes[] = { 0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8 };
	const uint8_t *p = t->bytes + at;
	size_t offset;

	*e = (struct entry){ .tag = number(t, p, 2), .type = number(t, p + 2, 2), .count = number(t, p + 4, 4) };
	if (!e->type || e->type >= COUNT(sizes) || e->count > t->n) return false;
	e->bytes = e->count * sizes[e->type];
	e->data = p + 8;
	if (e->bytes <= 4) return true;
	offset = number(t, p + 8, 4);
	if (offset > t->n || e->bytes > t->n - offset) return false;
	e->data = t->bytes + offset;
	return true;
}

/* Calls `each` for the sound entries of the directory at `at`. */
static void read_directory(const struct tiff *t, size_t at, void (*each)(void *ctx, const struct tiff *t, const struct entry *e),
                           void *ctx)
{
	size_t n;
	struct entry e;

	if (at < 8 || at > t->n - 2) return;
	n = number(t, t->bytes + at, 2);
	if (n > MAX_ENTRIES) return;
	for (at += 2; n-- && t->n - at >= 12; at += 12)
		if (read_entry(t, at, &e)) each(ctx, t, &e);
}

/* The characters before the first NUL. */
static size_t ascii(const struct entry *e)
{
	const uint8_t *end = e->bytes ? memchr(e->data, 0, e->bytes) : NULL;

	return e->type != TYPE_ASCII ? 0 : end ? (size_t)(end - e->data) : e->bytes;
}

static size_t without_blanks(const struct entry *e)
{
	size_t n = ascii(e);

	while (n && e->data[n - 1] == ' ') n--;
	return n;
}

static bool rational(const struct tiff *t, const struct entry *e, size_t i, double *out)
{
	uint32_t over, under;

	if (e->type != TYPE_RATIONAL || i >= e->count) return false;
	over = number(t, e->data + 8 * i, 4);
	under = number(t, e->data + 8 * i + 4, 4);
	*out = under ? (double)over / (double)under : 0;
	return under != 0;
}

/* ---- what is read on the way ---- */

struct when {
	char text[40];
	size_t n;
};

struct exif {
	struct metadata *m, *texts;
	struct blocks *inner;
	uint32_t exif_at, gps_at;
	struct when date[3], zone[3]; /* taken, digitised, changed */
	char latitude_ref, longitude_ref;
	double latitude, longitude, altitude; /* NAN: not said */
	bool below_sea;
};

static void keep_date(struct when *when, const struct entry *e)
{
	size_t n = without_blanks(e);

	if (n >= sizeof when->text) return;
	memcpy(when->text, e->data, n);
	when->n = n;
}

static void keep_text(struct metadata *m, enum fact_text which, const struct entry *e)
{
	size_t n = ascii(e);

	if (n) metadata_text(m, which, e->data, n);
}

/* Eight bytes name the characters: ASCII, UNICODE (UTF-16), or nothing. */
static void keep_comment(struct exif *x, const struct tiff *t, const struct entry *e)
{
	const uint8_t *p = e->data + 8, *end;
	uint8_t swapped[FACT_TEXT_MAX];
	size_t n;

	if (e->bytes <= 8 || (e->type != TYPE_UNDEFINED && e->type != TYPE_ASCII)) return;
	n = e->bytes - 8;
	if (!memcmp(e->data, "UNICODE", 8)) {
		if (n > sizeof swapped) n = sizeof swapped;
		for (size_t i = 0; i + 1 < n; i += 2) {
			swapped[i] = p[i + t->big_endian];
			swapped[i + 1] = p[i + !t->big_endian];
		}
		metadata_utf16(x->texts, FACT_CAPTION, swapped, n / 2 * 2);
	} else if (!memcmp(e->data, "ASCII\0\0", 8) || !memcmp(e->data, "\0\0\0\0\0\0\0", 8)) {
		end = memchr(p, 0, n);
		metadata_text(x->texts, FACT_CAPTION, p, end ? (size_t)(end - p) : n);
	}
}

static void keep_keywords(struct exif *x, const struct entry *e)
{
	struct facts line = { 0 };
	struct metadata m = { .facts = &line };

	metadata_utf16(&m, FACT_TITLE, e->data, e->bytes);
	for (const char *word = line.text[FACT_TITLE]; word; word = strchr(word, ';') ? strchr(word, ';') + 1 : NULL)
		metadata_keyword(x->texts, word, strcspn(word, ";"));
	x->m->failed |= m.failed;
	facts_deinit(&line);
}

static void read_exif_tag(void *ctx, const struct tiff *t, const struct entry *e)
{
	struct exif *x = ctx;

	(void)t;
	switch ((enum tag)e->tag) {
	case TAG_DATE_TAKEN: keep_date(&x->date[0], e); break;
	case TAG_DATE_DIGITISED: keep_date(&x->date[1], e); break;
	case TAG_ZONE_TAKEN: keep_date(&x->zone[0], e); break;
	case TAG_ZONE_DIGITISED: keep_date(&x->zone[1], e); break;
	case TAG_ZONE: keep_date(&x->zone[2], e); break;
	case TAG_LENS_MODEL: keep_text(x->m, FACT_LENS, e); break;
	case TAG_COMMENT: keep_comment(x, t, e); break;
	default: break;
	}
}

static void read_main_tag(void *ctx, const struct tiff *t, const struct entry *e)
{
	struct exif *x = ctx;

	switch ((enum tag)e->tag) {
	case TAG_DESCRIPTION: keep_text(x->texts, FACT_CAPTION, e); break;
	case TAG_MAKE: keep_text(x->m, FACT_MAKE, e); break;
	case TAG_MODEL: keep_text(x->m, FACT_MODEL, e); break;
	case TAG_DATE: keep_date(&x->date[2], e); break;
	case TAG_ARTIST: keep_text(x->texts, FACT_CREATOR, e); break;
	case TAG_XP_TITLE: metadata_utf16(x->texts, FACT_TITLE, e->data, e->bytes); break;
	case TAG_XP_COMMENT: metadata_utf16(x->texts, FACT_CAPTION, e->data, e->bytes); break;
	case TAG_XP_AUTHOR: metadata_utf16(x->texts, FACT_CREATOR, e->data, e->bytes); break;
	case TAG_XP_KEYWORDS: keep_keywords(x, e); break;
	case TAG_RATING:
		if (e->type == TYPE_SHORT && e->count == 1) metadata_rating(x->m, number(t, e->data, 2));
		break;
	case TAG_EXIF:
		if (e->type == TYPE_LONG && e->count == 1) x->exif_at = number(t, e->data, 4);
		break;
	case TAG_GPS:
		if (e->type == TYPE_LONG && e->count == 1) x->gps_at = number(t, e->data, 4);
		break;
	case TAG_XMP:
		if (x->inner) x->inner->xmp = (struct slice){ e->data, e->bytes };
		break;
	case TAG_IPTC:
		if (x->inner) x->inner->iptc = (struct slice){ e->data, e->bytes };
		break;
	default: break;
	}
}

/* Degrees, minutes, seconds; the last two may be missing. */
static double angle(const struct tiff *t, const struct entry *e)
{
	double degrees, minutes = 0, seconds = 0;

	if (e->count < 1 || e->count > 3 || !rational(t, e, 0, &degrees)) return NAN;
	if (e->count > 1 && !rational(t, e, 1, &minutes)) return NAN;
	/* Some write 0/0 for seconds that are in the minutes' fraction. */
	if (e->count > 2) (void)rational(t, e, 2, &seconds);
	return minutes >= 60 || seconds > 60 ? NAN : degrees + minutes / 60 + seconds / 3600;
}

static void read_gps_tag(void *ctx, const struct tiff *t, const struct entry *e)
{
	struct exif *x = ctx;

	switch (e->tag) {
	case 1: x->latitude_ref = ascii(e) ? (char)e->data[0] : 0; break;
	case 2: x->latitude = angle(t, e); break;
	case 3: x->longitude_ref = ascii(e) ? (char)e->data[0] : 0; break;
	case 4: x->longitude = angle(t, e); break;
	case 5: x->below_sea = e->type == TYPE_BYTE && e->bytes && e->data[0] == 1; break;
	case 6:
		if (!rational(t, e, 0, &x->altitude)) x->altitude = NAN;
		break;
	default: break;
	}
}

static void settle_place(struct exif *x)
{
	bool south = x->latitude_ref == 'S', west = x->longitude_ref == 'W';
	struct facts *f = x->m->facts;

	if ((!south && x->latitude_ref != 'N') || (!west && x->longitude_ref != 'E')) return;
	metadata_place(x->m, south ? -x->latitude : x->latitude, west ? -x->longitude : x->longitude);
	if (!f->has_place || f->has_altitude || !(x->altitude < 1e5)) return;
	f->has_altitude = true;
	f->altitude = x->below_sea ? -x->altitude : x->altitude;
}

/* The date of the last change counts only in a camera's file: other programs write when they stored it. */
static void settle_date(struct exif *x)
{
	for (int i = 0; i < 3 && !x->m->facts->has_taken; i++) {
		char both[sizeof x->date[i].text + sizeof x->zone[i].text];
		size_t n = x->date[i].n;

		if (!n || (i == 2 && !x->m->facts->text[FACT_MODEL])) continue;
		memcpy(both, x->date[i].text, n);
		memcpy(both + n, x->zone[i].text, x->zone[i].n);
		metadata_taken(x->m, both, n + x->zone[i].n);
		if (!x->m->facts->has_taken) metadata_taken(x->m, both, n); /* an odd zone must not cost the time */
	}
}

void exif_read(struct metadata *m, struct metadata *texts, struct blocks *inner, const uint8_t *bytes, size_t n)
{
	struct exif x = { .m = m, .texts = texts, .inner = inner, .latitude = NAN, .longitude = NAN, .altitude = NAN };
	struct tiff t;

	if (!open_tiff(&t, bytes, n)) return;
	read_directory(&t, number(&t, t.bytes + 4, 4), read_main_tag, &x);
	read_directory(&t, x.exif_at, read_exif_tag, &x);
	read_directory(&t, x.gps_at, read_gps_tag, &x);
	settle_place(&x);
	settle_date(&x);
}
