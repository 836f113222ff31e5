/* engine/local_draw.c - a match as a picture: both side by side, lines between what belongs together.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "engine/local.h"

enum { GAP = 8 };

struct canvas {
	uint8_t *rgb;
	unsigned width, height;
};

static void put_picture(struct canvas *c, const struct picture *p, unsigned left)
{
	for (unsigned y = 0; y < p->height; y++)
		memcpy(c->rgb + 3 * ((size_t)y * c->width + left), p->rgb + 3 * (size_t)y * p->width,
		       3 * (size_t)p->width);
}

static void blend(struct canvas *c, int x, int y, const uint8_t colour[3], double share)
{
	uint8_t *to;

	if (x < 0 || y < 0 || x >= (int)c->width || y >= (int)c->height) return;
	to = c->rgb + 3 * ((size_t)y * c->width + (size_t)x);
	for (int k = 0; k < 3; k++) to[k] = (uint8_t)(to[k] + share * (colour[k] - to[k]));
}

/* Wu's antialiased line: each step along the longer axis is shared by two pixels across. */
static void put_line(struct canvas *c, const double from[2], const double to[2], const uint8_t colour[3])
{
	double dx = to[0] - from[0], dy = to[1] - from[1];
	bool steep = fabs(dy) > fabs(dx);
	int n = (int)fmin(ceil(fmax(fabs(dx), fabs(dy))), 4.0 * (c->width + c->height));

	for (int i = 0; i <= n; i++) {
		double t = n ? (double)i / n : 0, x = from[0] + t * dx, y = from[1] + t * dy, across = steep ? x : y;
		int low = (int)floor(across);

		if (!(fabs(x) < 1e6 && fabs(y) < 1e6)) continue;
		blend(c, steep ? low : (int)lround(x), steep ? (int)lround(y) : low, colour, 1 - (across - low));
		blend(c, steep ? low + 1 : (int)lround(x), steep ? (int)lround(y) : low + 1, colour, across - low);
	}
}

/* A colour a line can be followed by: hues a golden ratio apart. */
static void colour_of(size_t i, uint8_t colour[3])
{
	double hue = (double)i * 0.61803398875;

	for (int k = 0; k < 3; k++) {
		double t = fabs(fmod(hue + k / 3.0, 1) * 6 - 3) - 1;
		colour[k] = (uint8_t)(60 + 195 * fmin(fmax(t, 0), 1));
	}
}

static void place(const struct akin_local *l, double x, double y, unsigned left, double to[2])
{
	to[0] = (x + 0.5) / (double)l->to_x - 0.5 + left;
	to[1] = (y + 0.5) / (double)l->to_y - 0.5;
}

static void put_pairs(struct canvas *c, const struct akin_match *m, unsigned left)
{
	for (size_t i = 0; i < m->info.n_matches; i++) {
		const struct local_feature *a = &m->a->set.at[m->matches[i].a], *b = &m->b->set.at[m->matches[i].b];
		double from[2], to[2];
		uint8_t colour[3];

		if (!m->inlier[i] || !m->info.found) continue;
		place(m->a, (double)a->x, (double)a->y, 0, from);
		place(m->b, (double)b->x, (double)b->y, left, to);
		colour_of(i, colour);
		put_line(c, from, to, colour);
	}
}

static void put_box(struct canvas *c, const struct akin_match *m, unsigned left)
{
	static const uint8_t green[3] = { 40, 230, 80 };

	for (int thick = -1; thick <= 1; thick++)
		for (size_t i = 0; i < 4 && m->info.has_box; i++) {
			const double *p = m->info.box + 2 * i, *q = m->info.box + 2 * ((i + 1) % 4);
			double from[2], to[2];

			place(m->b, p[0], p[1], left, from);
			place(m->b, q[0], q[1], left, to);
			from[0] += thick, from[1] += thick, to[0] += thick, to[1] += thick;
			put_line(c, from, to, green);
		}
}

akin_status akin_match_draw(const akin_match *m, unsigned char **rgb, unsigned *width, unsigned *height,
                            akin_error *err)
{
	const struct picture *a = &m->a->picture, *b = &m->b->picture;
	struct canvas c = { .width = a->width + GAP + b->width,
	                    .height = a->height > b->height ? a->height : b->height };

	error_clear(err);
	*rgb = NULL;
	*width = *height = 0;
	if (!a->rgb || !b->rgb) return error_set(err, AKIN_ERR_INVALID, "the pictures were not kept for drawing");
	if (!(c.rgb = mem_calloc((size_t)c.width * c.height, 3))) return error_nomem(err);
	put_picture(&c, a, 0);
	put_picture(&c, b, a->width + GAP);
	put_pairs(&c, m, a->width + GAP);
	put_box(&c, m, a->width + GAP);
	*rgb = c.rgb;
	*width = c.width;
	*height = c.height;
	return AKIN_OK;
}

akin_status akin_match_draw_file(const akin_match *m, const char *path, akin_error *err)
{
	struct picture drawn = PICTURE_EMPTY;
	struct buf png = BUF_EMPTY;
	akin_status st = akin_match_draw(m, &drawn.rgb, &drawn.width, &drawn.height, err);

	if (st == AKIN_OK) st = image_encode(&drawn, CODEC_PNG, &png, err);
	if (st == AKIN_OK) st = fs_write(path, png.data, png.len, err);
	buf_deinit(&png);
	mem_free(drawn.rgb);
	return st;
}
