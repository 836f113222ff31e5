/* fuzz/fuzz_main.c - runs a fuzz target where there is no libFuzzer: every file of the corpus, then mutations of them from
 * a fixed seed until the time is up. Nothing guides the mutations; this is the smoke test, tests/fuzz/run is the search.
 *
 *   fuzz_NAME [-seconds S] [-mutations N] [-seed X] FILE-OR-FOLDER...
 *
 * The same arguments give the same inputs. One that aborts, crashes or takes longer than 20 s is left in ./crash-NAME.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/rng.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));
/* A target that mends checksums after a mutation; it calls LLVMFuzzerMutate for the mutation itself. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) __attribute__((weak));
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

enum { SECONDS_AN_INPUT = 20 };
static const size_t input_max = 1 << 20;

static struct buf *corpus;
static size_t n_corpus, corpus_capacity;
static char crash_name[256];
static const struct buf *current;

/* Only what a signal handler may call. */
static void keep_input(int signal_number)
{
	int fd = open(crash_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd >= 0 && current && write(fd, current->data, current->len) >= 0) {
		if (write(2, "input kept in ", 14) < 0 || write(2, crash_name, strlen(crash_name)) < 0 || write(2, "\n", 1) < 0)
			_exit(99);
	}
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static void die(const char *what, const char *why)
{
	fprintf(stderr, "fuzz: %s: %s\n", what, why);
	exit(2);
}

static void add_file(const char *path)
{
	struct buf bytes = BUF_EMPTY;
	struct buf *moved;
	akin_error err;

	if (fs_read(path, input_max, &bytes, &err) != AKIN_OK) die(path, err.text);
	if (!(moved = mem_grow(corpus, &corpus_capacity, n_corpus, sizeof *corpus))) die(path, "no memory");
	corpus = moved;
	corpus[n_corpus++] = bytes;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void add_path(const char *path)
{
	struct dirent **entries;
	int n;

	if (!fs_is_dir(path)) {
		add_file(path);
		return;
	}
	if ((n = scandir(path, &entries, NULL, by_name)) < 0) die(path, "cannot be listed");
	for (int i = 0; i < n; i++) {
		char *child = fs_join(path, entries[i]->d_name);

		if (entries[i]->d_name[0] != '.') add_file(child);
		mem_free(child);
		free(entries[i]);
	}
	free(entries);
}

/* Replace `cut` bytes at `at` by n others. */
static void replace(struct buf *in, size_t at, size_t cut, const char *bytes, size_t n)
{
	char *copy = mem_dup(bytes, n);

	if (in->len - cut + n <= input_max && copy && buf_reserve(in, n)) {
		memmove(in->data + at + n, in->data + at + cut, in->len - at - cut);
		memcpy(in->data + at, copy, n);
		in->len += n - cut;
	}
	mem_free(copy);
}

static void mutate(struct buf *in, struct rng *rng)
{
	static const uint64_t edges[] = { 0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
		                          INT64_MAX, UINT64_MAX, UINT64_C(1) << 62 };
	static const char marks[] = "0123456789,:;'\"(){}[]<>|=\n\r -\\/";
	const size_t at = rng_below(rng, in->len + 1), left = in->len - at, some = rng_below(rng, left + 1);
	const struct buf *other = &corpus[rng_below(rng, n_corpus)];
	const size_t from = rng_below(rng, other->len + 1);
	uint64_t edge = edges[rng_below(rng, COUNT(edges))];
	const size_t width = (size_t)1 << rng_below(rng, 4);

	switch (rng_below(rng, 9)) {
	case 0: if (left) in->data[at] = (char)(in->data[at] ^ (1 << rng_below(rng, 8))); break;
	case 1: if (left) in->data[at] = (char)rng_u64(rng); break;
	case 2: if (left) in->data[at] = marks[rng_below(rng, sizeof marks - 1)]; break;
	case 3: replace(in, at, 0, &marks[rng_below(rng, sizeof marks - 1)], 1); break;
	case 4: replace(in, at, left < width ? left : width, (const char *)&edge, width); break;
	case 5: replace(in, at, some < 32 ? some : some % 32, "", 0); break;
	case 6: if (in->len) replace(in, at, 0, in->data + at, some); break;
	case 7: replace(in, at, left, "", 0); break;
	default: if (other->len) replace(in, at, left, other->data + from, other->len - from); break;
	}
}

static struct rng mutations_rng;

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
	struct buf in = BUF_EMPTY;

	buf_add(&in, data, size);
	for (uint64_t rounds = 1 + rng_below(&mutations_rng, 6); rounds; rounds--) mutate(&in, &mutations_rng);
	if (in.len > max_size) in.len = max_size;
	memcpy(data, in.data, in.len);
	size = in.len;
	buf_deinit(&in);
	return size;
}

/* In the buffer's own room: a mutation may grow it up to input_max. */
static void next_input(struct buf *in)
{
	uint8_t *room;

	if (!(room = buf_reserve(in, input_max))) die("input", "no memory");
	room -= in->len;
	if (LLVMFuzzerCustomMutator)
		in->len = LLVMFuzzerCustomMutator(room, in->len, input_max, (unsigned)rng_u64(&mutations_rng));
	else
		in->len = LLVMFuzzerMutate(room, in->len, input_max);
}

/* A copy of exactly the input's length, so that a sanitizer sees a read past its end. */
static void run_one(const struct buf *in)
{
	uint8_t *exact = mem_dup(in->data, in->len);

	if (!exact) die("input", "no memory");
	current = in;
	alarm(SECONDS_AN_INPUT);
	LLVMFuzzerTestOneInput(exact, in->len);
	alarm(0);
	current = NULL;
	mem_free(exact);
}

static void run_mutations(int64_t n, double seconds, uint64_t seed)
{
	const double start = clock_seconds();
	struct buf in = BUF_EMPTY;
	int64_t done = 0;

	mutations_rng.state = seed;

	for (; done < n && clock_seconds() - start < seconds; done++) {
		const struct buf *parent = &corpus[(size_t)done % n_corpus];

		buf_clear(&in);
		buf_add(&in, parent->data, parent->len);
		next_input(&in);
		run_one(&in);
	}
	buf_deinit(&in);
	printf("%zu inputs and %lld mutations in %.1f s\n", n_corpus, (long long)done, clock_seconds() - start);
}

int main(int argc, char **argv)
{
	static const int deadly[] = { SIGABRT, SIGALRM,
#if !defined(__SANITIZE_ADDRESS__) /* whose own handlers say more */
		                      SIGSEGV, SIGBUS, SIGFPE, SIGILL
#endif
	};
	int64_t mutations = INT64_MAX, seed = 1;
	double seconds = 3;

	snprintf(crash_name, sizeof crash_name, "crash-%s", fs_basename(argv[0]));
	for (size_t i = 0; i < COUNT(deadly); i++) signal(deadly[i], keep_input);
	if (LLVMFuzzerInitialize) LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";
		bool ok = true;

		if (argv[i][0] != '-') { add_path(argv[i]); continue; }
		if (!strcmp(argv[i], "-seconds")) ok = str_to_double(value, 0, 1e6, &seconds);
		else if (!strcmp(argv[i], "-mutations")) ok = str_to_i64(value, 0, INT64_MAX, &mutations);
		else if (!strcmp(argv[i], "-seed")) ok = str_to_i64(value, 0, INT64_MAX, &seed);
		else ok = false;
		if (!ok) die(argv[i], "unknown option or wrong value");
		i++;
	}
	if (!n_corpus) die("corpus", "there is no file in it");
	for (size_t i = 0; i < n_corpus; i++) run_one(&corpus[i]);
	run_mutations(mutations, seconds, (uint64_t)seed);
	for (size_t i = 0; i < n_corpus; i++) buf_deinit(&corpus[i]);
	mem_free(corpus);
	return 0;
}
