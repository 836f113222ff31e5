/* fuzz: EXIF, XMP and IPTC blocks, the segments of a JPEG around them, and text beside a picture. The first byte says which.
 * What comes out is valid UTF-8 and within its ranges.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "image/metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_facts(const struct facts *f)
{
	if (f->has_place && (!(fabs(f->latitude) <= 90) || !(fabs(f->longitude) <= 180))) abort();
	if (f->has_altitude && !(fabs(f->altitude) < 1e5)) abort();
	if (f->has_rating && (f->rating < -1 || f->rating > 5)) abort();
	if (f->has_zone && abs(f->zone_minutes) > 15 * 60) abort();
	for (int i = 0; i < FACT_TEXTS; i++) {
		const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)f->text[i];
		utf8proc_int32_t c;

		if (p && (!*p || strlen(f->text[i]) > 2 * FACT_SIDECAR_MAX)) abort();
		for (utf8proc_ssize_t used; p && *p; p += used)
			if ((used = utf8proc_iterate(p, -1, &c)) <= 0) abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct facts f = { 0 }, texts = { 0 };
	struct metadata m = { .facts = &f }, t = { .facts = &texts };
	struct blocks blocks = { 0 };

	if (!n) return 0;
	switch (data[0] % 5) {
	case 0: exif_read(&m, &t, &blocks, data + 1, n - 1); break;
	case 1: xmp_read(&m, data + 1, n - 1); break;
	case 2: iptc_read(&m, data + 1, n - 1); break;
	case 3: jpeg_blocks(data + 1, n - 1, &blocks); break;
	case 4: (void)image_sidecar_text(data + 1, n - 1, &f, NULL); break;
	}
	for (size_t i = 0, sum = 0; i < blocks.xmp.n + blocks.iptc.n; i++) /* they lie within the file */
		if ((sum += i < blocks.xmp.n ? blocks.xmp.bytes[i] : blocks.iptc.bytes[i - blocks.xmp.n]) == SIZE_MAX) abort();
	check_facts(&f);
	check_facts(&texts);
	facts_deinit(&f);
	facts_deinit(&texts);
	return 0;
}
