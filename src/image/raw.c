/* image/raw.c - the JPEG preview within a camera's raw file.
 *
 * Nearly all cameras write TIFF: directories of tags, chained and nested, one of them with the sensor's data and others
 * with JPEGs of several sizes. The largest JPEG that libjpeg can read (not the lossless kind, which holds the sensor's data)
 * is what the camera would have stored. All offsets are hostile: reads are checked, directories are counted.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "image/decode.h"

#include <string.h>

enum { MAX_DIRECTORIES = 32, MAX_TAGS = 1024 };

enum tag {
	TAG_PANASONIC_JPEG = 0x2e,
	TAG_COMPRESSION = 0x103,
	TAG_PHOTOMETRIC = 0x106,
	TAG_STRIP_OFFSETS = 0x111,
	TAG_ORIENTATION = 0x112,
	TAG_STRIP_BYTES = 0x117,
	TAG_SUB_DIRECTORIES = 0x14a,
	TAG_JPEG_OFFSET = 0x201,
	TAG_JPEG_BYTES = 0x202,
	TAG_DNG_VERSION = 0xc612
};

struct walk {
	const uint8_t *bytes;
	size_t n;
	bool big_endian, sensor; /* sensor: something was met that only raw files have */
	uint32_t todo[MAX_DIRECTORIES];
	unsigned n_todo, n_done, orientation;
	const uint8_t *best;
	size_t best_n;
};

static uint32_t get(const struct walk *w, uint64_t at, unsigned bytes)
{
	uint32_t v = 0;

	if (at + bytes > w->n) return 0;
	for (unsigned i = 0; i < bytes; i++) v |= (uint32_t)w->bytes[at + i] << 8 * (w->big_endian ? bytes - 1 - i : i);
	return v;
}

/* Each directory once: a chain that bites its tail ends. */
static void visit_later(struct walk *w, uint32_t at)
{
	if (!at || w->n_todo == MAX_DIRECTORIES) return;
	for (unsigned i = 0; i < w->n_todo; i++)
		if (w->todo[i] == at) return;
	w->todo[w->n_todo++] = at;
}

/* Whether libjpeg reads it: the frame's marker is that of a baseline, extended or progressive picture. */
static bool is_ordinary_jpeg(const uint8_t *p, size_t n)
{
	if (n < 4 || p[0] != 0xff || p[1] != 0xd8) return false;
	for (size_t at = 2; at + 4 <= n && p[at] == 0xff; at += 2 + ((size_t)p[at + 2] << 8 | p[at + 3])) {
		uint8_t marker = p[at + 1];

		if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc)
			return marker <= 0xc2;
	}
	return false;
}

static void consider(struct walk *w, uint32_t at, uint32_t bytes)
{
	if (!at || at >= w->n) return;
	if (bytes > w->n - at) bytes = (uint32_t)(w->n - at);
	if (bytes <= w->best_n || !is_ordinary_jpeg(w->bytes + at, bytes)) return;
	w->best = w->bytes + at;
	w->best_n = bytes;
}

/* What one directory says that matters here. */
struct directory {
	uint32_t jpeg, jpeg_bytes, strip, strip_bytes;
};

static void read_tag(struct walk *w, uint64_t at, struct directory *dir)
{
	uint32_t tag = get(w, at, 2), kind = get(w, at + 2, 2), count = get(w, at + 4, 4);
	uint32_t value = kind == 3 ? get(w, at + 8, 2) : get(w, at + 8, 4);

	switch ((enum tag)tag) {
	case TAG_PANASONIC_JPEG: consider(w, value, count); break;
	case TAG_COMPRESSION: /* Nikon's, Sony's, Pentax' and Samsung's own */
		if (value == 34713 || value == 32767 || value == 65535 || value == 32770) w->sensor = true;
		break;
	case TAG_PHOTOMETRIC: /* colour filter array, linear raw */
		if (value == 32803 || value == 34892) w->sensor = true;
		break;
	case TAG_STRIP_OFFSETS:
		if (count == 1) dir->strip = value;
		break;
	case TAG_ORIENTATION:
		if (!w->orientation && value >= 1 && value <= 8) w->orientation = value;
		break;
	case TAG_STRIP_BYTES: dir->strip_bytes = value; break;
	case TAG_SUB_DIRECTORIES:
		if (count == 1) visit_later(w, value);
		for (uint32_t i = 0; count > 1 && i < count && i < MAX_DIRECTORIES; i++)
			visit_later(w, get(w, (uint64_t)value + 4 * i, 4));
		break;
	case TAG_JPEG_OFFSET: dir->jpeg = value; break;
	case TAG_JPEG_BYTES: dir->jpeg_bytes = value; break;
	case TAG_DNG_VERSION: w->sensor = true; break;
	}
}

static void read_directory(struct walk *w, uint32_t at)
{
	uint32_t tags = get(w, at, 2);
	struct directory dir = { 0 };

	if (tags > MAX_TAGS) return;
	for (uint32_t i = 0; i < tags; i++) read_tag(w, (uint64_t)at + 2 + 12 * i, &dir);
	consider(w, dir.jpeg, dir.jpeg_bytes);
	consider(w, dir.strip, dir.strip_bytes);
	visit_later(w, get(w, (uint64_t)at + 2 + 12 * tags, 4));
}

/* Fujifilm: a fixed place, big-endian. */
static bool fuji_preview(struct walk *w)
{
	if (w->n < 92 || memcmp(w->bytes, "FUJIFILMCCD-RAW", 15)) return false;
	w->big_endian = true;
	consider(w, get(w, 84, 4), get(w, 88, 4));
	return true;
}

bool raw_preview(const uint8_t *bytes, size_t n, const uint8_t **preview, size_t *preview_n, unsigned *orientation)
{
	struct walk w = { .bytes = bytes, .n = n };

	*preview = NULL;
	*preview_n = 0;
	*orientation = 0;
	if (n < 8) return false;
	if (fuji_preview(&w)) {
		w.sensor = true;
	} else {
		w.big_endian = bytes[0] == 'M';
		w.sensor = bytes[2] != '*' && bytes[3] != '*'; /* Olympus, Panasonic */
		if (n >= 10 && !memcmp(bytes + 8, "CR", 2)) w.sensor = true;
		visit_later(&w, get(&w, 4, 4));
		while (w.n_done < w.n_todo) read_directory(&w, w.todo[w.n_done++]);
	}
	*preview = w.best;
	*preview_n = w.best_n;
	*orientation = w.orientation;
	return w.sensor;
}
