/* bench/indexing.c - how much of bare inference is left when pictures must be read, hashed, decoded and stored.
 *
 *   bench_indexing FOLDER [SECONDS]
 *
 * In one run: the model alone on as many requests as indexing uses, fed a constant picture (the limit); decoding alone on
 * as many threads; then akin_library_index of FOLDER into a fresh library under TMPDIR. Both kinds of rounds alternate, so that
 * a noisy neighbour hits them alike; the ratio of processor times leaves what others took out of it. `attainable` is what the cores could do at best: 1 / (inference + decoding) each.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "akin/akin.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/pool.h"
#include "engine/engine.h"

enum { ROUNDS = 3, MAX_SLOTS = 64, MAX_FILES = 4096 };

static void die(const char *doing, const akin_error *err)
{
	fprintf(stderr, "bench_indexing: %s: %s\n", doing, err->text);
	exit(3);
}

static atomic_ulong runs;
static atomic_bool stop;
static struct infer_slot *slots[MAX_SLOTS];

/* Two requests in flight per stream and one waiting: keep them all busy from one thread each. */
static void keep_busy(void *ctx, size_t i)
{
	akin_error err;

	(void)ctx;
	while (!atomic_load(&stop)) {
		if (infer_slot_run(slots[i], &err) != AKIN_OK) die("inference", &err);
		atomic_fetch_add(&runs, 1);
	}
}

static void *stop_later(void *arg)
{
	usleep((useconds_t)(*(double *)arg * 1e6));
	atomic_store(&stop, true);
	return NULL;
}

static double processor_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* *cost: processor seconds a picture. */
static double bare_rate(unsigned n_slots, double seconds, double *cost)
{
	pthread_t timer;
	double start = clock_seconds(), used = processor_seconds();

	atomic_store(&runs, 0);
	atomic_store(&stop, false);
	pthread_create(&timer, NULL, stop_later, &seconds);
	pool_for(n_slots, n_slots, keep_busy, NULL);
	pthread_join(timer, NULL);
	*cost = (processor_seconds() - used) / (double)atomic_load(&runs);
	return (double)atomic_load(&runs) / (clock_seconds() - start);
}

struct folder {
	char *path[MAX_FILES];
	size_t n;
	const struct image_recipe *recipe;
};

static int collect(void *ctx, const struct walk_entry *e)
{
	struct folder *f = ctx;

	if (f->n < MAX_FILES) f->path[f->n++] = mem_strdup(e->path);
	return 0;
}

static void decode_one(void *ctx, size_t i)
{
	struct folder *f = ctx;
	struct buf bytes = BUF_EMPTY;
	uint8_t *tensor = mem_alloc((size_t)f->recipe->width * f->recipe->height * 3);

	if (fs_read(f->path[i], UINT32_MAX, &bytes, NULL) == AKIN_OK)
		(void)image_tensor(bytes.data, bytes.len, f->recipe, NULL, tensor, NULL, NULL);
	mem_free(tensor);
	buf_deinit(&bytes);
}

static double decode_rate(struct folder *f)
{
	double start = clock_seconds();

	pool_for(f->n, 0, decode_one, f);
	return (double)f->n / (clock_seconds() - start);
}

static double index_rate(const char *folder, const char *dir, int round, double *cost)
{
	double used = processor_seconds();
	akin_open_params open = { .flags = AKIN_OPEN_CREATE };
	akin_library *lib;
	akin_index_report report;
	akin_error err;
	char path[512];

	snprintf(path, sizeof path, "%s/round%d.akin", dir, round);
	if (akin_library_open(&lib, path, &open, &err) != AKIN_OK) die("open", &err);
	if (akin_library_index(lib, &folder, 1, NULL, &report, &err) != AKIN_OK) die("index", &err);
	akin_library_close(lib);
	*cost = (processor_seconds() - used) / (double)report.count[AKIN_FILE_ADDED];
	return (double)report.count[AKIN_FILE_ADDED] / report.seconds;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v)
{
	qsort(v, ROUNDS, sizeof *v, by_value);
	return v[ROUNDS / 2];
}

int main(int argc, char **argv)
{
	double seconds = argc > 2 ? strtod(argv[2], NULL) : 5, bare[ROUNDS], decoded[ROUNDS], indexed[ROUNDS], cost[ROUNDS], bare_cost[ROUNDS], index_cost[ROUNDS], b, d, x;
	static struct folder files;
	const struct walk_options options = { 0 };
	const struct walk_sink sink = { .visit = collect, .ctx = &files };
	struct model_card card;
	struct embedder e;
	struct rusage usage;
	akin_error err;
	char dir[] = "/tmp/akin-bench-XXXXXX", *root;
	unsigned n_slots;

	if (argc < 2 || !mkdtemp(dir)) return fprintf(stderr, "usage: bench_indexing FOLDER [SECONDS]\n"), 2;
	root = fs_absolute(argv[1]);
	if (image_init(&err) != AKIN_OK || walk(root, &options, &sink, &err) != AKIN_OK) die(root, &err);
	if (models_find(models_default_name, NULL, &card, &err) != AKIN_OK) die("model", &err);
	files.recipe = &card.recipe;
	if (embedder_open(&e, &card, INFER_THROUGHPUT, 0, NULL, &err) != AKIN_OK) die("model", &err);
	n_slots = infer_best_slots(e.session);
	for (unsigned i = 0; i < n_slots; i++)
		if (infer_slot_create(&slots[i], e.session, &err) != AKIN_OK) die("slot", &err);
	printf("model %s, %u cores, %u requests, %zu pictures in %s\n", card.name, pool_cores(), n_slots, files.n, root);
	for (int i = 0; i < ROUNDS; i++) {
		bare[i] = bare_rate(n_slots, seconds, &bare_cost[i]);
		decoded[i] = decode_rate(&files);
		indexed[i] = index_rate(root, dir, i, &index_cost[i]);
		cost[i] = bare_cost[i] / index_cost[i];
		printf("round %d: inference alone %.1f/s, decoding alone %.1f/s, indexing %.1f/s\n", i + 1, bare[i], decoded[i],
		       indexed[i]);
	}
	b = median(bare);
	d = median(decoded);
	x = median(indexed);
	getrusage(RUSAGE_SELF, &usage);
	printf("processor time a picture: inference %.2f ms, indexing %.2f ms; inference / indexing = %.3f\n",
	       1e3 * median(bare_cost), 1e3 * median(index_cost), median(cost));
	printf("medians: indexing / inference = %.3f; attainable on these cores %.3f; indexing / attainable = %.3f\n", x / b,
	       1 / (1 / b + 1 / d) / b, x * (1 / b + 1 / d));
	printf("peak memory %.0f MiB\n", (double)usage.ru_maxrss / 1024);
	for (unsigned i = 0; i < n_slots; i++) infer_slot_destroy(slots[i]);
	embedder_close(&e);
	model_card_deinit(&card);
	fs_remove_tree(dir, NULL);
	mem_free(root);
	return 0;
}
