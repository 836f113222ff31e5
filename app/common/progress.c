/* common/progress.c - the rate is that of the last seconds, so that the time left is right also when slow pictures come.
 * SPDX-License-Identifier: Apache-2.0 */
#include "common/progress.h"

#include <string.h>

#include "common/text.h"

enum { BAR_MOST = 30, BAR_LEAST = 10 };

/* Pictures a second over the kept samples; 0 while too little is known. */
static double moving_rate(struct progress *p, const akin_progress *now)
{
	size_t oldest = p->n < PROGRESS_SAMPLES ? 0 : p->n % PROGRESS_SAMPLES;
	double span;
	uint64_t read;

	span = p->n ? now->seconds - p->seconds[oldest] : 0;
	read = p->n ? now->read - p->read[oldest] : 0;
	p->seconds[p->n % PROGRESS_SAMPLES] = now->seconds;
	p->read[p->n % PROGRESS_SAMPLES] = now->read;
	p->n++;
	return span >= 1 ? (double)read / span : 0;
}

static void put_time_left(double seconds, char *out, size_t n)
{
	unsigned long s = (unsigned long)(seconds + 0.5);

	if (s < 3600) snprintf(out, n, "%lu:%02lu", s / 60, s % 60);
	else if (s < 100 * 3600) snprintf(out, n, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
	else snprintf(out, n, "%lu days", s / 86400);
}

static void put_bar(double share, unsigned columns, bool utf8, char *out, size_t n)
{
	unsigned full = (unsigned)(share * columns);
	size_t len = 0;

	for (unsigned i = 0; i < columns && len + 4 < n; i++) {
		const char *cell = i < full ? utf8 ? "\u2501" : "#" : utf8 ? "\u2500" : "-";
		size_t bytes = strlen(cell);

		memcpy(out + len, cell, bytes);
		len += bytes;
	}
	out[len] = '\0';
}

void progress_line(struct progress *p, const akin_progress *now, unsigned width, bool utf8, char *out, size_t n)
{
	char read[TEXT_NUMBER], total[TEXT_NUMBER], head[96], tail[96] = "", left[32], bar[4 * BAR_MOST + 1];
	double rate = moving_rate(p, now);
	const char *least = now->walk_finished ? "" : "at least ";
	unsigned used;

	if (!now->to_read) {
		snprintf(head, sizeof head, "looking at %s files", text_number(now->found, read));
		snprintf(out, n, "%.*s", (int)width, head);
		return;
	}
	snprintf(head, sizeof head, "reading %s of %s%s", text_number(now->read, read), least,
	         text_number(now->to_read, total));
	if (rate > 0) {
		put_time_left((double)(now->to_read - now->read) / rate, left, sizeof left);
		snprintf(tail, sizeof tail, "  %.1f/s  %s%s left", rate, least, left);
	}
	used = (unsigned)(strlen(head) + strlen(tail));
	if (now->walk_finished && used + BAR_LEAST + 7 <= width) {
		double share = (double)now->read / (double)now->to_read;
		unsigned columns = width - used - 7 < BAR_MOST ? width - used - 7 : BAR_MOST;

		put_bar(share, columns, utf8, bar, sizeof bar);
		snprintf(out, n, "%s  %s %3.0f%%%s", head, bar, 100 * share, tail);
	} else {
		snprintf(out, n, "%.*s%.*s", (int)width, head, used <= width ? (int)width : 0, tail);
	}
}

void progress_show(struct progress *p, const akin_progress *now)
{
	char line[512];

	if (!out_is_terminal(stderr)) return;
	/* One column stays free: a full line makes some terminals wrap. */
	progress_line(p, now, out_width(stderr) - 1, out_utf8(), line, sizeof line);
	fprintf(stderr, "\r%s\x1b[K", line);
	fflush(stderr);
	p->shown = true;
}

void progress_clear(struct progress *p)
{
	if (p->shown) fputs("\r\x1b[K", stderr);
	p->shown = false;
}
