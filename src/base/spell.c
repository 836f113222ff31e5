/* base/spell.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/spell.h"

#include <stdint.h>
#include <string.h>

#include <utf8proc.h>

enum { MAX_LETTERS = 64 };

static int letters(const char *word, utf8proc_int32_t out[MAX_LETTERS])
{
	const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)word;
	int n = 0;

	for (utf8proc_ssize_t used; *p; p += used) {
		if (n == MAX_LETTERS) return -1;
		used = utf8proc_iterate(p, -1, &out[n]);
		if (used <= 0) out[n] = *p, used = 1;
		n++;
	}
	return n;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: row i holds the distances of the first i letters of `a` to every beginning of `b`. */
unsigned spell_distance(const char *a, const char *b, unsigned most)
{
	utf8proc_int32_t x[MAX_LETTERS], y[MAX_LETTERS];
	unsigned row[3][MAX_LETTERS + 1];
	const int nx = letters(a, x), ny = letters(b, y);

	if (nx < 0 || ny < 0 || (unsigned)(nx > ny ? nx - ny : ny - nx) > most) return most + 1;
	for (int j = 0; j <= ny; j++) row[0][j] = (unsigned)j;
	for (int i = 1; i <= nx; i++) {
		unsigned *now = row[i % 3], *before = row[(i + 2) % 3], *earlier = row[(i + 1) % 3], best = now[0] = (unsigned)i;

		for (int j = 1; j <= ny; j++) {
			now[j] = least(least(now[j - 1], before[j]) + 1, before[j - 1] + (x[i - 1] != y[j - 1]));
			if (i > 1 && j > 1 && x[i - 1] == y[j - 2] && x[i - 2] == y[j - 1]) now[j] = least(now[j], earlier[j - 2] + 1);
			best = least(best, now[j]);
		}
		if (best > most) return most + 1;
	}
	return least(row[nx % 3][ny], most + 1);
}
