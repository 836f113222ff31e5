/* fuzz/fuzz_image.c - any bytes are a tensor or a reason.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static const struct image_recipe recipe = { .width = 16, .height = 16, .resize_to = 18 };
	static const struct image_limits limits = { 1 << 20, 1 << 20, 4096, 64 << 20, 2 };
	uint8_t tensor[16 * 16 * 3];
	struct picture_info info;
	akin_error err = { 0 };

	if (image_tensor(bytes, n, &recipe, &limits, tensor, &info, &err) != AKIN_OK &&
	    (!err.text[0] || strchr(err.text, '\n')))
		abort(); /* a failure without one clear sentence */
	return 0;
}
