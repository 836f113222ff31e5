/* image/metadata.h - EXIF, XMP and IPTC: what cameras and people have written into a file, or beside it.
 *
 * What a block says well is taken, the rest of it is passed over: a damaged block is not a reason to refuse a picture. Every
 * reader fills in only what `facts` does not know yet, so that the order of the calls says who is believed first.
 * The only failure is that of memory, which `failed` remembers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_IMAGE_METADATA_H
#define AKIN_IMAGE_METADATA_H

#include <stddef.h>

#include "image/decode.h"
#include "types/facts.h"

struct slice {
	const uint8_t *bytes;
	size_t n;
};

struct metadata {
	struct facts *facts;
	bool failed; /* out of memory */
};

/* The blocks of a JPEG's segments; those that are not there stay empty. */
struct blocks {
	struct slice exif, xmp, iptc;
};
void jpeg_blocks(const uint8_t *bytes, size_t n, struct blocks *out);

/* An EXIF block, with or without its "Exif" before it, or a whole TIFF file. Texts that people write elsewhere better (title,
 * caption, creator, keywords) go to `texts`. XMP and IPTC within it go to `inner`; either may be NULL. */
void exif_read(struct metadata *m, struct metadata *texts, struct blocks *inner, const uint8_t *bytes, size_t n);
void xmp_read(struct metadata *m, const uint8_t *bytes, size_t n);
/* IPTC records, also within Photoshop's resources. */
void iptc_read(struct metadata *m, const uint8_t *bytes, size_t n);

/* ---- putting facts down, if they are not known yet ---- */

/* UTF-8, else Latin-1; control characters become blanks; nothing when only blanks are left. */
void metadata_text(struct metadata *m, enum fact_text which, const void *bytes, size_t n);
void metadata_utf16(struct metadata *m, enum fact_text which, const uint8_t *bytes, size_t n);
/* One more line of FACT_KEYWORDS, unless it is one already. */
void metadata_keyword(struct metadata *m, const void *bytes, size_t n);
void metadata_taken(struct metadata *m, const char *text, size_t n);
void metadata_place(struct metadata *m, double latitude, double longitude);
void metadata_rating(struct metadata *m, double rating);

/* ---- colours ---- */

/* The colours of rows of RGB: palette and grey. */
void palette_of(const uint8_t *rgb, unsigned width, unsigned height, struct facts *facts);

#endif
