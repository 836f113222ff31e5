/* image/iptc.c - IPTC-IIM records (version 4), and where JPEGs keep them and the other blocks.
 * SPDX-License-Identifier: Apache-2.0 */
#include "image/metadata.h"

#include <string.h>

enum { IPTC_RESOURCE = 0x0404 };

static size_t big16(const uint8_t *p)
{
	return (size_t)p[0] << 8 | p[1];
}

/* ---- segments of a JPEG ---- */

static bool begins(const struct slice *s, const char *word, size_t n)
{
	return s->n >= n && !memcmp(s->bytes, word, n);
}
#define BEGINS(slice, word) begins(slice, word, sizeof(word) - 1)

static void take_segment(unsigned marker, struct slice s, struct blocks *out)
{
	static const char xmp[] = "http://ns.adobe.com/xap/1.0/"; /* a zero follows */

	if (marker == 0xe1 && BEGINS(&s, "Exif\0") && !out->exif.n) out->exif = s;
	else if (marker == 0xe1 && begins(&s, xmp, sizeof xmp) && !out->xmp.n)
		out->xmp = (struct slice){ s.bytes + sizeof xmp, s.n - sizeof xmp };
	else if (marker == 0xed && BEGINS(&s, "Photoshop 3.0") && !out->iptc.n) out->iptc = s;
}

void jpeg_blocks(const uint8_t *bytes, size_t n, struct blocks *out)
{
	*out = (struct blocks){ 0 };
	for (size_t at = 2; at + 4 <= n && bytes[at] == 0xff;) {
		const unsigned marker = bytes[at + 1];
		const size_t length = big16(bytes + at + 2);

		if (marker == 0xff) {
			at++; /* fill bytes */
			continue;
		}
		if (marker == 0xda || marker == 0xd9 || length < 2 || length > n - at - 2) return;
		take_segment(marker, (struct slice){ bytes + at + 4, length - 2 }, out);
		at += 2 + length;
	}
}

/* ---- Photoshop's resources: "8BIM", number, name, length, bytes; each padded to an even length ---- */

static struct slice find_resource(const uint8_t *p, size_t n)
{
	size_t at = 14; /* behind "Photoshop 3.0" and its zero */

	while (at + 12 <= n && !memcmp(p + at, "8BIM", 4)) {
		unsigned kind = (unsigned)big16(p + at + 4);
		size_t name = ((size_t)p[at + 6] + 2) & ~(size_t)1, length;

		at += 6 + name;
		if (at + 4 > n) break;
		length = big16(p + at) << 16 | big16(p + at + 2);
		at += 4;
		if (length > n - at) break;
		if (kind == IPTC_RESOURCE) return (struct slice){ p + at, length };
		at += (length + 1) & ~(size_t)1;
	}
	return (struct slice){ 0 };
}

/* ---- records ---- */

struct moment {
	char date[9], time[12]; /* CCYYMMDD; HHMMSS and a zone, or nothing */
};

static void keep(char *to, size_t room, const uint8_t *p, size_t n)
{
	if (n >= room) return;
	memcpy(to, p, n);
	to[n] = '\0';
}

static void read_record(struct metadata *m, struct moment *when, unsigned which, const uint8_t *p, size_t n)
{
	switch (which) {
	case 5: metadata_text(m, FACT_TITLE, p, n); break;
	case 105: metadata_text(m, FACT_TITLE, p, n); break; /* the headline, if there is no name */
	case 120: metadata_text(m, FACT_CAPTION, p, n); break;
	case 80: metadata_text(m, FACT_CREATOR, p, n); break;
	case 25:  /* keyword */
	case 90:  /* city */
	case 92:  /* place in it */
	case 95:  /* province */
	case 101: /* country */ metadata_keyword(m, p, n); break;
	case 55: keep(when->date, sizeof when->date, p, n); break;
	case 60: keep(when->time, sizeof when->time, p, n); break;
	default: break;
	}
}

static void settle_moment(struct metadata *m, const struct moment *when)
{
	const char *d = when->date, *t = when->time;
	char text[40];
	int n;

	if (strlen(d) != 8) return;
	n = snprintf(text, sizeof text, "%.4s-%.2s-%.2s", d, d + 4, d + 6);
	if (strlen(t) >= 6) n += snprintf(text + n, sizeof text - (size_t)n, "T%.2s:%.2s:%.2s%s", t, t + 2, t + 4, t + 6);
	metadata_taken(m, text, (size_t)n);
}

void iptc_read(struct metadata *m, const uint8_t *bytes, size_t n)
{
	struct slice s = { bytes, n };
	struct moment when = { { 0 }, { 0 } };

	if (BEGINS(&s, "Photoshop 3.0")) s = find_resource(bytes, n);
	/* 0x1c, record, dataset, length; a length of 32 KiB and more is written otherwise and not read. */
	for (size_t at = 0; at + 5 <= s.n && s.bytes[at] == 0x1c;) {
		const size_t length = big16(s.bytes + at + 3);

		if (length > s.n - at - 5) break;
		if (s.bytes[at + 1] == 2) read_record(m, &when, s.bytes[at + 2], s.bytes + at + 5, length);
		at += 5 + length;
	}
	settle_moment(m, &when);
}
