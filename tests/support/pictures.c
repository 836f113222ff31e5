/* support/pictures.c
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "pictures.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fs.h"
#include "base/rng.h"
#include "image/image.h"

void picture_make(uint64_t seed, struct buf *png)
{
	enum { W = 48, H = 32, BLOCK = 8 };
	static uint8_t rgb[W * H * 3];
	struct picture picture = { .rgb = rgb, .width = W, .height = H };
	struct rng rng = { seed };
	uint8_t colour[W / BLOCK * (H / BLOCK) * 3];

	for (size_t i = 0; i < sizeof colour; i++) colour[i] = (uint8_t)rng_u64(&rng);
	for (size_t y = 0; y < H; y++)
		for (size_t x = 0; x < W; x++)
			for (size_t c = 0; c < 3; c++)
				rgb[(y * W + x) * 3 + c] = colour[((y / BLOCK) * (W / BLOCK) + x / BLOCK) * 3 + c];
	buf_clear(png);
	if (image_encode(&picture, CODEC_PNG, png, NULL) != AKIN_OK) abort();
}

void picture_touch(const char *path)
{
	static time_t next = 1000000000;
	const struct timespec times[2] = { { next, 0 }, { next, 0 } };

	next++;
	if (utimensat(AT_FDCWD, path, times, 0) != 0) abort();
}

void picture_write(const char *path, const void *bytes, size_t n)
{
	if (fs_write(path, bytes, n, NULL) != AKIN_OK) abort();
	picture_touch(path);
}
