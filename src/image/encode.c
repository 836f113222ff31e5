/* image/encode.c - pixels to a file's bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include <vips/vips.h>

#include "image/decode.h"
#include "image/image.h"

akin_status image_encode(const struct picture *picture, enum image_codec codec, struct buf *out, akin_error *err)
{
	size_t bytes = (size_t)picture->width * picture->height * 3, n = 0;
	VipsImage *image = NULL;
	void *data = NULL;
	akin_status st = image_init(err);

	if (st != AKIN_OK) return st;
	if (!bytes) return error_set(err, AKIN_ERR_INVALID, "a picture without pixels cannot be written");
	image = vips_image_new_from_memory(picture->rgb, bytes, (int)picture->width, (int)picture->height, 3, VIPS_FORMAT_UCHAR);
	if (image) image->Type = VIPS_INTERPRETATION_sRGB;
	if (!image || (codec == CODEC_PNG ? vips_pngsave_buffer(image, &data, &n, NULL)
	                                  : vips_jpegsave_buffer(image, &data, &n, "Q", 88, NULL))) {
		decoder_forget_errors();
		st = error_set(err, AKIN_ERR_INTERNAL, "libvips cannot write %s", codec == CODEC_PNG ? "PNG" : "JPEG");
		goto out;
	}
	buf_add(out, data, n);
	if (out->failed) st = error_nomem(err);
out:
	g_free(data);
	if (image) g_object_unref(image);
	return st;
}
