/* image/facts.c - facts of a picture: of its header, of its pixels, of the files beside it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/str.h"
#include "image/metadata.h"

static struct slice blob(const VipsImage *image, const char *name)
{
	const void *bytes;
	size_t n;

	if (!vips_image_get_typeof(image, name) || vips_image_get_blob(image, name, &bytes, &n)) return (struct slice){ 0 };
	return (struct slice){ bytes, n };
}

/* Texts within PNG files: "png-comment-3-Title". Image generators keep what they were asked for in "parameters". */
static void png_texts(struct metadata *m, VipsImage *image)
{
	static const struct {
		const char *key;
		enum fact_text which;
	} texts[] = { { "Title", FACT_TITLE }, { "Description", FACT_CAPTION }, { "Author", FACT_CREATOR },
		      { "Comment", FACT_CAPTION }, { "parameters", FACT_CAPTION } };
	char **fields = vips_image_get_fields(image);

	for (char **field = fields; field && *field; field++) {
		const char *key = str_starts(*field, "png-comment-") ? strchr(*field + strlen("png-comment-"), '-') : NULL, *value;

		for (size_t i = 0; key && i < COUNT(texts); i++)
			if (!strcmp(key + 1, texts[i].key) && !vips_image_get_string(image, *field, &value))
				metadata_text(m, texts[i].which, value, strlen(value));
	}
	g_strfreev(fields);
}

/* What `m` does not know yet. */
static void fill_texts(struct metadata *m, struct facts *from)
{
	const char *words = from->text[FACT_KEYWORDS];

	for (int i = 0; i < FACT_TEXTS; i++) {
		if (i == FACT_KEYWORDS || m->facts->text[i]) continue;
		m->facts->text[i] = from->text[i];
		from->text[i] = NULL;
	}
	for (size_t n; words && *words; words += n + (words[n] == '\n')) {
		n = strcspn(words, "\n");
		metadata_keyword(m, words, n);
	}
}

/* The camera is believed first about what it did, people about what is to be seen. */
static void read_blocks(struct metadata *m, const struct blocks *blocks)
{
	struct facts by_camera = { 0 };
	struct metadata texts = { .facts = &by_camera };
	struct blocks inner = { 0 };

	exif_read(m, &texts, &inner, blocks->exif.bytes, blocks->exif.n);
	if (blocks->xmp.n) inner.xmp = blocks->xmp;
	if (blocks->iptc.n) inner.iptc = blocks->iptc;
	if (inner.xmp.n) xmp_read(m, inner.xmp.bytes, inner.xmp.n);
	if (inner.iptc.n) iptc_read(m, inner.iptc.bytes, inner.iptc.n);
	fill_texts(m, &by_camera);
	m->failed |= texts.failed;
	facts_deinit(&by_camera);
}

akin_status facts_of_header(const struct decoder *d, const uint8_t *bytes, size_t n, struct facts *facts, akin_error *err)
{
	struct metadata m = { .facts = facts };
	struct blocks blocks = { 0 };

	if (!strcmp(d->info.format, "jpeg")) {
		jpeg_blocks(bytes, n, &blocks);
	} else if (!strcmp(d->info.format, "tiff") || !strcmp(d->info.format, "raw")) {
		blocks.exif = (struct slice){ bytes, n };
	} else if (d->image) {
		blocks.exif = blob(d->image, VIPS_META_EXIF_NAME);
		blocks.xmp = blob(d->image, VIPS_META_XMP_NAME);
		blocks.iptc = blob(d->image, VIPS_META_IPTC_NAME);
	}
	read_blocks(&m, &blocks);
	if (d->image && !strcmp(d->info.format, "png")) png_texts(&m, d->image);
	return m.failed ? error_nomem(err) : AKIN_OK;
}

akin_status image_facts(const void *bytes, size_t n, const struct image_limits *limits, struct picture_info *info,
                        struct facts *facts, akin_error *err)
{
	for (bool alone = false;; alone = true) {
		struct decoder d = { 0 };
		akin_status st;

		*facts = (struct facts){ 0 };
		decoder_enter(alone);
		st = decoder_open(&d, bytes, n, limits, err);
		*info = st == AKIN_OK ? d.info : (struct picture_info){ 0 };
		if (st == AKIN_OK && (st = facts_of_header(&d, bytes, n, facts, err)) != AKIN_OK) facts_deinit(facts);
		decoder_close(&d);
		if (!decoder_leave(st, alone)) return st;
	}
}

/* ---- beside the picture ---- */

akin_status image_sidecar_text(const void *bytes, size_t n, struct facts *facts, akin_error *err)
{
	struct metadata m = { .facts = facts };

	mem_free(facts->text[FACT_SIDECAR]);
	facts->text[FACT_SIDECAR] = NULL;
	metadata_text(&m, FACT_SIDECAR, bytes, n);
	return m.failed ? error_nomem(err) : AKIN_OK;
}

/* Programs write a sidecar when they must not touch the picture: it is the newer word. */
akin_status image_sidecar_xmp(const void *bytes, size_t n, struct facts *facts, akin_error *err)
{
	struct facts newer = { 0 };
	struct metadata m = { .facts = &newer };

	xmp_read(&m, bytes, n);
	if (!newer.has_taken) {
		newer.has_taken = facts->has_taken, newer.taken = facts->taken;
		newer.has_zone = facts->has_zone, newer.zone_minutes = facts->zone_minutes;
	}
	if (!newer.has_place) {
		newer.has_place = facts->has_place, newer.latitude = facts->latitude, newer.longitude = facts->longitude;
		newer.has_altitude = facts->has_altitude, newer.altitude = facts->altitude;
	}
	if (!newer.has_rating) newer.has_rating = facts->has_rating, newer.rating = facts->rating;
	newer.has_palette = facts->has_palette, newer.grey = facts->grey, newer.n_palette = facts->n_palette;
	memcpy(newer.palette, facts->palette, sizeof newer.palette);
	fill_texts(&m, facts);
	facts_deinit(facts);
	*facts = newer;
	return m.failed ? error_nomem(err) : AKIN_OK;
}
