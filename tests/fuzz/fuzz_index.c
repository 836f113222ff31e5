/* fuzz/fuzz_index.c - any bytes as an index file: opened, checked, searched, changed.
 * Build with clang and -fsanitize=fuzzer,address,undefined; a mutator signs the header, or no change would get past its
 * checksum.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "index/index.h"

enum { HEADER = 512, CHECKSUM_AT = 120, IDS_BYTES_AT = 144, IDS_SUM_AT = 152, K = 5 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static void use(struct index *index)
{
	const struct index_ask ask = { .k = K, .threads = 1 };
	struct index_stats stats;
	struct hit hits[2 * K], *range;
	size_t n_hits[2], n, bytes;
	int64_t *ids, id = 1;
	uint8_t *rows;

	index_get_stats(index, &stats);
	bytes = stats.element == ELEMENT_F16 ? 4 * stats.dim : element_row_bytes(stats.element, stats.dim);
	if (!(rows = mem_zalloc(2 * bytes))) return;
	index_check(index, true, NULL);
	index_search(index, rows, &ask, hits, n_hits, NULL);
	index_search_many(index, rows, 2, &ask, hits, n_hits, NULL);
	if (index_range(index, rows, 1, NULL, &range, &n, NULL) == AKIN_OK) mem_free(range);
	if (index_ids(index, &ids, &n, NULL) == AKIN_OK && n) {
		if (index_get(index, ids[n - 1], rows, NULL) != AKIN_OK) abort();
		index_remove(index, ids, 1, NULL, NULL);
	}
	mem_free(ids);
	memset(rows, 0, bytes);
	index_add(index, &id, rows, 1, NULL);
	mem_free(rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct index_stamp stamp;
	struct index *index;
	char path[64];
	int fd = memfd_create("fuzz", 0);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size) abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (index_open(&index, path, &stamp, NULL) == AKIN_OK) use(index);
	index_destroy(index);
	close(fd);
	return 0;
}

static uint64_t get(const uint8_t *data, size_t at)
{
	uint64_t value;

	memcpy(&value, data + at, sizeof value);
	return value;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	uint64_t sum;

	size = LLVMFuzzerMutate(data, size, max_size);
	if (size < HEADER || seed % 16 == 0) return size;
	memcpy(data, "AKINIDX\x1a\1\0\0\0", 12);
	if (seed % 4) memcpy(data + 48, &(uint64_t){ size }, 8);
	if (seed % 4 && get(data, IDS_BYTES_AT) <= size - HEADER) {
		sum = hash_checksum(data + HEADER, get(data, IDS_BYTES_AT), 0);
		memcpy(data + IDS_SUM_AT, &sum, sizeof sum);
	}
	memset(data + CHECKSUM_AT, 0, 8);
	sum = hash_checksum(data, HEADER, 0);
	memcpy(data + CHECKSUM_AT, &sum, sizeof sum);
	return size;
}
