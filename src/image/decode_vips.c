/* image/decode_vips.c - files to rows through libvips.
 *
 * Loaders are called by name for the sniffed format and libvips is told to refuse all others: a file cannot choose which
 * parser it meets. Rows are pulled through one region by the calling thread, so nothing is handed to libvips' threads, the
 * clock is looked at between strips, and memory is that of a few rows.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "image/decode.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "image/boxes.h"

enum { STRIP = 16 }; /* rows at a time: two rows of JPEG blocks */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int start_failed;

static void stay_silent(const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer user)
{
	(void)domain, (void)level, (void)message, (void)user;
}

/* What may run at all. magickload is not in it: ImageMagick exits from the process when a limit of its own is met. */
static void allow_only_listed_loaders(void)
{
	static const char *const classes[] = { "Jpeg", "Png",  "Nsgif", "Webp", "Tiff", "Heif", "Jxl",
		                               "Jp2k", "Svg", "Pdf",   "Ppm",  "Rad" };

	vips_operation_block_set("VipsForeignLoad", TRUE);
	for (size_t i = 0; i < COUNT(classes); i++) {
		char name[64];

		snprintf(name, sizeof name, "VipsForeignLoad%s", classes[i]);
		vips_operation_block_set(name, FALSE);
	}
}

static void start(void)
{
	static const char *const domains[] = { "VIPS", "GLib", "GLib-GObject", "GLib-GIO", "librsvg", "Poppler",
		                               "Pango", "cairo" };

	for (size_t i = 0; i < COUNT(domains); i++)
		g_log_set_handler(domains[i], (GLogLevelFlags)(G_LOG_LEVEL_MASK & ~G_LOG_LEVEL_ERROR), stay_silent, NULL);
	start_failed = VIPS_INIT("akin");
	if (start_failed) return;
	vips_concurrency_set(1);
	vips_cache_set_max(0);
	allow_only_listed_loaders();
}

akin_status image_init(akin_error *err)
{
	pthread_once(&once, start);
	if (start_failed) return error_set(err, AKIN_ERR_INTERNAL, "libvips does not start");
	return AKIN_OK;
}

/* ---- one at a time, when something failed ---- */

static pthread_rwlock_t turns;

static void make_turns(void)
{
	pthread_rwlockattr_t attr;

	pthread_rwlockattr_init(&attr);
	/* Else a steady stream of decoders would keep a failed one waiting for ever. */
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&turns, &attr);
	pthread_rwlockattr_destroy(&attr);
}

void decoder_enter(bool alone)
{
	static pthread_once_t made = PTHREAD_ONCE_INIT;

	pthread_once(&made, make_turns);
	if (alone) pthread_rwlock_wrlock(&turns);
	else pthread_rwlock_rdlock(&turns);
	if (alone) decoder_forget_errors();
}

bool decoder_leave(akin_status st, bool alone)
{
	pthread_rwlock_unlock(&turns);
	return !alone && (st == AKIN_ERR_FORMAT || st == AKIN_ERR_UNSUPPORTED || st == AKIN_ERR_INTERNAL);
}

/* ---- loading ---- */

static void set_double(VipsOperation *op, const char *name, double value)
{
	g_object_set(op, name, value, NULL);
}

static void set_int(VipsOperation *op, const char *name, int value)
{
	g_object_set(op, name, value, NULL);
}

/* Give the loader the file's bytes, which stay the caller's. */
static void set_input(VipsOperation *op, const struct decoder *d)
{
	if (strstr(d->format->loader, "_source")) {
		VipsSource *source = vips_source_new_from_memory(d->bytes, d->n);

		g_object_set(op, "source", source, NULL);
		g_object_unref(source);
	} else {
		VipsBlob *blob = vips_blob_new(NULL, d->bytes, d->n);

		g_object_set(op, "buffer", blob, NULL);
		vips_area_unref(VIPS_AREA(blob));
	}
}

/* `shrink` is in the unit of the format's shrink_kind; 0 loads as it is. */
static akin_status load(struct decoder *d, double shrink, akin_error *err)
{
	VipsOperation *op = vips_operation_new(d->format->loader);
	VipsImage *image = NULL;

	if (!op) {
		decoder_forget_errors();
		return error_set(err, AKIN_ERR_UNSUPPORTED, "%s is not read by this libvips; %s", d->format->title,
		                 d->format->instead ? d->format->instead : "it was built without");
	}
	set_input(op, d);
	g_object_set(op, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_TRUNCATED, NULL);
	if (shrink > 0 && d->format->shrink == SHRINK_JPEG) set_int(op, "shrink", (int)shrink);
	if (shrink > 0 && d->format->shrink == SHRINK_PAGE) set_int(op, "page", (int)shrink);
	if (shrink > 0 && (d->format->shrink == SHRINK_SCALE || d->format->shrink == SHRINK_VECTOR))
		set_double(op, "scale", shrink);
	if (vips_cache_operation_buildp(&op)) {
		vips_object_unref_outputs(VIPS_OBJECT(op));
		g_object_unref(op);
		return decoder_failed(d, err);
	}
	g_object_get(op, "out", &image, NULL);
	vips_object_unref_outputs(VIPS_OBJECT(op));
	g_object_unref(op);
	if (d->image) g_object_unref(d->image);
	d->image = image;
	d->width = (unsigned)image->Xsize;
	d->height = (unsigned)image->Ysize;
	return AKIN_OK;
}

static void describe(struct decoder *d)
{
	int orientation = d->image ? vips_image_get_orientation(d->image) : 1;

	if (!d->orientation) d->orientation = orientation >= 1 && orientation <= 8 ? (unsigned)orientation : 1;
	d->info.width = d->orientation >= 5 ? d->height : d->width;
	d->info.height = d->orientation >= 5 ? d->width : d->height;
	d->span_x = d->width;
	d->span_y = d->height;
}

/* A camera's raw file stands for the JPEG that the camera put into it. */
static akin_status look_into_raw(struct decoder *d, akin_error *err)
{
	bool raw = !strcmp(d->format->name, "raw");
	const uint8_t *preview;
	unsigned orientation;
	size_t n;

	if (!raw && strcmp(d->format->name, "tiff")) return AKIN_OK;
	if (!raw_preview(d->bytes, d->n, &preview, &n, &orientation) && !raw) return AKIN_OK;
	d->format = format_named("raw");
	if (!preview)
		return error_set(err, AKIN_ERR_UNSUPPORTED, "camera RAW without a JPEG preview; %s", d->format->instead);
	snprintf(d->info.format, sizeof d->info.format, "raw");
	d->format = format_named("jpeg");
	d->bytes = preview;
	d->n = n;
	d->orientation = orientation;
	return AKIN_OK;
}

/* Bitmaps and icons. An icon may hold a PNG, which is then read as any other. */
static akin_status load_bitmap(struct decoder *d, akin_error *err)
{
	const uint8_t *png = NULL;
	size_t n = 0;
	akin_status st = !strcmp(d->format->name, "bmp") ? bmp_open(&d->bmp, d->bytes, d->n, err)
	                                                 : ico_open(&d->bmp, d->bytes, d->n, &png, &n, err);

	if (st != AKIN_OK) return st;
	if (png) {
		d->bytes = png;
		d->n = n;
		d->format = format_named("png");
		return load(d, 0, err);
	}
	d->width = d->bmp.width;
	d->height = d->bmp.height;
	d->orientation = 1;
	return AKIN_OK;
}

/* The long way for JPEGs: libvips asks no clock while libjpeg reads all scans of a progressive one. */
static akin_status load_jpeg(struct decoder *d, akin_error *err)
{
	unsigned scans = jpeg_scans(d->bytes, d->n);

	if (scans <= JPEG_MAX_SCANS) return load(d, 0, err);
	return error_set(err, AKIN_ERR_LIMIT, "the JPEG has %u scans, the limit is %d", scans, JPEG_MAX_SCANS);
}

/* JPEGs the short way, if they go it. */
static akin_status open_format(struct decoder *d, akin_error *err)
{
	struct turbo_header header;
	akin_status st;

	if (!*d->format->loader) return load_bitmap(d, err);
	if (strcmp(d->format->name, "jpeg") != 0) return load(d, 0, err);
	if ((st = turbo_open(&d->turbo, d->bytes, d->n, d->deadline, &header, err)) != AKIN_OK) return st;
	if (!d->turbo) return load_jpeg(d, err);
	d->width = header.width;
	d->height = header.height;
	d->turbo_bytes = header.bytes_a_pixel;
	if (!d->orientation) d->orientation = header.orientation;
	return AKIN_OK;
}

akin_status decoder_open(struct decoder *d, const void *bytes, size_t n, const struct image_limits *limits,
                         akin_error *err)
{
	akin_status st;

	memset(d, 0, sizeof *d);
	d->limits = image_limits_or_default(limits);
	d->deadline = clock_seconds() + d->limits.max_seconds;
	if ((st = image_init(err)) != AKIN_OK) return st;
	if ((st = limits_check_file(&d->limits, n, err)) != AKIN_OK) return st;
	d->bytes = bytes;
	d->n = n;
	d->format = format_of(bytes, n);
	if (!d->format) return error_set(err, AKIN_ERR_FORMAT, "not a picture: its first bytes belong to no known format");
	snprintf(d->info.format, sizeof d->info.format, "%s", d->format->name);
	if ((st = look_into_raw(d, err)) != AKIN_OK) return st;
	if (!d->format->loader)
		return error_set(err, AKIN_ERR_UNSUPPORTED, "%s is not read; %s", d->format->title, d->format->instead);
	if ((!strcmp(d->format->name, "heif") || !strcmp(d->format->name, "avif")) && !boxes_fit(d->bytes, d->n))
		return error_set(err, AKIN_ERR_FORMAT, "truncated %s: a part of it claims more bytes than there are",
		                 d->format->title);
	if ((st = open_format(d, err)) != AKIN_OK) return st;
	describe(d);
	if (d->format->shrink == SHRINK_VECTOR) return AKIN_OK; /* it counts how large it will be drawn */
	return limits_check_size(&d->limits, d->info.width, d->info.height, err);
}

void decoder_close(struct decoder *d)
{
	turbo_close(d->turbo);
	if (d->region) g_object_unref(d->region);
	if (d->image) g_object_unref(d->image);
	d->turbo = NULL;
	d->region = NULL;
	d->image = NULL;
	/* Warnings that did not stop this picture must not become the next one's reason. */
	if (*vips_error_buffer()) decoder_forget_errors();
}

/* ---- shrinking ---- */

static double jpeg_shrink(double factor)
{
	return factor >= 8 ? 8 : factor >= 4 ? 4 : factor >= 2 ? 2 : 0;
}

/* Each page of a JPEG 2000 is half as large as the one before. */
static double page_shrink(const struct decoder *d, double factor)
{
	int pages = vips_image_get_n_pages(d->image), page = 0;

	while (factor >= 2 && page + 1 < pages) factor /= 2, page++;
	return page;
}

akin_status decoder_shrink(struct decoder *d, double factor, akin_error *err)
{
	double width = d->width, height = d->height, shrink = 0;
	akin_status st;

	switch (d->format->shrink) {
	case SHRINK_NONE: break;
	case SHRINK_JPEG: shrink = jpeg_shrink(factor); break;
	case SHRINK_SCALE: shrink = factor >= 1.5 ? 1 / factor : 0; break;
	case SHRINK_VECTOR: shrink = fmax(1 / factor, 0.001); break; /* the loaders' smallest */
	case SHRINK_PAGE: shrink = page_shrink(d, factor); break;
	}
	if (shrink <= 0) return AKIN_OK;
	d->shrink = shrink;
	if (d->turbo) turbo_scale(d->turbo, (unsigned)shrink, &d->width, &d->height);
	else if ((st = load(d, shrink, err)) != AKIN_OK) return st;
	if (d->format->shrink == SHRINK_VECTOR && (st = limits_check_size(&d->limits, d->width, d->height, err)) != AKIN_OK)
		return st;
	if (d->format->shrink == SHRINK_JPEG) {
		d->span_x = width / shrink;
		d->span_y = height / shrink;
	} else {
		d->span_x = d->width;
		d->span_y = d->height;
	}
	return AKIN_OK;
}

/* ---- colours ---- */

static void replace(struct decoder *d, VipsImage *image)
{
	g_object_unref(d->image);
	d->image = image;
}

bool profile_is_srgb(const void *profile, size_t n)
{
	static const char wide[] = "s\0R\0G\0B";
	const char *bytes = profile;

	if (n > 4096) return false; /* the scanner profiles that mention sRGB in passing are long */
	for (size_t i = 0; i + sizeof wide <= n; i++)
		if (!memcmp(bytes + i, "sRGB", 4) || !memcmp(bytes + i, wide, sizeof wide - 1)) return true;
	return false;
}

static void apply_profile(struct decoder *d)
{
	const void *profile;
	size_t n;
	VipsImage *out;

	if (!vips_image_get_typeof(d->image, VIPS_META_ICC_NAME)) return;
	if (vips_image_get_blob(d->image, VIPS_META_ICC_NAME, &profile, &n) || profile_is_srgb(profile, n)) return;
	if (vips_icc_transform(d->image, &out, "srgb", "embedded", TRUE, "intent", VIPS_INTENT_RELATIVE, "depth", 8, NULL))
		decoder_forget_errors(); /* a broken profile: the numbers are taken for sRGB */
	else
		replace(d, out);
}

static bool is_plain(const VipsImage *image)
{
	if (image->Coding != VIPS_CODING_NONE) return false;
	if (image->BandFmt != VIPS_FORMAT_UCHAR && image->BandFmt != VIPS_FORMAT_USHORT) return false;
	switch (image->Type) {
	case VIPS_INTERPRETATION_B_W:
	case VIPS_INTERPRETATION_GREY16:
	case VIPS_INTERPRETATION_sRGB:
	case VIPS_INTERPRETATION_RGB:
	case VIPS_INTERPRETATION_RGB16:
	case VIPS_INTERPRETATION_CMYK:
	case VIPS_INTERPRETATION_MULTIBAND: return true;
	default: return false;
	}
}

/* Measured values without a meaning of their own (heights, counts): smallest black, largest white. That takes a second
 * pass, hence the copy. */
static akin_status stretch_values(struct decoder *d, akin_error *err)
{
	VipsImage *copy = NULL, *out = NULL;
	uint64_t bytes = (uint64_t)d->width * d->height * vips_format_sizeof(d->image->BandFmt) * (uint64_t)d->image->Bands;

	if (bytes > d->limits.max_memory)
		return error_set(err, AKIN_ERR_LIMIT, "%u x %u pixels need %llu MB to decode", d->width, d->height,
		                 (unsigned long long)bytes / 1000000);
	copy = vips_image_copy_memory(d->image);
	if (!copy || vips_scale(copy, &out, NULL)) {
		if (copy) g_object_unref(copy);
		return decoder_failed(d, err);
	}
	g_object_unref(copy);
	replace(d, out);
	return AKIN_OK;
}

static akin_status settle_colours(struct decoder *d, akin_error *err)
{
	VipsImage *out;

	apply_profile(d);
	if (is_plain(d->image)) return AKIN_OK;
	if (d->image->Coding == VIPS_CODING_NONE &&
	    (d->image->Type == VIPS_INTERPRETATION_B_W || d->image->Type == VIPS_INTERPRETATION_MULTIBAND ||
	     d->image->Type == VIPS_INTERPRETATION_GREY16))
		return stretch_values(d, err);
	if (vips_colourspace(d->image, &out, VIPS_INTERPRETATION_sRGB, NULL)) return decoder_failed(d, err);
	replace(d, out);
	if (d->image->BandFmt == VIPS_FORMAT_UCHAR) return AKIN_OK;
	if (vips_cast_uchar(d->image, &out, NULL)) return decoder_failed(d, err);
	replace(d, out);
	return AKIN_OK;
}

static akin_status start_vips(struct decoder *d, akin_error *err)
{
	akin_status st = settle_colours(d, err);
	unsigned bands;

	if (st != AKIN_OK) return st;
	bands = (unsigned)d->image->Bands;
	d->colours = d->image->Type == VIPS_INTERPRETATION_CMYK && bands >= 4 ? 4 : bands >= 3 ? 3 : 1;
	d->alpha = bands > d->colours && (d->image->Type != VIPS_INTERPRETATION_MULTIBAND || bands <= 4);
	d->wide = d->image->BandFmt == VIPS_FORMAT_USHORT;
	d->region = vips_region_new(d->image);
	return AKIN_OK;
}

/* The short way was left: go the long one from the beginning, so that the file is judged as if there were no other. */
static akin_status restart(struct decoder *d, akin_error *err)
{
	unsigned width = d->width, height = d->height;
	akin_status st;

	turbo_close(d->turbo);
	d->turbo = NULL;
	if ((st = load_jpeg(d, err)) != AKIN_OK) return st;
	if (d->shrink > 0 && (st = load(d, d->shrink, err)) != AKIN_OK) return st;
	if (d->width != width || d->height != height) /* never seen; room for rows has been taken */
		return error_set(err, AKIN_ERR_INTERNAL, "%u x %u pixels became %u x %u", width, height, d->width, d->height);
	return start_vips(d, err);
}

static akin_status too_late(const struct decoder *d, akin_error *err)
{
	return error_set(err, AKIN_ERR_LIMIT, "decoding took more than %.3g seconds", d->limits.max_seconds);
}

static akin_status after_turbo(struct decoder *d, enum turbo_outcome outcome, akin_error *err)
{
	return outcome == TURBO_OK ? AKIN_OK : outcome == TURBO_LATE ? too_late(d, err) : restart(d, err);
}

akin_status decoder_start(struct decoder *d, uint64_t out_bytes, akin_error *err)
{
	akin_status st = limits_check_memory(d, out_bytes, err);

	if (st != AKIN_OK) return st;
	if (d->turbo) return after_turbo(d, turbo_start(d->turbo), err);
	return d->image ? start_vips(d, err) : AKIN_OK;
}

/* ---- rows ---- */

/* a * b / 255, rounded. */
static inline unsigned product(unsigned a, unsigned b)
{
	unsigned p = a * b + 128;

	return (p + (p >> 8)) >> 8;
}

/* One row of any plain kind as RGB over white. CMYK without a profile is what it says: a colour's ink takes it away. */
static void to_rgb(const struct decoder *d, const uint8_t *from, uint8_t *rgb)
{
	/* Of 16 bits the high byte counts: the second on little-endian machines. */
	const size_t sample = d->wide ? 2 : 1, pel = (size_t)d->image->Bands * sample;
	const size_t g = d->colours >= 3 ? sample : 0, b = 2 * g;
	const uint8_t *p = from + (d->wide && G_BYTE_ORDER == G_LITTLE_ENDIAN);

	if (pel == 3 && d->colours == 3) {
		memcpy(rgb, from, (size_t)d->width * 3);
		return;
	}
	for (unsigned x = 0; x < d->width; x++, p += pel, rgb += 3) {
		rgb[0] = p[0], rgb[1] = p[g], rgb[2] = p[b];
		if (d->colours == 4)
			for (int c = 0; c < 3; c++) rgb[c] = (uint8_t)product(255u - rgb[c], 255u - p[3 * sample]);
		if (d->alpha) {
			unsigned a = p[d->colours * sample];

			for (int c = 0; c < 3; c++) rgb[c] = (uint8_t)(product(rgb[c], a) + 255 - a);
		}
	}
}

static akin_status vips_row(struct decoder *d, unsigned y, uint8_t *rgb, akin_error *err)
{
	const VipsRect *valid = &d->region->valid; /* always whole rows */

	if (!d->region->data || (int)y < valid->top || (int)y >= valid->top + valid->height) {
		unsigned top = y / STRIP * STRIP, rows = d->height - top < STRIP ? d->height - top : STRIP;
		VipsRect strip = { 0, (int)top, (int)d->width, (int)rows };

		if (clock_seconds() > d->deadline) return too_late(d, err);
		if (vips_region_prepare(d->region, &strip)) return decoder_failed(d, err);
	}
	to_rgb(d, d->region->data + (size_t)((int)y - valid->top) * (size_t)d->region->bpl, rgb);
	return AKIN_OK;
}

static akin_status turbo_rows(struct decoder *d, unsigned y, uint8_t *rgb, akin_error *err)
{
	akin_status st = AKIN_OK;

	for (; st == AKIN_OK && d->turbo && d->next_row <= y; d->next_row++)
		st = after_turbo(d, turbo_row(d->turbo, rgb), err);
	if (d->turbo) return st;
	for (unsigned past = 0; st == AKIN_OK && past < y; past += STRIP) st = vips_row(d, past, rgb, err);
	return st == AKIN_OK ? vips_row(d, y, rgb, err) : st;
}

akin_status decoder_row(struct decoder *d, unsigned y, uint8_t *rgb, akin_error *err)
{
	if (d->turbo) return turbo_rows(d, y, rgb, err);
	if (d->image) return vips_row(d, y, rgb, err);
	bmp_row(&d->bmp, y, rgb);
	return AKIN_OK;
}
