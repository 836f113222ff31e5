/* cli/vectors_svg.c - a plot of recall against queries a second: speed on a logarithmic axis, since efforts are ratios.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/vectors.h"

#include <errno.h>
#include <string.h>

#include "common/text.h"

enum { WIDTH = 720, HEIGHT = 460, LEFT = 78, RIGHT = 28, TOP = 58, BOTTOM = 62 };

#define INK "#1f2933"
#define FAINT "#e4e7eb"
#define SOFT "#616e7c"
#define LINE "#1d6fb8"
#define SECOND "#c2571a"

struct frame {
	double x_min, x_step; /* recall at the left end, and between ticks; the right end is 1 */
	double y_min, y_max;  /* powers of ten */
};

static double x_at(const struct frame *f, double recall)
{
	return (double)LEFT + (recall - f->x_min) / (1 - f->x_min) * (double)(WIDTH - LEFT - RIGHT);
}

static double y_at(const struct frame *f, double qps)
{
	return (double)TOP + (f->y_max - log10(qps)) / (f->y_max - f->y_min) * (double)(HEIGHT - TOP - BOTTOM);
}

static struct frame frame_of(const struct bench_point *points, size_t n)
{
	struct frame f = { .x_min = 1, .x_step = 0.1, .y_min = 12, .y_max = 0 };

	for (size_t i = 0; i < n; i++) {
		const double low = log10(fmin(points[i].qps, points[i].batch_qps)),
			     high = log10(fmax(points[i].qps, points[i].batch_qps));

		f.x_min = fmin(f.x_min, points[i].recall);
		f.y_min = fmin(f.y_min, floor(low));
		f.y_max = fmax(f.y_max, ceil(high));
	}
	f.x_min = fmin(0.9, fmax(0, floor(f.x_min * 10) / 10));
	if (f.x_min >= 0.8) f.x_step = 0.02;
	else if (f.x_min >= 0.5) f.x_step = 0.05;
	if (f.y_max <= f.y_min) f.y_max = f.y_min + 1;
	return f;
}

static void put_axes(const struct frame *f, size_t k, FILE *out)
{
	const double bottom = HEIGHT - BOTTOM, right = WIDTH - RIGHT;
	char number[TEXT_NUMBER];

	for (int i = 0; f->x_min + i * f->x_step < 1 + f->x_step / 2; i++) {
		const double recall = f->x_min + i * f->x_step, x = x_at(f, recall);

		fprintf(out, "<path d='M%.1f %d V%.1f' stroke='" FAINT "'/>\n", x, TOP, bottom);
		fprintf(out, "<text x='%.1f' y='%.1f' text-anchor='middle' fill='" SOFT "'>%.2f</text>\n", x,
			bottom + 20, recall);
	}
	for (double power = f->y_min; power <= f->y_max; power++) {
		const double y = y_at(f, pow(10, power));

		for (int i = 2; i < 10 && power < f->y_max; i++) {
			const double minor = y_at(f, i * pow(10, power));

			fprintf(out, "<path d='M%d %.1f H%.1f' stroke='#f2f4f6'/>\n", LEFT, minor, right);
		}
		fprintf(out, "<path d='M%d %.1f H%.1f' stroke='" FAINT "'/>\n", LEFT, y, right);
		fprintf(out, "<text x='%d' y='%.1f' text-anchor='end' fill='" SOFT "'>%s</text>\n", LEFT - 10, y + 4,
		        text_number((uint64_t)(pow(10, power) + 0.5), number));
	}
	fprintf(out, "<path d='M%d %d V%.1f H%.1f' stroke='" SOFT "' fill='none'/>\n", LEFT, TOP, bottom, right);
	fprintf(out, "<text x='%.1f' y='%d' text-anchor='middle' fill='" INK "'>recall@%zu</text>\n",
		((double)LEFT + right) / 2, HEIGHT - 18, k);
	fprintf(out, "<text transform='translate(18 %.1f) rotate(-90)' text-anchor='middle' fill='" INK "'>"
	        "queries a second, one thread</text>\n", ((double)TOP + bottom) / 2);
}

static void put_curve(const struct frame *f, const struct bench_point *points, size_t n, bool batch, FILE *out)
{
	const char *colour = batch ? SECOND : LINE;

	fprintf(out, "<path fill='none' stroke='%s' stroke-width='2' stroke-linejoin='round' d='", colour);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%c%.1f %.1f ", i ? 'L' : 'M', x_at(f, points[i].recall),
		        y_at(f, batch ? points[i].batch_qps : points[i].qps));
	fputs("'/>\n", out);
	for (size_t i = 0; i < n; i++)
		fprintf(out,
			"<circle cx='%.1f' cy='%.1f' r='3.5' fill='%s' stroke='white'><title>effort %zu: recall %.4f, "
			"%.0f a "
			"second</title></circle>\n",
			x_at(f, points[i].recall), y_at(f, batch ? points[i].batch_qps : points[i].qps), colour,
			points[i].effort, points[i].recall, batch ? points[i].batch_qps : points[i].qps);
}

static void put_legend(FILE *out)
{
	static const char *const words[] = { "one by one", "as a batch" }, *const colours[] = { LINE, SECOND };

	for (int i = 0; i < 2; i++) {
		const int x = WIDTH - RIGHT - 220 + 115 * i;

		fprintf(out, "<path d='M%d %d h20' stroke='%s' stroke-width='2'/>\n", x, TOP - 16, colours[i]);
		fprintf(out, "<text x='%d' y='%d' fill='" INK "'>%s</text>\n", x + 26, TOP - 12, words[i]);
	}
}

bool vectors_svg_write(const char *path, const char *title, size_t k, const struct bench_point *points, size_t n)
{
	const struct frame f = frame_of(points, n);
	FILE *out = fopen(path, "w");
	bool failed;

	if (!out) {
		say("%s: %s", path, strerror(errno));
		return false;
	}
	fprintf(out,
		"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' width='%d' height='%d' "
		"font-family='sans-serif' font-size='13'>\n<rect width='100%%' height='100%%' fill='white'/>\n",
		WIDTH, HEIGHT, WIDTH, HEIGHT);
	fprintf(out, "<text x='%d' y='26' font-size='16' fill='" INK "'>%s</text>\n", LEFT, title);
	put_axes(&f, k, out);
	put_curve(&f, points, n, true, out);
	put_curve(&f, points, n, false, out);
	put_legend(out);
	fputs("</svg>\n", out);
	failed = ferror(out);
	if (fclose(out) == 0 && !failed) return true;
	say("%s: %s", path, strerror(errno));
	return false;
}
