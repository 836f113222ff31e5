/* image/xmp.c - XMP packets (ISO 16684-1): RDF in XML, read with expat. Properties stand as elements or as attributes;
 * arrays hold their items in rdf:li. A document type, which XMP has no use for, ends the reading: no entities, no surprises.
 * SPDX-License-Identifier: Apache-2.0 */
#include "image/metadata.h"

#include <expat.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

enum { MAX_BYTES = 4 << 20, MAX_DEPTH = 64 };

enum property {
	NOTHING, TITLE, HEADLINE, CAPTION, CREATOR, KEYWORD, PATH_KEYWORD, RATING, TAKEN, LATITUDE, LONGITUDE, ALTITUDE,
	ALTITUDE_REF, MAKE, MODEL, LENS
};

#define DC "http://purl.org/dc/elements/1.1/\n"
#define XAP "http://ns.adobe.com/xap/1.0/\n"
#define EXIF "http://ns.adobe.com/exif/1.0/\n"
#define PHOTOSHOP "http://ns.adobe.com/photoshop/1.0/\n"
#define TIFF "http://ns.adobe.com/tiff/1.0/\n"
#define RDF "http://www.w3.org/1999/02/22-rdf-syntax-ns#\n"

static const struct {
	const char *name;
	enum property property;
} names[] = {
	{ DC "title", TITLE },
	{ DC "description", CAPTION },
	{ DC "creator", CREATOR },
	{ DC "subject", KEYWORD },
	{ XAP "Rating", RATING },
	{ EXIF "DateTimeOriginal", TAKEN },
	{ EXIF "GPSLatitude", LATITUDE },
	{ EXIF "GPSLongitude", LONGITUDE },
	{ EXIF "GPSAltitude", ALTITUDE },
	{ EXIF "GPSAltitudeRef", ALTITUDE_REF },
	{ PHOTOSHOP "DateCreated", TAKEN },
	{ PHOTOSHOP "Headline", HEADLINE },
	{ PHOTOSHOP "City", KEYWORD },
	{ PHOTOSHOP "State", KEYWORD },
	{ PHOTOSHOP "Country", KEYWORD },
	{ TIFF "Make", MAKE },
	{ TIFF "Model", MODEL },
	{ "http://ns.adobe.com/exif/1.0/aux/\nLens", LENS },
	{ "http://cipa.jp/exif/1.0/\nLensModel", LENS },
	{ "http://ns.adobe.com/lightroom/1.0/\nhierarchicalSubject", PATH_KEYWORD },
	{ "http://www.digikam.org/ns/1.0/\nTagsList", PATH_KEYWORD },
};

struct packet {
	struct metadata *m;
	XML_Parser parser;
	unsigned depth, property_depth; /* of the element that is the property */
	enum property property;
	struct buf text;
	double latitude, longitude, altitude;
	bool below_sea;
};

static enum property property_of(const char *name)
{
	for (size_t i = 0; i < COUNT(names); i++)
		if (!strcmp(names[i].name, name)) return names[i].property;
	return NOTHING;
}

/* "48,51,30N" or "48,51.5N", as degrees. */
static double angle(const char *text, const char *directions)
{
	double value = 0, unit = 1;
	size_t n = strlen(text);
	char copy[64];

	if (n < 2 || n >= sizeof copy || (text[n - 1] != directions[0] && text[n - 1] != directions[1])) return NAN;
	memcpy(copy, text, n);
	copy[n - 1] = '\0';
	for (char *part = copy; part; unit /= 60) {
		char *comma = strchr(part, ',');
		double v;

		if (comma) *comma++ = '\0';
		if (!str_to_double(part, 0, 180, &v) || (unit < 1 && v > 60) || unit < 1. / 3600) return NAN;
		value += v * unit;
		part = comma;
	}
	return text[n - 1] == directions[1] ? -value : value;
}

/* "123", "123.4" or "1234/10". */
static double fraction(char *text)
{
	char *slash = strchr(text, '/');
	double over, under = 1;

	if (slash) *slash++ = '\0';
	if (!str_to_double(text, -1e12, 1e12, &over) || (slash && !str_to_double(slash, 1, 1e12, &under))) return NAN;
	return over / under;
}

/* "Places|France|Paris": each of them is a word for the picture. */
static void put_path(struct metadata *m, const char *text)
{
	for (size_t n; *text; text += n + (text[n] != '\0')) {
		n = strcspn(text, "|/");
		metadata_keyword(m, text, n);
	}
}

static void put(struct packet *p, enum property property, char *text, size_t n)
{
	struct metadata *m = p->m;

	switch (property) {
	case NOTHING: break;
	case TITLE:
	case HEADLINE: metadata_text(m, FACT_TITLE, text, n); break;
	case CAPTION: metadata_text(m, FACT_CAPTION, text, n); break;
	case CREATOR: metadata_text(m, FACT_CREATOR, text, n); break;
	case MAKE: metadata_text(m, FACT_MAKE, text, n); break;
	case MODEL: metadata_text(m, FACT_MODEL, text, n); break;
	case LENS: metadata_text(m, FACT_LENS, text, n); break;
	case KEYWORD: metadata_keyword(m, text, n); break;
	case PATH_KEYWORD: put_path(m, text); break;
	case RATING: metadata_rating(m, fraction(text)); break;
	case TAKEN: metadata_taken(m, text, n); break;
	case LATITUDE: p->latitude = angle(text, "NS"); break;
	case LONGITUDE: p->longitude = angle(text, "EW"); break;
	case ALTITUDE: p->altitude = fraction(text); break;
	case ALTITUDE_REF: p->below_sea = !strcmp(text, "1"); break;
	}
}

/* What was collected ends here. */
static void finish_text(struct packet *p)
{
	char *end;

	p->m->failed |= p->text.failed;
	if (!p->text.len || p->text.failed) return;
	end = p->text.data + p->text.len;
	while (p->text.len && strchr(" \t\r\n", end[-1])) *--end = '\0', p->text.len--;
	end = p->text.data + strspn(p->text.data, " \t\r\n");
	put(p, p->property, end, strlen(end));
	buf_clear(&p->text);
}

static void XMLCALL on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
	struct packet *p = ctx;

	if (++p->depth > MAX_DEPTH) {
		XML_StopParser(p->parser, XML_FALSE);
		return;
	}
	if (p->property == NOTHING && (p->property = property_of(name)) != NOTHING) p->property_depth = p->depth;
	else if (p->property != NOTHING) finish_text(p); /* only blanks can be there */
	for (; attributes[0]; attributes += 2) {
		enum property property = property_of(attributes[0]);

		if (property == NOTHING) continue;
		buf_clear(&p->text);
		buf_add(&p->text, attributes[1], strnlen(attributes[1], FACT_TEXT_MAX));
		p->m->failed |= p->text.failed;
		if (!p->text.failed) put(p, property, p->text.data, p->text.len);
		buf_clear(&p->text);
	}
}

static void XMLCALL on_end(void *ctx, const XML_Char *name)
{
	struct packet *p = ctx;

	if (p->property != NOTHING && (p->depth == p->property_depth || !strcmp(name, RDF "li"))) finish_text(p);
	if (p->property != NOTHING && p->depth == p->property_depth) p->property = NOTHING;
	p->depth--;
}

static void XMLCALL on_text(void *ctx, const XML_Char *text, int n)
{
	struct packet *p = ctx;

	if (p->property != NOTHING && p->text.len < FACT_TEXT_MAX) buf_add(&p->text, text, (size_t)n);
}

static void XMLCALL on_doctype(void *ctx, const XML_Char *name, const XML_Char *system, const XML_Char *public, int internal)
{
	struct packet *p = ctx;

	(void)name, (void)system, (void)public, (void)internal;
	XML_StopParser(p->parser, XML_FALSE);
}

static void settle_place(struct packet *p)
{
	struct facts *f = p->m->facts;
	bool known = f->has_place;

	metadata_place(p->m, p->latitude, p->longitude);
	if (known || !f->has_place || !(fabs(p->altitude) < 1e5)) return;
	f->has_altitude = true;
	f->altitude = p->below_sea ? -p->altitude : p->altitude;
}

void xmp_read(struct metadata *m, const uint8_t *bytes, size_t n)
{
	static const XML_Memory_Handling_Suite memory = { mem_alloc, mem_realloc, mem_free };
	struct packet p = { .m = m, .latitude = NAN, .longitude = NAN, .altitude = NAN };

	while (n && !bytes[n - 1]) n--; /* some end with a zero */
	if (!n || n > MAX_BYTES) return;
	if (!(p.parser = XML_ParserCreate_MM(NULL, &memory, "\n"))) {
		m->failed = true;
		return;
	}
	XML_SetUserData(p.parser, &p);
	XML_SetElementHandler(p.parser, on_start, on_end);
	XML_SetCharacterDataHandler(p.parser, on_text);
	XML_SetStartDoctypeDeclHandler(p.parser, on_doctype);
	if (XML_Parse(p.parser, (const char *)bytes, (int)n, XML_TRUE) != XML_STATUS_OK &&
	    XML_GetErrorCode(p.parser) == XML_ERROR_NO_MEMORY)
		m->failed = true;
	XML_ParserFree(p.parser);
	settle_place(&p);
	buf_deinit(&p.text);
}
