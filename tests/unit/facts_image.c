/* image/: EXIF, XMP, IPTC, sidecars and colours, from blocks that the tests write themselves.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/fs.h"
#include "image/metadata.h"

static akin_error err;

/* ---- an EXIF block, tag by tag ---- */

struct block {
	uint8_t bytes[4096];
	size_t directory, heap; /* where the next tag and the next long value go */
	bool big;
};

static void put(struct block *b, size_t at, uint32_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++) b->bytes[at + i] = (uint8_t)(v >> 8 * (b->big ? bytes - 1 - i : i));
}

static void begin(struct block *b, bool big)
{
	*b = (struct block){ .big = big, .heap = 2048 };
	memcpy(b->bytes, big ? "MM\0*" : "II*\0", 4);
	put(b, 4, 8, 4);
	b->directory = 8;
}

/* Following tags go to a directory at `at`. */
static void directory(struct block *b, size_t at)
{
	b->directory = at;
}

static size_t add(struct block *b, unsigned tag, unsigned type, uint32_t count, size_t bytes)
{
	uint32_t n = (uint32_t)(b->big ? b->bytes[b->directory] << 8 | b->bytes[b->directory + 1]
	                               : b->bytes[b->directory] | b->bytes[b->directory + 1] << 8);
	size_t at = b->directory + 2 + 12 * n, value = at + 8;

	put(b, b->directory, n + 1, 2);
	put(b, at, tag, 2);
	put(b, at + 2, type, 2);
	put(b, at + 4, count, 4);
	if (bytes <= 4) return value;
	put(b, value, (uint32_t)b->heap, 4);
	value = b->heap;
	b->heap += bytes;
	return value;
}

static void add_ascii(struct block *b, unsigned tag, const char *text)
{
	size_t n = strlen(text) + 1, at = add(b, tag, 2, (uint32_t)n, n);

	memcpy(b->bytes + at, text, n);
}

static void add_long(struct block *b, unsigned tag, uint32_t v)
{
	put(b, add(b, tag, 4, 1, 4), v, 4);
}

static void add_rationals(struct block *b, unsigned tag, size_t n, const uint32_t *v)
{
	size_t at = add(b, tag, 5, (uint32_t)n, 8 * n);

	for (size_t i = 0; i < 2 * n; i++) put(b, at + 4 * i, v[i], 4);
}

enum { EXIF_AT = 400, GPS_AT = 800 };

static struct facts read_block(const struct block *b)
{
	struct facts f = { 0 }, texts = { 0 };
	struct metadata m = { .facts = &f }, t = { .facts = &texts };

	exif_read(&m, &t, NULL, b->bytes, sizeof b->bytes);
	CHECK(!m.failed && !t.failed);
	for (int i = 0; i < FACT_TEXTS; i++)
		if (!f.text[i]) f.text[i] = texts.text[i], texts.text[i] = NULL;
	facts_deinit(&texts);
	return f;
}

static bool text_is(const struct facts *f, enum fact_text which, const char *wanted)
{
	return f->text[which] ? wanted && !strcmp(f->text[which], wanted) : !wanted;
}

static int64_t at_time(int year, int month, int day, int hour, int minute, int second)
{
	return date_seconds(&(struct date){ year, month, day, hour, minute, second });
}

TEST(exif_of_both_byte_orders_tells_camera_time_and_place)
{
	for (int big = 0; big < 2; big++) {
		struct block b;
		struct facts f;

		begin(&b, big);
		add_ascii(&b, 0x10f, "NIKON CORPORATION   ");
		add_ascii(&b, 0x110, "NIKON D90");
		add_ascii(&b, 0x10e, "  Au marché ");
		add_long(&b, 0x8769, EXIF_AT);
		add_long(&b, 0x8825, GPS_AT);
		directory(&b, EXIF_AT);
		add_ascii(&b, 0x9003, "2019:07:14 21:30:05");
		add_ascii(&b, 0x9011, "-03:30");
		add_ascii(&b, 0xa434, "18.0-105.0 mm f/3.5-5.6");
		directory(&b, GPS_AT);
		add_ascii(&b, 1, "S");
		add_rationals(&b, 2, 3, (uint32_t[]){ 33, 1, 51, 1, 3600, 100 });
		add_ascii(&b, 3, "E");
		add_rationals(&b, 4, 2, (uint32_t[]){ 151, 1, 125, 10 });
		b.bytes[add(&b, 5, 1, 1, 1)] = 1;
		add_rationals(&b, 6, 1, (uint32_t[]){ 25, 2 });
		f = read_block(&b);
		CHECK(text_is(&f, FACT_MAKE, "NIKON CORPORATION") && text_is(&f, FACT_MODEL, "NIKON D90"));
		CHECK(text_is(&f, FACT_LENS, "18.0-105.0 mm f/3.5-5.6") && text_is(&f, FACT_CAPTION, "Au marché"));
		CHECK(f.has_taken && f.taken == at_time(2019, 7, 14, 21, 30, 5));
		CHECK(f.has_zone && f.zone_minutes == -210);
		CHECK(f.has_place && fabs(f.latitude + (33 + 51 / 60. + 36 / 3600.)) < 1e-9);
		CHECK(fabs(f.longitude - (151 + 12.5 / 60)) < 1e-9);
		CHECK(f.has_altitude && fabs(f.altitude + 12.5) < 1e-9, "altitude %g\n", f.altitude);
		facts_deinit(&f);
	}
}

static bool has_time(const char *date, const char *zone)
{
	struct block b;
	struct facts f;
	bool has_taken;

	begin(&b, false);
	add_long(&b, 0x8769, EXIF_AT);
	directory(&b, EXIF_AT);
	add_ascii(&b, 0x9003, date);
	if (zone) add_ascii(&b, 0x9011, zone);
	f = read_block(&b);
	has_taken = f.has_taken;
	facts_deinit(&f);
	return has_taken;
}

TEST(only_dates_that_exist_are_dates)
{
	static const char *const bad[] = { "0000:00:00 00:00:00", "2021:02:29 10:00:00", "2021:13:01 10:00:00", "2021:01:01 24:00:00",
		                           "    :  :     :  :  ", "2021:01:01 10:00:00x", "1970:01:01 00:00:00", "0012:01:01 10:00:00",
		                           "2021:1:1 10:00:00", "" };

	for (size_t i = 0; i < COUNT(bad); i++) CHECK(!has_time(bad[i], NULL), "%s\n", bad[i]);
	CHECK(has_time("2020:02:29 23:59:60", NULL));
	CHECK(has_time("2020-02-29T10:00", NULL));
	CHECK(has_time("2020:02:29 10:00:00", "nonsense"), "an odd zone must not cost the time\n");
}

TEST(places_with_missing_or_impossible_parts_are_none)
{
	static const struct {
		const char *lat_ref;
		uint32_t lat[6];
		const char *long_ref;
		uint32_t lon[6];
	} bad[] = {
		{ "X", { 10, 1, 0, 1, 0, 1 }, "E", { 10, 1, 0, 1, 0, 1 } },
		{ "N", { 10, 0, 0, 1, 0, 1 }, "E", { 10, 1, 0, 1, 0, 1 } },
		{ "N", { 91, 1, 0, 1, 0, 1 }, "E", { 10, 1, 0, 1, 0, 1 } },
		{ "N", { 10, 1, 75, 1, 0, 1 }, "E", { 10, 1, 0, 1, 0, 1 } },
		{ "N", { 10, 1, 0, 1, 0, 1 }, "W", { 181, 1, 0, 1, 0, 1 } },
		{ "N", { 0, 1, 0, 1, 0, 1 }, "E", { 0, 1, 0, 1, 0, 1 } },
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct block b;
		struct facts f;

		begin(&b, true);
		add_long(&b, 0x8825, GPS_AT);
		directory(&b, GPS_AT);
		add_ascii(&b, 1, bad[i].lat_ref);
		add_rationals(&b, 2, 3, bad[i].lat);
		add_ascii(&b, 3, bad[i].long_ref);
		add_rationals(&b, 4, 3, bad[i].lon);
		f = read_block(&b);
		CHECK(!f.has_place, "case %zu: %g %g\n", i, f.latitude, f.longitude);
		facts_deinit(&f);
	}
}

TEST(windows_and_unicode_texts_are_read)
{
	static const uint8_t title[] = { 0x2b, 0x73, 0x3d, 0xd8, 0x31, 0xdc, 0, 0 }; /* cat, and a cat's head */
	static const uint8_t words[] = { 'a', 0, ';', 0, ' ', 0, 'b', 0, ';', 0, 'a', 0 };
	struct block b;
	struct facts f;

	begin(&b, true);
	memcpy(b.bytes + add(&b, 0x9c9b, 1, sizeof title, sizeof title), title, sizeof title);
	memcpy(b.bytes + add(&b, 0x9c9e, 1, sizeof words, sizeof words), words, sizeof words);
	add_long(&b, 0x8769, EXIF_AT);
	directory(&b, EXIF_AT);
	memcpy(b.bytes + add(&b, 0x9286, 7, 14, 14), "UNICODE\0\0o\0n\0e", 14);
	f = read_block(&b);
	CHECK(text_is(&f, FACT_TITLE, "猫🐱"), "%s\n", f.text[FACT_TITLE]);
	CHECK(text_is(&f, FACT_KEYWORDS, "a\nb"), "%s\n", f.text[FACT_KEYWORDS]);
	CHECK(text_is(&f, FACT_CAPTION, "one"), "%s\n", f.text[FACT_CAPTION]);
	facts_deinit(&f);
}

/* ---- XMP ---- */

#define XMP_HEAD                                                                                                     \
	"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"      \
	"<rdf:Description xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:xmp='http://ns.adobe.com/xap/1.0/'"      \
	" xmlns:exif='http://ns.adobe.com/exif/1.0/' xmlns:lr='http://ns.adobe.com/lightroom/1.0/' "
#define XMP_TAIL "</rdf:Description></rdf:RDF></x:xmpmeta>"

static struct facts read_xmp(const char *text)
{
	struct facts f = { 0 };
	struct metadata m = { .facts = &f };

	xmp_read(&m, (const uint8_t *)text, strlen(text));
	CHECK(!m.failed);
	return f;
}

TEST(xmp_is_read_from_elements_and_attributes)
{
	struct facts f = read_xmp(XMP_HEAD "xmp:Rating='4' exif:GPSLatitude='48,51.5N' exif:GPSLongitude='2,21,0W'"
	                          " exif:GPSAltitude='350/10' exif:DateTimeOriginal='2021-05-04T10:20:30.25+02:00'>"
	                          "<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>Tour &amp; ciel</rdf:li>"
	                          "<rdf:li xml:lang='de'>Turm</rdf:li></rdf:Alt></dc:title>"
	                          "<dc:subject><rdf:Bag> <rdf:li>Paris</rdf:li>\n<rdf:li>夜景</rdf:li><rdf:li>Paris</rdf:li></rdf:Bag>"
	                          "</dc:subject><lr:hierarchicalSubject><rdf:Bag><rdf:li>Places|France|Paris</rdf:li></rdf:Bag>"
	                          "</lr:hierarchicalSubject>" XMP_TAIL);

	CHECK(text_is(&f, FACT_TITLE, "Tour & ciel"), "%s\n", f.text[FACT_TITLE]);
	CHECK(text_is(&f, FACT_KEYWORDS, "Paris\n夜景\nPlaces\nFrance"), "%s\n", f.text[FACT_KEYWORDS]);
	CHECK(f.has_rating && f.rating == 4);
	CHECK(f.has_place && fabs(f.latitude - (48 + 51.5 / 60)) < 1e-9 && fabs(f.longitude + 2.35) < 1e-9);
	CHECK(f.has_altitude && fabs(f.altitude - 35) < 1e-9);
	CHECK(f.has_taken && f.taken == at_time(2021, 5, 4, 10, 20, 30) && f.has_zone && f.zone_minutes == 120);
	facts_deinit(&f);
}

TEST(xmp_with_entities_or_damage_ends_where_it_is_damaged)
{
	static const char laughs[] = "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'>]>" XMP_HEAD
	                             "><dc:title>&b;</dc:title>" XMP_TAIL;
	struct facts f = read_xmp(laughs);

	CHECK(!f.text[FACT_TITLE]);
	facts_deinit(&f);
	f = read_xmp(XMP_HEAD "xmp:Rating='9'><dc:title>kept</dc:title><dc:description>lost</oops>" XMP_TAIL);
	CHECK(text_is(&f, FACT_TITLE, "kept") && !f.has_rating && !f.text[FACT_CAPTION]);
	facts_deinit(&f);
	f = read_xmp("");
	facts_deinit(&f);
}

TEST(a_sidecar_has_the_last_word)
{
	struct facts f = { .has_taken = true, .taken = 5, .has_rating = true, .rating = 1, .has_palette = true, .n_palette = 1 };
	static const char txt[] = "\xef\xbb\xbf" "A cat.\r\n\nzh_CN.utf8=猫\n\n";
	static const char xmp[] = XMP_HEAD "xmp:Rating='5'><dc:title>new</dc:title>" XMP_TAIL;

	f.text[FACT_TITLE] = mem_strdup("old");
	f.text[FACT_MODEL] = mem_strdup("camera");
	CHECK_OK(image_sidecar_xmp(xmp, strlen(xmp), &f, &err), &err);
	CHECK_OK(image_sidecar_text(txt, strlen(txt), &f, &err), &err);
	CHECK(text_is(&f, FACT_TITLE, "new") && text_is(&f, FACT_MODEL, "camera") && f.rating == 5 && f.taken == 5);
	CHECK(text_is(&f, FACT_SIDECAR, "A cat. \nzh_CN.utf8=猫"), "\"%s\"\n", f.text[FACT_SIDECAR]);
	CHECK(f.has_palette && f.n_palette == 1);
	facts_deinit(&f);
}

/* ---- IPTC and JPEG ---- */

static void add_record(struct buf *out, unsigned char which, const char *text)
{
	const size_t n = strlen(text);
	const unsigned char head[] = { 0x1c, 2, which, (unsigned char)(n >> 8), (unsigned char)n };

	buf_add(out, head, sizeof head);
	buf_add(out, text, n);
}

static void add_segment(struct buf *out, unsigned char marker, const void *head, size_t head_n, const void *body, size_t n)
{
	const size_t length = 2 + head_n + n;
	const unsigned char bytes[] = { 0xff, marker, (unsigned char)(length >> 8), (unsigned char)length };

	buf_add(out, bytes, 4);
	buf_add(out, head, head_n);
	buf_add(out, body, n);
}

TEST(the_blocks_of_a_jpeg_are_found_and_joined)
{
	static const char xmp[] = XMP_HEAD "><dc:title>from xmp</dc:title>" XMP_TAIL;
	struct buf iptc = BUF_EMPTY, resources = BUF_EMPTY, file = BUF_EMPTY, picture = BUF_EMPTY;
	struct picture_info info;
	struct block b;
	struct facts f;

	begin(&b, true);
	add_ascii(&b, 0x110, "Phone");
	add_ascii(&b, 0x10e, "from exif");
	add_ascii(&b, 0x132, "2001:02:03 04:05:06");
	add_record(&iptc, 5, "from iptc");
	add_record(&iptc, 25, "Stra\xdf" "e"); /* Latin-1 */
	add_record(&iptc, 80, "Ada");
	add_record(&iptc, 55, "20100203");
	buf_add(&resources, "8BIM\x03\xed\0\0\0\0\0\2ab8BIM\x04\x04\0\0\0\0\0", 25);
	buf_add(&resources, &(unsigned char){ (unsigned char)iptc.len }, 1);
	buf_add(&resources, iptc.data, iptc.len);
	CHECK_OK(fs_read(TESTS_DIR "/data/pictures/orient6.jpg", 1 << 20, &picture, &err), &err);
	buf_add(&file, "\xff\xd8", 2);
	add_segment(&file, 0xe1, "Exif\0", 6, b.bytes, sizeof b.bytes);
	add_segment(&file, 0xe1, "http://ns.adobe.com/xap/1.0/", 29, xmp, strlen(xmp));
	add_segment(&file, 0xed, "Photoshop 3.0", 14, resources.data, resources.len);
	buf_add(&file, picture.data + 2, picture.len - 2);
	CHECK_OK(image_facts(file.data, file.len, NULL, &info, &f, &err), &err);
	CHECK(text_is(&f, FACT_TITLE, "from xmp") && text_is(&f, FACT_CAPTION, "from exif") && text_is(&f, FACT_CREATOR, "Ada"));
	CHECK(text_is(&f, FACT_KEYWORDS, "Straße"), "%s\n", f.text[FACT_KEYWORDS]);
	CHECK(text_is(&f, FACT_MODEL, "Phone") && f.has_taken && f.taken == at_time(2001, 2, 3, 4, 5, 6));
	CHECK(!f.has_palette && info.width == 32 && info.height == 48);
	facts_deinit(&f);
	buf_deinit(&iptc);
	buf_deinit(&resources);
	buf_deinit(&file);
	buf_deinit(&picture);
}

/* ---- colours ---- */

static struct facts colours_of(const uint8_t (*rgb)[3], size_t n)
{
	uint8_t pixels[64 * 64 * 3];
	struct facts f = { 0 };

	for (size_t i = 0; i < 64 * 64; i++) memcpy(pixels + 3 * i, rgb[i % 64 * n / 64], 3);
	palette_of(pixels, 64, 64, &f);
	return f;
}

TEST(colours_have_their_everyday_names)
{
	static const struct {
		uint8_t rgb[3];
		enum colour name;
	} known[] = { /* CSS: black gray white red crimson orange gold yellow green lime teal blue navy skyblue purple indigo hotpink
		         pink saddlebrown sienna tan */
		{ { 0, 0, 0 }, COLOUR_BLACK }, { { 128, 128, 128 }, COLOUR_GREY }, { { 255, 255, 255 }, COLOUR_WHITE },
		{ { 255, 0, 0 }, COLOUR_RED }, { { 220, 20, 60 }, COLOUR_RED }, { { 255, 165, 0 }, COLOUR_ORANGE },
		{ { 255, 215, 0 }, COLOUR_YELLOW }, { { 255, 255, 0 }, COLOUR_YELLOW }, { { 0, 128, 0 }, COLOUR_GREEN },
		{ { 0, 255, 0 }, COLOUR_GREEN }, { { 34, 139, 34 }, COLOUR_GREEN }, { { 0, 0, 255 }, COLOUR_BLUE },
		{ { 0, 0, 128 }, COLOUR_BLUE }, { { 135, 206, 235 }, COLOUR_BLUE }, { { 128, 0, 128 }, COLOUR_PURPLE },
		{ { 75, 0, 130 }, COLOUR_PURPLE }, { { 255, 105, 180 }, COLOUR_PINK }, { { 255, 192, 203 }, COLOUR_PINK },
		{ { 139, 69, 19 }, COLOUR_BROWN }, { { 160, 82, 45 }, COLOUR_BROWN }, { { 210, 180, 140 }, COLOUR_BROWN },
	};

	for (size_t i = 0; i < COUNT(known); i++) {
		struct facts f = colours_of(&known[i].rgb, 1);

		CHECK(f.has_palette && f.n_palette == 1 && f.palette[0].percent == 100);
		CHECK(f.palette[0].colour == known[i].name, "colour %zu is called %u\n", i, f.palette[0].colour);
		CHECK(!memcmp(f.palette[0].rgb, known[i].rgb, 3));
		CHECK(f.grey == (i < 3), "colour %zu\n", i);
	}
}

TEST(a_palette_is_ordered_by_size)
{
	static const uint8_t rgb[][3] = { { 0, 0, 255 }, { 0, 0, 255 }, { 255, 0, 0 }, { 255, 255, 255 }, { 0, 0, 255 } };
	struct facts f = colours_of(rgb, COUNT(rgb));

	CHECK(f.n_palette == 3 && f.palette[0].colour == COLOUR_BLUE && !f.grey);
	CHECK(f.palette[0].percent >= 58 && f.palette[0].percent <= 62);
}

TEST_MAIN(cmocka_unit_test(exif_of_both_byte_orders_tells_camera_time_and_place),
	  cmocka_unit_test(only_dates_that_exist_are_dates),
	  cmocka_unit_test(places_with_missing_or_impossible_parts_are_none),
	  cmocka_unit_test(windows_and_unicode_texts_are_read),
	  cmocka_unit_test(xmp_is_read_from_elements_and_attributes),
	  cmocka_unit_test(xmp_with_entities_or_damage_ends_where_it_is_damaged),
	  cmocka_unit_test(a_sidecar_has_the_last_word),
	  cmocka_unit_test(the_blocks_of_a_jpeg_are_found_and_joined),
	  cmocka_unit_test(colours_have_their_everyday_names), cmocka_unit_test(a_palette_is_ordered_by_size))
