/* index/binary.c - multi-index hashing: exact nearest neighbours of bits without comparing with all
 * (Norouzi, Punjani, Fleet, Fast search in Hamming space with multi-index hashing, 2012).
 *
 * A vector's bits are cut into m pieces, each in a hash table of its own. Whatever is at most r = m * a + b bits away
 * has one of the first b + 1 pieces at most a away or one of the others at most a - 1: step r asks table b for every
 * value exactly a away from the query's, and when it is done everything within r has been seen. The search ends when
 * the k-th hit is within r, or when it has cost what comparing with all would, which is then done.
 *
 *   M1  while there are tables, every row is in each.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "index/buckets.h"
#include "index/ops.h"

enum {
	FEWEST = 4000,    /* rows below which a scan is as fast */
	GROWTH = 4,       /* tables are made anew when the set has grown this much */
	MOST_PIECES = 32, /* more would take more memory than the vectors */
	MOST_BITS = 24,
	SLOT_COST = 6, /* asking a slot, and comparing a row found there, in rows scanned one after another */
	ROW_COST = 10,
	RARE = 32, /* one row of so many or fewer allowed: those are compared */
};

struct binary {
	struct buckets buckets; /* none: tables 0 */
	size_t width;           /* bits of a piece, the last may have fewer */
	size_t made;            /* for so many rows */
};

static size_t pieces(const struct index *index, size_t width)
{
	return (index->space.dim + width - 1) / width;
}

static uint64_t piece_of(const struct index *index, const uint8_t *row, size_t width, size_t piece)
{
	const size_t first = piece * width, left = index->space.dim - first, n = left < width ? left : width;
	uint64_t value = 0;

	for (size_t done = 0; done < n;) {
		const size_t bit = first + done, part = 8 - bit % 8 < n - done ? 8 - bit % 8 : n - done;

		value |= (uint64_t)(row[bit / 8] >> bit % 8 & ((1u << part) - 1)) << done;
		done += part;
	}
	return value;
}

/* A piece wider than the table is hashed. */
static uint32_t slot_of(const struct binary *b, uint64_t value)
{
	if (b->width <= b->buckets.bits) return (uint32_t)value;
	return (uint32_t)(value * UINT64_C(0x9e3779b97f4a7c15) >> (64 - b->buckets.bits));
}

static void slots_of_row(const struct index *index, size_t row, uint32_t *slots)
{
	const struct binary *b = index->kind;

	for (size_t t = 0; t < b->buckets.tables; t++)
		slots[t] = slot_of(b, piece_of(index, rows_at(&index->rows, &index->space, row), b->width, t));
}

/* ---- changing ---- */

static akin_status create(struct index *index, akin_error *err)
{
	if (index->space.element != ELEMENT_BITS)
		return error_set(err, AKIN_ERR_INVALID, "the kind for bits cannot hold other elements");
	index->kind = mem_zalloc(sizeof(struct binary));
	return index->kind ? AKIN_OK : error_nomem(err);
}

static void destroy(struct index *index)
{
	if (index->kind) buckets_deinit(&((struct binary *)index->kind)->buckets);
	mem_free(index->kind);
}

/* Pieces of about log2(n) bits, so that a slot has about one row. */
static void choose_size(const struct index *index, size_t n, unsigned *bits, size_t *width)
{
	*bits = 1;
	while (*bits < MOST_BITS && n >> *bits > 1) ++*bits;
	*width = *bits;
	if (pieces(index, *width) > MOST_PIECES / 2)
		*width = (index->space.dim + MOST_PIECES / 2 - 1) / (MOST_PIECES / 2);
	if (*width > 64) *width = 64;
}

static akin_status rebuild(struct index *index, akin_error *err)
{
	struct binary *b = index->kind;
	const size_t n = index->rows.count;
	struct binary before = *b, fresh = { .made = n };
	uint32_t slots[MOST_PIECES];
	unsigned bits;
	akin_status st;

	choose_size(index, n, &bits, &fresh.width);
	if (pieces(index, fresh.width) <= MOST_PIECES) {
		st = buckets_init(&fresh.buckets, pieces(index, fresh.width), bits, n, err);
		if (st != AKIN_OK) return st;
	}
	*b = fresh;
	for (size_t i = 0; i < n && b->buckets.tables; i++) {
		slots_of_row(index, i, slots);
		buckets_add(&b->buckets, slots);
	}
	buckets_deinit(&before.buckets);
	return AKIN_OK;
}

static akin_status added(struct index *index, size_t first, size_t n, unsigned threads, akin_error *err)
{
	struct binary *b = index->kind;
	uint32_t slots[MOST_PIECES];
	akin_status st;

	(void)threads;
	if (index->rows.count < FEWEST && !b->made) return AKIN_OK;
	if (!b->made || index->rows.count / GROWTH >= b->made) return rebuild(index, err);
	if (!b->buckets.tables) return AKIN_OK;
	if ((st = buckets_reserve(&b->buckets, first + n, err)) != AKIN_OK) return st;
	for (size_t i = first; i < first + n; i++) {
		slots_of_row(index, i, slots);
		buckets_add(&b->buckets, slots);
	}
	return AKIN_OK;
}

static akin_status removing(struct index *index, size_t row, size_t last, akin_error *err)
{
	struct binary *b = index->kind;

	(void)last;
	(void)err;
	if (b->buckets.tables) buckets_remove(&b->buckets, row);
	return AKIN_OK;
}

static akin_status own(struct index *index, akin_error *err)
{
	return buckets_own(&((struct binary *)index->kind)->buckets, err);
}

/* ---- searching ---- */

struct walk {
	const struct index *index;
	const struct binary *b;
	const struct query *query;
	const struct allow *allow;
	struct topk *top;
	uint64_t *seen; /* a bit for each row */
	size_t cost;
};

static void ask_slot(struct walk *w, size_t table, uint64_t value)
{
	const struct rows *rows = &w->index->rows;
	uint32_t at = 0;

	w->cost += SLOT_COST;
	for (size_t row; buckets_walk(&w->b->buckets, table, slot_of(w->b, value), &at, &row);) {
		float distance;

		w->cost += ROW_COST;
		if (w->seen[row / 64] >> row % 64 & 1) continue;
		w->seen[row / 64] |= UINT64_C(1) << row % 64;
		space_distances(&w->index->space, w->query, rows_at(rows, &w->index->space, row), NULL, 1, &distance);
		if (distance <= w->top->bound && allow_row(w->allow, rows, row))
			topk_push(w->top, (struct hit){ rows->ids[row], distance });
	}
}

/* Every value that differs from `value` in `flips` of the bits below `bits`; false when that costs too much. */
static bool ask_around(struct walk *w, size_t table, uint64_t value, size_t bits, size_t flips)
{
	if (!flips) {
		ask_slot(w, table, value);
		return w->cost <= w->index->rows.count;
	}
	for (size_t bit = flips - 1; bit < bits; bit++)
		if (!ask_around(w, table, value ^ UINT64_C(1) << bit, bit, flips - 1)) return false;
	return true;
}

/* False when comparing with all is cheaper; the hits so far are then worth nothing. */
static bool walk(struct walk *w)
{
	const size_t tables = w->b->buckets.tables, dim = w->index->space.dim;
	size_t widths[MOST_PIECES];

	for (size_t t = 0; t < tables; t++)
		widths[t] = dim - t * w->b->width < w->b->width ? dim - t * w->b->width : w->b->width;
	for (size_t r = 0; r <= dim; r++) {
		const size_t table = r % tables, flips = r / tables;
		const uint64_t value = piece_of(w->index, w->query->vector, w->b->width, table);

		if (flips <= widths[table] && !ask_around(w, table, value, widths[table], flips)) return false;
		if (w->top->bound <= (float)r) return true;
	}
	return true;
}

static akin_status search_one(struct walk *w, bool *done, akin_error *err)
{
	struct topk before = *w->top;

	*done = false;
	if (!w->b->buckets.tables) return AKIN_OK;
	if (!(w->seen = mem_calloc(w->index->rows.count / 64 + 1, sizeof *w->seen))) return error_nomem(err);
	*done = walk(w);
	mem_free(w->seen);
	if (!*done) *w->top = before;
	return AKIN_OK;
}

/* The walk meets mostly rows that may not be found. */
static bool is_rare(const struct walk *w)
{
	return w->allow->bits && w->allow->n < w->index->rows.count / RARE;
}

static akin_status search(const struct index *index, const struct query *query, const struct allow *allow, size_t effort,
			  struct topk *top, akin_error *err)
{
	struct walk w = { .index = index, .b = index->kind, .query = query, .allow = allow, .top = top };
	bool done = false;
	akin_status st = is_rare(&w) ? AKIN_OK : search_one(&w, &done, err);

	return st == AKIN_OK && !done ? flat_search(index, query, allow, effort, top, err) : st;
}

struct many {
	const struct index *index;
	const struct batch *batch;
	bool *done;
};

static void search_at(void *ctx, size_t i)
{
	const struct many *m = ctx;
	struct walk w = { .index = m->index,
			  .b = m->index->kind,
			  .query = &m->batch->queries[i],
			  .allow = m->batch->allow,
			  .top = &m->batch->tops[i] };

	/* Without memory the scan answers. */
	if (!is_rare(&w)) search_one(&w, &m->done[i], NULL);
}

static akin_status search_many(const struct index *index, const struct batch *batch, akin_error *err)
{
	struct many m = { index, batch, mem_calloc(batch->n, sizeof *m.done) };
	akin_status st = AKIN_OK;

	if (!m.done) return error_nomem(err);
	pool_for(batch->n, batch->threads, search_at, &m);
	for (size_t i = 0, n; st == AKIN_OK && i < batch->n; i += n) {
		struct batch rest = *batch;

		for (n = 0; i + n < batch->n && !m.done[i + n]; n++) continue;
		rest.queries += i;
		rest.tops += i;
		rest.n = n;
		if (n)
			st = flat_search_many(index, &rest, err);
		else
			n = 1;
	}
	mem_free(m.done);
	return st;
}

/* ---- files ---- */

static void slots_to_save(void *ctx, size_t row, uint32_t *slots)
{
	slots_of_row(ctx, row, slots);
}

static akin_status save(const struct index *index, const uint32_t *order, struct file_out *file, akin_error *err)
{
	const struct binary *b = index->kind;
	const uint64_t meta[4] = { b->made, b->width, b->buckets.bits, b->buckets.tables };
	akin_status st = file_out_section(file, SECTION_BINARY_META, err);

	if (st == AKIN_OK) st = file_out_put(file, meta, sizeof meta, err);
	if (st != AKIN_OK || !b->buckets.tables) return st;
	return buckets_save(&b->buckets, SECTION_BINARY_HEADS, SECTION_BINARY_NEXT, order, slots_to_save,
			    (void *)(uintptr_t)index, file, err);
}

static akin_status load(struct index *index, akin_error *err)
{
	struct binary *b = index->kind;
	uint64_t meta[4];
	const void *at;
	akin_status st = file_in_section(&index->file, SECTION_BINARY_META, sizeof meta, &at, err);

	if (st != AKIN_OK) return st;
	memcpy(meta, at, sizeof meta);
	if (meta[0] > IDMAP_MAX_ROWS || meta[3] > MOST_PIECES ||
	    (meta[3] &&
	     (!meta[1] || meta[1] > 64 || !meta[2] || meta[2] > MOST_BITS || pieces(index, meta[1]) != meta[3])))
		return error_set(err, AKIN_ERR_FORMAT, "%llu pieces of %llu bits in tables of 2^%llu",
				 (unsigned long long)meta[3], (unsigned long long)meta[1], (unsigned long long)meta[2]);
	b->made = meta[0];
	b->width = meta[1];
	if (!meta[3]) return AKIN_OK;
	return buckets_map(&b->buckets, &index->file, SECTION_BINARY_HEADS, SECTION_BINARY_NEXT, meta[3],
			   (unsigned)meta[2], index->rows.count, err);
}

/* Rows met in the slots they belong to; a chain that is a circle is left. */
static size_t rows_in_table(const struct index *index, size_t table)
{
	const struct binary *b = index->kind;
	size_t met = 0, row;

	for (uint32_t slot = 0; slot < UINT32_C(1) << b->buckets.bits; slot++)
		for (uint32_t at = 0; met <= b->buckets.count && buckets_walk(&b->buckets, table, slot, &at, &row);)
			met += slot_of(b, piece_of(index, rows_at(&index->rows, &index->space, row), b->width,
						   table)) == slot;
	return met;
}

static akin_status check(const struct index *index, bool deep, akin_error *err)
{
	const struct binary *b = index->kind;

	if (!b->buckets.tables) return AKIN_OK;
	if (b->buckets.count != index->rows.count)
		return error_set(err, AKIN_ERR_CORRUPT, "%zu of %zu rows are in tables", b->buckets.count,
				 index->rows.count);
	for (size_t t = 0; deep && t < b->buckets.tables; t++) {
		const size_t met = rows_in_table(index, t);

		if (met != b->buckets.count)
			return error_set(err, AKIN_ERR_CORRUPT, "table %zu has %zu of %zu rows", t, met,
					 b->buckets.count);
	}
	return AKIN_OK;
}

static uint64_t bytes(const struct index *index)
{
	const struct binary *b = index->kind;

	return sizeof *b + buckets_bytes(&b->buckets);
}

const struct index_ops binary_ops = { .create = create,
				      .destroy = destroy,
				      .added = added,
				      .removing = removing,
				      .search = search,
				      .search_many = search_many,
				      .save = save,
				      .load = load,
				      .own = own,
				      .check = check,
				      .bytes = bytes };
