/* bench/alignment.c - how long an alignment takes for a picture's embedding and for a text's vector, one thread.
 *
 *   bench_alignment ALIGNMENT [SECONDS]   the best mean of five runs of SECONDS (default 0.2) each,
 *                                         in the thread's own time: a busy machine does not count
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "feature/alignment.h"

static double cpu_seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

static double best_us(const struct alignment *a, bool of_text, const float *in, float *out, double seconds)
{
	double best = 0;

	for (int run = 0; run < 5; run++) {
		const double start = cpu_seconds();
		double now = start, calls = 0, us;

		while (now - start < seconds) {
			for (int i = 0; i < 20; i++, calls++) {
				if (of_text) alignment_text(a, in, 12, out, NULL);
				else alignment_picture(a, in, out, NULL);
			}
			now = cpu_seconds();
		}
		us = (now - start) * 1e6 / calls;
		if (!run || us < best) best = us;
	}
	return best;
}

int main(int argc, char **argv)
{
	const double seconds = argc > 2 ? strtod(argv[2], NULL) : 0.2;
	struct rng rng = { 1 };
	struct alignment *a;
	const double start = cpu_seconds();
	akin_error err;

	if (argc < 2 || alignment_open(&a, argv[1], &err) != AKIN_OK) {
		fprintf(stderr, "bench_alignment: %s\n", argc < 2 ? "bench_alignment ALIGNMENT [SECONDS]" : err.text);
		return 2;
	}
	printf("ready in %.1f ms\n", (cpu_seconds() - start) * 1e3);
	const struct alignment_info *info = alignment_info(a);
	const size_t n = info->picture_dim > info->text_dim ? info->picture_dim : info->text_dim;
	float *in = mem_calloc(n, sizeof *in), *out = mem_calloc(info->dim, sizeof *out);

	if (!in || !out) return 2;
	for (size_t i = 0; i < n; i++) in[i] = (float)rng_normal(&rng);
	printf("picture %.1f us\n", best_us(a, false, in, out, seconds));
	printf("text %.1f us\n", best_us(a, true, in, out, seconds));
	mem_free(in);
	mem_free(out);
	alignment_close(a);
	return 0;
}
