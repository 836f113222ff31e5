/* index/allow.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "index/allow.h"

#include <string.h>

#include "base/alloc.h"

enum {
	SAMPLE = 256, /* rows on which a filter is tried */
	SPARSE = 4,   /* one bit of so many set: they are looked for, not every row's */
	FEW = 4096,   /* allowed rows, found by asking about each one: a wide walk would take longer */
	AHEAD = 4,    /* rows asked from memory before they are compared */
	PREFETCHED = 512,
};

static bool id_among(const int64_t *ids, size_t n, int64_t id)
{
	const int64_t *at = ids;

	if (!n) return false;
	for (size_t half; n > 1; n -= half) {
		half = n / 2;
		at = at[half] <= id ? at + half : at; /* without a branch: ids come in no order */
	}
	return *at == id;
}

static bool bit_is_set(const struct index_filter *f, int64_t id)
{
	return id >= 0 && (uint64_t)id < f->n_bits && (f->bits[id / 8] >> id % 8 & 1);
}

bool filter_allows(const struct index_filter *f, int64_t id)
{
	if (f->bits && !bit_is_set(f, id)) return false;
	if (f->ids && !id_among(f->ids, f->n_ids, id)) return false;
	return !f->allows || f->allows(f->ctx, id);
}

/* ---- bits ---- */

static void set_bit(struct allow *allow, size_t row)
{
	allow->bits[row / 64] |= UINT64_C(1) << row % 64;
}

/* What bits and callback say of an id that the list of ids allows. */
static bool rest_allows(const struct index_filter *f, int64_t id)
{
	return (!f->bits || bit_is_set(f, id)) && (!f->allows || f->allows(f->ctx, id));
}

/* In a file, where ids ascend as those of the filter do: each is looked for from where the last one was, in steps that
 * double. */
static void mark_ascending(struct allow *allow, const struct rows *rows)
{
	const struct index_filter *f = allow->filter;
	size_t low = 0;

	for (size_t i = 0; i < f->n_ids && low < rows->count; i++) {
		size_t step = 1, high;

		while (low + step < rows->count && rows->ids[low + step] <= f->ids[i]) {
			low += step;
			step *= 2;
		}
		high = low + step < rows->count ? low + step : rows->count;
		while (high - low > 1) {
			const size_t middle = low + (high - low) / 2;

			if (rows->ids[middle] <= f->ids[i]) low = middle;
			else high = middle;
		}
		if (rows->ids[low] == f->ids[i] && rest_allows(f, f->ids[i])) set_bit(allow, low);
	}
}

static void mark_dense(uint64_t *bits, const struct index_filter *filter, uint64_t first, size_t count)
{
	const int64_t *ids = filter->ids;
	const size_t n = filter->n_ids;

	for (size_t i = 0; i < n; i++) {
		const uint64_t row = (uint64_t)ids[i] - first;

		if (row < count) bits[row / 64] |= UINT64_C(1) << row % 64;
	}
}

static void mark_ids(struct allow *allow, const struct rows *rows)
{
	const struct index_filter *f = allow->filter;
	const bool all = !f->bits && !f->allows;
	size_t row;

	if (rows->mapped && !rows->dense) {
		mark_ascending(allow, rows);
		return;
	}
	if (all && rows->dense) {
		mark_dense(allow->bits, f, (uint64_t)rows->ids[0], rows->count);
		return;
	}
	for (size_t i = 0; i < f->n_ids; i++)
		if (rows_find(rows, f->ids[i], &row) && (all || rest_allows(f, f->ids[i]))) set_bit(allow, row);
}

static void mark_set_bits(struct allow *allow, const struct rows *rows)
{
	const struct index_filter *f = allow->filter;
	size_t row;

	for (size_t byte = 0; byte < (f->n_bits + 7) / 8; byte++)
		for (unsigned left = f->bits[byte]; left; left &= left - 1) {
			const int64_t id = (int64_t)(8 * byte + (size_t)__builtin_ctz(left));

			if (rows_find(rows, id, &row) && filter_allows(f, id)) set_bit(allow, row);
		}
}

static size_t count_bits(const uint8_t *bits, size_t n_bits)
{
	uint64_t word;
	size_t n = 0, at = 0;

	for (; at + 64 <= n_bits; at += 64) {
		memcpy(&word, bits + at / 8, sizeof word);
		n += (size_t)__builtin_popcountll(word);
	}
	for (; at < n_bits; at++) n += bits[at / 8] >> at % 8 & 1;
	return n;
}

/* Ids are the numbers of rows, and bits are all there is to the filter. */
static bool is_copy(const struct index_filter *f, const struct rows *rows)
{
	return f->bits && !f->ids && !f->allows && rows->dense && rows->ids[0] == 0;
}

static void copy_bits(struct allow *allow, size_t count)
{
	const struct index_filter *f = allow->filter;
	const size_t n = f->n_bits < count ? f->n_bits : count;

	for (size_t i = 0; i < n / 64; i++)
		for (size_t j = 0; j < 8; j++) allow->bits[i] |= (uint64_t)f->bits[8 * i + j] << 8 * j;
	for (size_t row = n / 64 * 64; row < n; row++)
		if (f->bits[row / 8] >> row % 8 & 1) set_bit(allow, row);
}

/* By the shortest way: the ids that are named, the bits that are set, or every row. */
static akin_status mark(struct allow *allow, const struct rows *rows, size_t n_set, akin_error *err)
{
	const struct index_filter *f = allow->filter;

	if (!(allow->bits = mem_calloc(rows->count / 64 + 1, sizeof *allow->bits))) return error_nomem(err);
	if (is_copy(f, rows)) copy_bits(allow, rows->count);
	else if (f->ids && f->n_ids < rows->count) mark_ids(allow, rows);
	else if (f->bits && n_set < rows->count / SPARSE) mark_set_bits(allow, rows);
	else
		for (size_t row = 0; row < rows->count; row++)
			if (filter_allows(f, rows->ids[row])) set_bit(allow, row);
	allow->n = count_bits((const uint8_t *)allow->bits, rows->count);
	return AKIN_OK;
}

/* ---- how many ---- */

static size_t estimate(const struct index_filter *f, const struct rows *rows)
{
	size_t n = 0;

	for (size_t i = 0; i < SAMPLE; i++)
		n += filter_allows(f, rows->ids[(size_t)((uint64_t)i * rows->count / SAMPLE)]);
	return (size_t)((uint64_t)n * rows->count / SAMPLE);
}

/* What is seen without asking about each row. */
struct bound {
	size_t most;  /* no more may be found */
	size_t n_set; /* bits of the filter */
	bool exact;   /* so many */
};

static struct bound bound_of(const struct index_filter *f, const struct rows *rows)
{
	const int64_t *ids = rows->ids;
	const size_t n = rows->count;
	struct bound b = { n, n, !f->allows && !(f->ids && f->bits) && rows->dense && n };

	/* A bitmap far longer than the rows are many is not read for this. */
	if (f->bits && f->n_bits / 64 <= n) b.n_set = count_bits(f->bits, f->n_bits);
	if (b.n_set < b.most) b.most = b.n_set;
	if (f->ids && f->n_ids < b.most) b.most = f->n_ids;
	/* Ids and bits that are no row's would be counted. */
	if (b.exact && f->bits) b.exact = ids[0] == 0 && f->n_bits <= n;
	if (b.exact && f->ids && f->n_ids) b.exact = f->ids[0] >= ids[0] && f->ids[f->n_ids - 1] <= ids[n - 1];
	return b;
}

/* So few that to compare with all of them costs no more than a search among all rows: those shrink alike, the one
 * with the share of the allowed, the other grows with its inverse. 1,000 is reckoned from what codes and walks cost on
 * Fashion-MNIST, not measured on other sizes. */
static bool are_few(size_t n, const struct rows *rows)
{
	return (double)n * (double)n < 1000.0 * (double)rows->count && n < rows->count / 2;
}

akin_status allow_init(struct allow *allow, const struct rows *rows, const struct index_filter *filter,
                       enum allow_use use, akin_error *err)
{
	struct bound bound;

	*allow = (struct allow){ .filter = filter, .n = rows->count };
	if (!filter || !rows->count) return AKIN_OK;
	bound = bound_of(filter, rows);
	allow->n = bound.most;
	if (use == ALLOW_OFTEN || are_few(bound.most, rows) || is_copy(filter, rows))
		return mark(allow, rows, bound.n_set, err);
	if (!bound.exact) allow->n = estimate(filter, rows);
	return allow->n < FEW && allow->n < rows->count / 2 ? mark(allow, rows, bound.n_set, err) : AKIN_OK;
}

void allow_deinit(struct allow *allow)
{
	mem_free(allow->bits);
	*allow = (struct allow){ 0 };
}

/* ---- exact ---- */

static void prefetch_row(const struct rows *rows, const struct space *space, size_t row)
{
	const uint8_t *at = rows_at(rows, space, row);

	for (size_t b = 0; b < space->row_bytes && b < PREFETCHED; b += 64) __builtin_prefetch(at + b);
}

void allow_scan(const struct allow *allow, const struct rows *rows, const struct space *space,
                const struct query *query, struct topk *top)
{
	size_t waiting[AHEAD], n = 0, at = 0;

	for (size_t row = allow_next(allow, rows, 0); n || row < rows->count;) {
		struct hit hit;

		for (; n < AHEAD && row < rows->count; row = allow_next(allow, rows, row + 1)) {
			prefetch_row(rows, space, row);
			waiting[(at + n++) % AHEAD] = row;
		}
		hit.id = rows->ids[waiting[at]];
		space_distances(space, query, rows_at(rows, space, waiting[at]), rows_scales(rows, waiting[at]), 1,
		                &hit.distance);
		if (hit.distance <= top->bound) topk_push(top, hit);
		at = (at + 1) % AHEAD;
		n--;
	}
}
