/* feature/tokenizer_vocab.c
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "feature/tokenizer_parts.h"

akin_status vocab_add(struct vocab *v, const char *bytes, size_t n, int32_t id, akin_error *err)
{
	struct vocab_entry *moved = mem_grow(v->entry, &v->capacity, v->n, sizeof *v->entry);

	if (!moved) return error_nomem(err);
	v->entry = moved;
	if (n > TOKENIZER_PIECE_MAX)
		return error_set(err, AKIN_ERR_LIMIT, "an entry of the vocabulary has %zu bytes, more than %d", n,
				 TOKENIZER_PIECE_MAX);
	v->entry[v->n] = (struct vocab_entry){ (uint32_t)v->text.len, (uint32_t)n, id };
	buf_add(&v->text, bytes, n);
	if (v->text.failed) return error_nomem(err);
	v->n++;
	return AKIN_OK;
}

static int compare(const struct vocab *v, const struct vocab_entry *a, const struct vocab_entry *b)
{
	const size_t shorter = a->bytes < b->bytes ? a->bytes : b->bytes;
	const int order = shorter ? memcmp(v->text.data + a->at, v->text.data + b->at, shorter) : 0;

	return order ? order : (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

static void merge_runs(const struct vocab *v, const struct vocab_entry *from, struct vocab_entry *to, size_t low,
		       size_t middle, size_t high)
{
	size_t left = low, right = middle;

	for (size_t i = low; i < high; i++) {
		const bool take_left = left < middle && (right >= high || compare(v, &from[left], &from[right]) <= 0);
		to[i] = take_left ? from[left++] : from[right++];
	}
}

/* A merge sort by hand: qsort takes no context, and the entries' bytes lie elsewhere. Stable, so that of equal strings
 * the last added comes last. */
static akin_status sort_entries(struct vocab *v, akin_error *err)
{
	struct vocab_entry *other = mem_calloc(v->n + 1, sizeof *other), *from = v->entry, *to = other;

	if (!other) return error_nomem(err);
	for (size_t width = 1; width < v->n; width *= 2) {
		struct vocab_entry *swap = from;

		for (size_t low = 0; low < v->n; low += 2 * width) {
			const size_t middle = low + width < v->n ? low + width : v->n;
			merge_runs(v, from, to, low, middle, middle + width < v->n ? middle + width : v->n);
		}
		from = to;
		to = swap;
	}
	if (from != v->entry) memcpy(v->entry, from, v->n * sizeof *from);
	mem_free(other);
	return AKIN_OK;
}

akin_status vocab_sort(struct vocab *v, akin_error *err)
{
	size_t kept = 0, i = 0;
	akin_status st = sort_entries(v, err);

	if (st != AKIN_OK) return st;
	for (size_t j = 0; j < v->n; j++) {
		if (kept && !compare(v, &v->entry[kept - 1], &v->entry[j])) kept--;
		v->entry[kept++] = v->entry[j];
	}
	v->n = kept;
	for (unsigned byte = 0; byte <= 256; byte++) {
		while (i < v->n && (!v->entry[i].bytes || (uint8_t)v->text.data[v->entry[i].at] < byte)) i++;
		v->first[byte] = (uint32_t)i;
	}
	return AKIN_OK;
}

void vocab_deinit(struct vocab *v)
{
	buf_deinit(&v->text);
	mem_free(v->entry);
	*v = (struct vocab){ 0 };
}

struct vocab_walk vocab_start(const struct vocab *v)
{
	return (struct vocab_walk){ 0, (uint32_t)v->n, 0 };
}

/* The first entry of [low, high), all of which share `depth` bytes, whose next byte is at least `byte`; an entry that
 * ends there comes before all others. */
static uint32_t lower_bound(const struct vocab *v, uint32_t low, uint32_t high, uint32_t depth, unsigned byte)
{
	while (low < high) {
		const uint32_t middle = low + (high - low) / 2;
		const struct vocab_entry *e = &v->entry[middle];

		if (e->bytes <= depth || (uint8_t)v->text.data[e->at + depth] < byte)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool vocab_step(const struct vocab *v, struct vocab_walk *walk, uint8_t byte)
{
	if (!walk->depth) {
		walk->low = v->first[byte];
		walk->high = v->first[byte + 1];
	} else {
		walk->low = lower_bound(v, walk->low, walk->high, walk->depth, byte);
		walk->high = lower_bound(v, walk->low, walk->high, walk->depth, byte + 1u);
	}
	walk->depth++;
	return walk->low < walk->high;
}

int32_t vocab_here(const struct vocab *v, const struct vocab_walk *walk)
{
	if (walk->low >= walk->high || v->entry[walk->low].bytes != walk->depth) return -1;
	return v->entry[walk->low].id;
}

int32_t vocab_find(const struct vocab *v, const char *bytes, size_t n)
{
	struct vocab_walk walk = vocab_start(v);

	for (size_t i = 0; i < n; i++)
		if (!vocab_step(v, &walk, (uint8_t)bytes[i])) return -1;
	return vocab_here(v, &walk);
}
