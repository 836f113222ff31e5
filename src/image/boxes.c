/* image/boxes.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "image/boxes.h"

#include <string.h>

#include "base/status.h"

enum { MAX_DEPTH = 8, SMALLEST = 8 };

static uint64_t big_endian(const uint8_t *p, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++) value = value << 8 | p[i];
	return value;
}

/* Bytes between a box's head and its first child; 0: it holds no boxes that matter here. */
static size_t children_at(const uint8_t *type, bool *has_children)
{
	static const char *const plain[] = { "moov", "trak", "mdia", "minf", "stbl", "dinf", "iprp", "ipco", "edts", "udta" };

	*has_children = true;
	if (!memcmp(type, "meta", 4)) return 4; /* version and flags */
	for (size_t i = 0; i < COUNT(plain); i++)
		if (!memcmp(type, plain[i], 4)) return 0;
	*has_children = false;
	return 0;
}

static bool fit(const uint8_t *bytes, size_t n, unsigned depth)
{
	size_t at = 0;

	while (n - at >= SMALLEST) {
		uint64_t size = big_endian(bytes + at, 4);
		size_t head = 8, skip;
		bool has_children;

		if (size == 1) {
			if (n - at < 16) return false;
			size = big_endian(bytes + at + 8, 8);
			head = 16;
		} else if (size == 0) {
			if (depth) return false; /* "to the end of the file" */
			size = n - at;
		}
		if (size < head || size > n - at) return false;
		skip = children_at(bytes + at + 4, &has_children);
		if (has_children && (size < head + skip || depth == MAX_DEPTH ||
		                     !fit(bytes + at + head + skip, (size_t)size - head - skip, depth + 1)))
			return false;
		at += (size_t)size;
	}
	return true; /* some writers pad with fewer bytes than a box has */
}

bool boxes_fit(const uint8_t *bytes, size_t n)
{
	return fit(bytes, n, 0);
}
