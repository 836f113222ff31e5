/* image/bmp.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "image/bmp.h"

#include <string.h>

enum { BI_RGB = 0, BI_BITFIELDS = 3, BI_ALPHABITFIELDS = 6, CORE_HEADER = 12, INFO_HEADER = 40, V3_HEADER = 56 };

static uint32_t le16(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t le32(const uint8_t *p)
{
	return le16(p) | le16(p + 2) << 16;
}

/* ---- header ---- */

static akin_status damaged(akin_error *err)
{
	return error_set(err, AKIN_ERR_FORMAT, "damaged BMP: its header is out of range");
}

static void choose_masks(struct bmp *b, const uint8_t *header, uint32_t header_bytes, uint32_t compression, bool icon)
{
	static const uint32_t plain16[4] = { 0x7c00, 0x3e0, 0x1f, 0 }, plain32[4] = { 0xff0000, 0xff00, 0xff, 0 };

	memcpy(b->masks, b->bits == 16 ? plain16 : plain32, sizeof b->masks);
	/* The three masks stand where a longer header has them, after the short one too. */
	if (compression != BI_RGB)
		for (int c = 0; c < 3; c++) b->masks[c] = le32(header + INFO_HEADER + 4 * c);
	if (compression != BI_RGB && (header_bytes >= V3_HEADER || compression == BI_ALPHABITFIELDS))
		b->masks[3] = le32(header + INFO_HEADER + 12);
	if (icon && b->bits == 32) b->masks[3] = 0xff000000;
}

/* Sizes, depth and compression of the header at `header`, `have` bytes up to the file's end. */
static akin_status read_header(struct bmp *b, const uint8_t *header, size_t have, bool icon, akin_error *err)
{
	uint32_t header_bytes = have >= 4 ? le32(header) : 0, compression = BI_RGB, colours = 0;
	int64_t width, height;

	if (header_bytes == CORE_HEADER && have >= CORE_HEADER) {
		width = le16(header + 4), height = le16(header + 6);
		b->bits = le16(header + 10);
		b->colour_bytes = 3;
	} else if (header_bytes >= INFO_HEADER && header_bytes <= have) {
		width = (int32_t)le32(header + 4), height = (int32_t)le32(header + 8);
		b->bits = le16(header + 14);
		compression = le32(header + 16);
		colours = le32(header + 32);
		b->colour_bytes = 4;
	} else {
		return damaged(err);
	}
	if (icon) height /= 2; /* the mask below counts */
	b->top_down = height < 0;
	if (height < 0) height = -height;
	if (width <= 0 || height == 0 || width > INT32_MAX || height > INT32_MAX) return damaged(err);
	if (compression != BI_RGB && compression != BI_BITFIELDS && compression != BI_ALPHABITFIELDS)
		return error_set(err, AKIN_ERR_UNSUPPORTED, "compressed BMP is not read; convert it to PNG");
	if (!b->bits || b->bits > 32 || !strchr("\1\4\10\20\30\40", (int)b->bits) || (compression != BI_RGB && have < V3_HEADER))
		return damaged(err);
	b->width = (unsigned)width;
	b->height = (unsigned)height;
	b->stride = ((size_t)b->width * b->bits + 31) / 32 * 4;
	if (b->bits <= 8) b->n_colours = colours && colours < 1u << b->bits ? colours : 1u << b->bits;
	if (b->bits >= 16) choose_masks(b, header, header_bytes, compression, icon);
	b->palette = header + header_bytes + (header_bytes == INFO_HEADER && compression != BI_RGB ? 12 : 0);
	return AKIN_OK;
}

/* Rows lie at `at`; n bytes in all. */
static akin_status place_pixels(struct bmp *b, const uint8_t *bytes, size_t n, size_t at, akin_error *err)
{
	if (at > n || b->height > (n - at) / b->stride)
		return error_set(err, AKIN_ERR_FORMAT, "truncated BMP: the file ends before its pixels do");
	if ((size_t)(b->palette - bytes) > n || b->n_colours * (size_t)b->colour_bytes > n - (size_t)(b->palette - bytes))
		return damaged(err);
	b->pixels = bytes + at;
	return AKIN_OK;
}

akin_status bmp_open(struct bmp *b, const uint8_t *bytes, size_t n, akin_error *err)
{
	akin_status st;

	memset(b, 0, sizeof *b);
	if (n < 26) return error_set(err, AKIN_ERR_FORMAT, "truncated BMP: the file ends within its header");
	if ((st = read_header(b, bytes + 14, n - 14, false, err)) != AKIN_OK) return st;
	return place_pixels(b, bytes, n, le32(bytes + 10), err);
}

/* ---- icons ---- */

/* Icons of 32 bits written by old programs have no alpha at all: then the mask counts. */
static bool has_alpha(const struct bmp *b)
{
	for (unsigned y = 0; y < b->height; y++)
		for (unsigned x = 0; x < b->width; x++)
			if (b->pixels[y * b->stride + 4 * (size_t)x + 3]) return true;
	return false;
}

akin_status ico_open(struct bmp *b, const uint8_t *bytes, size_t n, const uint8_t **png, size_t *png_n, akin_error *err)
{
	size_t entries = n >= 6 ? le16(bytes + 4) : 0, at = 0, size = 0, palette_end;
	uint32_t best = 0;
	akin_status st;

	memset(b, 0, sizeof *b);
	*png = NULL;
	for (size_t i = 0; i < entries && 6 + 16 * (i + 1) <= n; i++) {
		const uint8_t *e = bytes + 6 + 16 * i;
		uint32_t side = e[0] ? e[0] : 256, value = side * 64 + (le16(e + 6) < 64 ? le16(e + 6) : 0);

		if (value <= best || le32(e + 12) >= n) continue;
		best = value;
		at = le32(e + 12);
		size = le32(e + 8) < n - at ? le32(e + 8) : n - at;
	}
	if (!best) return error_set(err, AKIN_ERR_FORMAT, "damaged ICO: its list of pictures is empty or points beyond its end");
	if (size >= 8 && !memcmp(bytes + at, "\x89PNG", 4)) {
		*png = bytes + at;
		*png_n = size;
		return AKIN_OK;
	}
	if ((st = read_header(b, bytes + at, n - at, true, err)) != AKIN_OK) return st;
	palette_end = (size_t)(b->palette - bytes) + b->n_colours * (size_t)b->colour_bytes;
	if ((st = place_pixels(b, bytes, n, palette_end, err)) != AKIN_OK) return st;
	if (b->masks[3] && has_alpha(b)) return AKIN_OK;
	b->masks[3] = 0;
	b->mask_stride = ((size_t)b->width + 31) / 32 * 4;
	palette_end += b->stride * b->height;
	if (b->height <= (n - palette_end) / b->mask_stride) b->mask = bytes + palette_end;
	return AKIN_OK;
}

/* ---- rows ---- */

/* The bits of v under the mask, as 0..255. */
static unsigned under(uint32_t v, uint32_t mask)
{
	uint32_t low = mask & (0u - mask);

	return mask ? (unsigned)((uint64_t)(v & mask) / low * 255 / (mask / low)) : 0;
}

static void from_palette(const struct bmp *b, const uint8_t *row, unsigned x, uint8_t *rgb)
{
	unsigned per_byte = 8 / b->bits, shift = 8 - b->bits - x % per_byte * b->bits;
	unsigned i = ((unsigned)row[x / per_byte] >> shift) & ((1u << b->bits) - 1);
	const uint8_t *colour = b->palette + (size_t)i * b->colour_bytes;

	if (i >= b->n_colours) rgb[0] = rgb[1] = rgb[2] = 0;
	else rgb[0] = colour[2], rgb[1] = colour[1], rgb[2] = colour[0];
}

static void from_masks(const struct bmp *b, const uint8_t *p, uint8_t *rgb)
{
	uint32_t v = b->bits == 16 ? le16(p) : le32(p);
	unsigned alpha = b->masks[3] ? under(v, b->masks[3]) : 255;

	for (int c = 0; c < 3; c++) rgb[c] = (uint8_t)((under(v, b->masks[c]) * alpha + 255 * (255 - alpha) + 127) / 255);
}

void bmp_row(const struct bmp *b, unsigned y, uint8_t *rgb)
{
	size_t line = b->top_down ? y : b->height - 1 - y;
	const uint8_t *row = b->pixels + line * b->stride, *mask = b->mask ? b->mask + line * b->mask_stride : NULL;

	for (unsigned x = 0; x < b->width; x++, rgb += 3) {
		if (b->bits <= 8) from_palette(b, row, x, rgb);
		else if (b->bits == 24) rgb[0] = row[3 * x + 2], rgb[1] = row[3 * x + 1], rgb[2] = row[3 * x];
		else from_masks(b, row + (size_t)x * b->bits / 8, rgb);
		if (mask && mask[x / 8] >> (7 - x % 8) & 1) rgb[0] = rgb[1] = rgb[2] = 255;
	}
}
