/* image/turbo.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "image/turbo.h"

#include <setjmp.h>
#include <stdio.h> /* jpeglib.h needs it */
#include <string.h>

#include <jpeglib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "image/decode.h"

#undef error_exit /* of jpeg_error_mgr; a macro in the headers of libvips 8.16 */

struct turbo {
	struct jpeg_decompress_struct c;
	struct jpeg_error_mgr errors;
	struct jpeg_progress_mgr progress;
	jmp_buf jump; /* out of libjpeg, to the function that called it */
	double deadline;
	bool late;
};

static _Noreturn void leave(j_common_ptr c)
{
	struct turbo *t = c->client_data;

	longjmp(t->jump, 1);
}

static void on_message(j_common_ptr c, int level)
{
	if (level < 0) leave(c); /* a warning; the others are chatter */
}

/* While all scans of a progressive file are read, before the first row. */
static void on_progress(j_common_ptr c)
{
	struct turbo *t = c->client_data;

	t->late = clock_seconds() > t->deadline;
	if (t->late || t->c.input_scan_number > JPEG_MAX_SCANS) leave(c);
}

/* ---- header ---- */

unsigned jpeg_scans(const uint8_t *bytes, size_t n)
{
	unsigned scans = 0;

	for (size_t at = 0; at + 4 <= n;) {
		const uint8_t *p = memchr(bytes + at, 0xff, n - at);

		if (!p || (at = (size_t)(p - bytes)) + 4 > n || p[1] == 0xd9) break;
		scans += p[1] == 0xda;
		if (p[1] == 0xff) at += 1;
		else if (p[1] <= 1 || (p[1] & 0xf8) == 0xd0 || p[1] == 0xd8) at += 2;
		else at += 2 + ((size_t)p[2] << 8 | p[3]);
	}
	return scans;
}

static unsigned get(const uint8_t *p, unsigned bytes, bool big_endian)
{
	unsigned v = 0;

	for (unsigned i = 0; i < bytes; i++) v |= (unsigned)p[i] << 8 * (big_endian ? bytes - 1 - i : i);
	return v;
}

unsigned exif_orientation(const uint8_t *bytes, size_t n)
{
	const uint8_t *tiff = bytes + 6;
	unsigned tags, found = 0;
	bool big;
	size_t at;

	if (n < 6 + 8 || memcmp(bytes, "Exif\0", 6) != 0) return 0;
	n -= 6;
	big = tiff[0] == 'M';
	if (memcmp(tiff, big ? "MM\0*" : "II*\0", 4) != 0) return 0;
	at = get(tiff + 4, 4, big);
	if (at < 8 || at > n - 2) return 0;
	tags = get(tiff + at, 2, big);
	at += 2;
	if (tags > (n - at) / 12) return 0;
	for (const uint8_t *tag = tiff + at; tags--; tag += 12) {
		unsigned value = get(tag + 8, 2, big);

		if (get(tag, 2, big) != 0x112) continue;
		if (found || get(tag + 2, 2, big) != 3 || get(tag + 4, 4, big) != 1 || value < 1 || value > 8) return 0;
		found = value;
	}
	return found ? found : 1;
}

static bool begins(const struct jpeg_marker_struct *m, const char *word)
{
	return m->data_length >= strlen(word) && !memcmp(m->data, word, strlen(word));
}

/* What the markers say; false when they say something that libvips should hear. */
static bool read_markers(const struct turbo *t, unsigned *orientation)
{
	bool profile = false;

	*orientation = 0;
	for (const struct jpeg_marker_struct *m = t->c.marker_list; m; m = m->next) {
		if (m->marker == JPEG_APP0 + 1 && begins(m, "Exif")) {
			if (*orientation) return false;
			*orientation = exif_orientation(m->data, m->data_length);
			if (!*orientation) return false;
		} else if (m->marker == JPEG_APP0 + 2 && begins(m, "ICC_PROFILE")) {
			if (profile || m->data_length < 14 || m->data[12] != 1 || m->data[13] != 1) return false;
			if (!profile_is_srgb(m->data + 14, m->data_length - 14)) return false;
			profile = true;
		}
	}
	if (!*orientation) *orientation = 1;
	return true;
}

static bool is_ordinary(const struct turbo *t)
{
	const struct jpeg_decompress_struct *c = &t->c;

	if (c->data_precision != 8 || c->arith_code) return false;
	return (c->jpeg_color_space == JCS_GRAYSCALE && c->num_components == 1) ||
	       ((c->jpeg_color_space == JCS_YCbCr || c->jpeg_color_space == JCS_RGB) && c->num_components == 3);
}

static bool read_header(struct turbo *t, const uint8_t *bytes, size_t n, struct turbo_header *header)
{
	if (setjmp(t->jump)) return false;
	jpeg_create_decompress(&t->c);
	t->c.client_data = t;
	jpeg_mem_src(&t->c, bytes, n);
	jpeg_save_markers(&t->c, JPEG_APP0 + 1, 0xffff);
	jpeg_save_markers(&t->c, JPEG_APP0 + 2, 0xffff);
	jpeg_read_header(&t->c, TRUE);
	if (!is_ordinary(t) || !read_markers(t, &header->orientation)) return false;
	t->c.out_color_space = JCS_RGB;
	header->width = t->c.image_width;
	header->height = t->c.image_height;
	if (jpeg_has_multiple_scans(&t->c)) /* 2 bytes each, of which chroma has a quarter or all */
		header->bytes_a_pixel = t->c.max_h_samp_factor > 1 && t->c.max_v_samp_factor > 1 ? 3 : 6;
	return true;
}

akin_status turbo_open(struct turbo **out, const uint8_t *bytes, size_t n, double deadline, struct turbo_header *header,
                       akin_error *err)
{
	struct turbo *t = mem_zalloc(sizeof *t);

	*out = NULL;
	*header = (struct turbo_header){ 0 };
	if (!t) return error_nomem(err);
	t->deadline = deadline;
	t->c.err = jpeg_std_error(&t->errors);
	t->c.client_data = t;
	t->errors.error_exit = leave;
	t->errors.emit_message = on_message;
	if (read_header(t, bytes, n, header)) *out = t;
	else turbo_close(t);
	return AKIN_OK;
}

void turbo_close(struct turbo *t)
{
	if (!t) return;
	jpeg_destroy_decompress(&t->c);
	mem_free(t);
}

/* ---- rows ---- */

static enum turbo_outcome outcome(const struct turbo *t)
{
	return t->late ? TURBO_LATE : TURBO_GIVES_UP;
}

void turbo_scale(struct turbo *t, unsigned denominator, unsigned *width, unsigned *height)
{
	t->c.scale_num = 1;
	t->c.scale_denom = denominator;
	jpeg_calc_output_dimensions(&t->c);
	*width = t->c.image_width / denominator;
	*height = t->c.image_height / denominator;
}

enum turbo_outcome turbo_start(struct turbo *t)
{
	if (setjmp(t->jump)) return outcome(t);
	t->progress.progress_monitor = on_progress;
	t->c.progress = &t->progress;
	jpeg_start_decompress(&t->c);
	t->c.progress = NULL;
	return TURBO_OK;
}

enum turbo_outcome turbo_row(struct turbo *t, uint8_t *rgb)
{
	if (setjmp(t->jump)) return outcome(t);
	if (t->c.output_scanline % 16 == 0 && (t->late = clock_seconds() > t->deadline)) return TURBO_LATE;
	jpeg_read_scanlines(&t->c, &rgb, 1);
	return TURBO_OK;
}
