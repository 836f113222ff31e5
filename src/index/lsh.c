/* index/lsh.c - locality-sensitive hashing: rows that fall into the query's cells, or into cells beside them.
 *
 * A table's key has some hash functions. Under cosine and inner product the sign of a random projection (Charikar
 * 2002), else its cell floor(projection / width + offset) (p-stable: Datar, Immorlica, Indyk, Mirrokni 2004). Few
 * tables are enough because each is asked several times, in order of how near the query is to the borders it would have
 * to cross (Lv et al., Multi-probe LSH, 2007). What is found is compared exactly.
 *
 *   L1  once something was learnt, every row is in each table.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "base/rng.h"
#include "index/buckets.h"
#include "index/ivf.h"

enum {
	FEWEST = 1000, /* rows below which all are compared */
	GROWTH = 4,
	TABLES = 8,
	MOST_TABLES = 64,
	MOST_FUNCTIONS = 32,
	MOST_BITS = 24, /* of a slot */
	SAMPLE = 256,
	PROBES = 64, /* of a table, unless asked otherwise */
	RARE = 32,   /* one row of so many or fewer allowed: those are compared */
};

struct lsh {
	size_t made; /* for so many rows; 0: nothing learnt */
	size_t functions;
	bool signs, mapped;
	const float *model; /* projections: tables x functions x dim; an offset each; 1 / width */
	struct buckets buckets;
};

static size_t all_functions(const struct lsh *l)
{
	return l->buckets.tables * l->functions;
}

static size_t model_floats(size_t functions, size_t dim)
{
	return functions * (dim + 1) + 1;
}

/* ---- keys ---- */

/* Where a vector lies: cells, and how far into each, 0 to 1. With signs: the side, and how far from the plane. */
static void project(const struct index *index, const struct lsh *l, const float *vector, int32_t *cells, float *within)
{
	const size_t n = all_functions(l), dim = index->space.dim;
	const float *offsets = l->model + n * dim, inverse = offsets[n];

	index->space.kernels->scan_ip_f32(vector, l->model, n, dim, within);
	for (size_t i = 0; i < n; i++) {
		float at = within[i] * inverse + offsets[i], cell = floorf(at);

		if (l->signs) {
			cells[i] = within[i] > 0;
			continue;
		}
		/* Also what is no number goes somewhere, and always there. */
		cells[i] = cell > -1e9f && cell < 1e9f ? (int32_t)cell : 0;
		within[i] = cell > -1e9f && cell < 1e9f ? at - cell : 0;
	}
}

/* One more in cell i adds this to the table's key, so that a neighbour's key is a sum away. */
static uint64_t weight(size_t i)
{
	return rng_u64(&(struct rng){ i });
}

static uint64_t key_of(const int32_t *cells, size_t functions)
{
	uint64_t key = 0;

	for (size_t i = 0; i < functions; i++) key += weight(i) * (uint64_t)(int64_t)cells[i];
	return key;
}

static uint32_t slot_of(const struct lsh *l, uint64_t key)
{
	key ^= key >> 29;
	return (uint32_t)(key * UINT64_C(0xbf58476d1ce4e5b9) >> (64 - l->buckets.bits));
}

/* Room for a vector, its cells and how far into them. */
static float *make_room(const struct index *index, const struct lsh *l)
{
	return mem_aligned((index->space.dim + 2 * all_functions(l)) * sizeof(float));
}

static void slots_of_row(const struct index *index, const struct lsh *l, size_t row, float *room, uint32_t *slots)
{
	float *within = room + index->space.dim;
	int32_t *cells = (void *)(within + all_functions(l));
	const float *scales = rows_scales(&index->rows, row);

	ivf_floats(&index->space, rows_at(&index->rows, &index->space, row), scales ? *scales : 1, room);
	project(index, l, room, cells, within);
	for (size_t t = 0; t < l->buckets.tables; t++)
		slots[t] = slot_of(l, key_of(cells + t * l->functions, l->functions));
}

/* ---- learning ---- */

static void clear(struct lsh *l)
{
	if (!l->mapped) mem_free((void *)(uintptr_t)l->model);
	buckets_deinit(&l->buckets);
	*l = (struct lsh){ 0 };
}

/* Cells as wide as projections of pairs usually differ: the median of a sample, which outliers do not move. */
static int compare_floats(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static float width_for(const struct index *index, const float *projections, size_t n, float *room, struct rng *rng)
{
	float *other = room + index->space.dim, differences[SAMPLE];
	size_t found = 0;

	for (size_t i = 0; i < SAMPLE; i++) {
		const size_t a = rng_below(rng, index->rows.count), b = rng_below(rng, index->rows.count);
		const float *scales = rows_scales(&index->rows, 0),
			    *p = projections + rng_below(rng, n) * index->space.dim;

		ivf_floats(&index->space, rows_at(&index->rows, &index->space, a), scales ? scales[a] : 1, room);
		ivf_floats(&index->space, rows_at(&index->rows, &index->space, b), scales ? scales[b] : 1, other);
		differences[found] = fabsf(index->space.kernels->ip_f32(room, p, index->space.dim) -
					   index->space.kernels->ip_f32(other, p, index->space.dim));
		if (differences[found] > 0 && differences[found] < 1e37f) found++;
	}
	if (!found) return 1;
	qsort(differences, found, sizeof *differences, compare_floats);
	return 1.5f * differences[found / 2];
}

static akin_status learn(const struct index *index, struct lsh *l, akin_error *err)
{
	const struct lsh_params *p = &index->params.lsh;
	const size_t n = index->rows.count, dim = index->space.dim, tables = p->tables ? p->tables : TABLES;
	struct rng rng = { index->params.seed };
	float *model, *room = NULL;
	size_t functions;
	unsigned bits = 1;
	akin_status st = AKIN_OK;

	while (bits < MOST_BITS && n >> bits > 1) bits++;
	*l = (struct lsh){ .made = n, .functions = p->bits ? p->bits : bits };
	l->signs = index->space.metric == METRIC_COSINE || index->space.metric == METRIC_IP;
	functions = tables * l->functions;
	l->model = model = mem_alloc(model_floats(functions, dim) * sizeof *model);
	room = mem_aligned(2 * dim * sizeof *room);
	if (!model || !room) st = error_nomem(err);
	if (st == AKIN_OK) st = buckets_init(&l->buckets, tables, bits, n, err);
	if (st == AKIN_OK) {
		float width;

		for (size_t i = 0; i < functions * dim; i++) model[i] = (float)rng_normal(&rng);
		for (size_t i = 0; i < functions; i++) model[functions * dim + i] = (float)rng_unit(&rng);
		width = p->width > 0 ? p->width : width_for(index, model, functions, room, &rng);
		model[functions * dim + functions] = 1 / width;
	}
	mem_free(room);
	return st;
}

/* ---- changing ---- */

static akin_status create(struct index *index, akin_error *err)
{
	const struct lsh_params *p = &index->params.lsh;

	if (p->tables > MOST_TABLES || p->bits > MOST_FUNCTIONS || !(p->width >= 0 && p->width < 1e30f))
		return error_set(err, AKIN_ERR_INVALID,
				 "%u tables of %u functions with cells of %g are beyond %d, %d or the numbers",
				 (unsigned)p->tables, (unsigned)p->bits, (double)p->width, MOST_TABLES, MOST_FUNCTIONS);
	index->kind = mem_zalloc(sizeof(struct lsh));
	return index->kind ? AKIN_OK : error_nomem(err);
}

static void destroy(struct index *index)
{
	if (index->kind) clear(index->kind);
	mem_free(index->kind);
}

struct hashing {
	const struct index *index;
	const struct lsh *l;
	size_t first, n, tasks, share;
	float *rooms;
	size_t room;
	uint32_t *slots; /* n x tables */
};

static void hash_rows(void *ctx, size_t task)
{
	const struct hashing *h = ctx;
	const size_t end = (task + 1) * h->share < h->n ? (task + 1) * h->share : h->n;

	for (size_t i = task * h->share; i < end; i++)
		slots_of_row(h->index, h->l, h->first + i, h->rooms + task * h->room,
			     h->slots + i * h->l->buckets.tables);
}

/* Slots of rows from `first` on, over threads; *slots is the caller's. */
static akin_status hash_all(const struct index *index, const struct lsh *l, size_t first, size_t n, unsigned threads,
			    uint32_t **slots, akin_error *err)
{
	struct hashing h = {
		.index = index, .l = l, .first = first, .n = n, .tasks = threads ? threads : pool_cores()
	};

	h.share = (n + h.tasks - 1) / h.tasks;
	h.room = (index->space.dim + 2 * all_functions(l) + 15) & ~(size_t)15;
	h.rooms = mem_aligned(h.tasks * h.room * sizeof *h.rooms);
	*slots = h.slots = mem_calloc(n * l->buckets.tables, sizeof *h.slots);
	if (h.rooms && h.slots) pool_for(h.tasks, (unsigned)h.tasks, hash_rows, &h);
	mem_free(h.rooms);
	if (h.rooms && h.slots) return AKIN_OK;
	mem_free(*slots);
	*slots = NULL;
	return error_nomem(err);
}

static akin_status place(const struct index *index, struct lsh *l, size_t first, size_t n, unsigned threads,
			 akin_error *err)
{
	uint32_t *slots;
	akin_status st = buckets_reserve(&l->buckets, first + n, err);

	if (st != AKIN_OK || (st = hash_all(index, l, first, n, threads, &slots, err)) != AKIN_OK) return st;
	for (size_t i = 0; i < n; i++) buckets_add(&l->buckets, slots + i * l->buckets.tables);
	mem_free(slots);
	return AKIN_OK;
}

static akin_status added(struct index *index, size_t first, size_t n, unsigned threads, akin_error *err)
{
	struct lsh *l = index->kind, fresh;
	akin_status st;

	if (!l->made && index->rows.count < FEWEST) return AKIN_OK;
	if (l->made && index->rows.count / GROWTH < l->made) return place(index, l, first, n, threads, err);
	st = learn(index, &fresh, err);
	if (st == AKIN_OK) st = place(index, &fresh, 0, index->rows.count, threads, err);
	if (st != AKIN_OK) {
		clear(&fresh);
		return st;
	}
	clear(l);
	*l = fresh;
	return AKIN_OK;
}

static akin_status removing(struct index *index, size_t row, size_t last, akin_error *err)
{
	struct lsh *l = index->kind;

	(void)last;
	(void)err;
	if (l->made) buckets_remove(&l->buckets, row);
	return AKIN_OK;
}

static akin_status own(struct index *index, akin_error *err)
{
	struct lsh *l = index->kind;
	float *model;
	akin_status st;

	if (!l->mapped) return AKIN_OK;
	if (!(model = mem_dup(l->model, model_floats(all_functions(l), index->space.dim) * sizeof *model)))
		return error_nomem(err);
	if ((st = buckets_own(&l->buckets, err)) != AKIN_OK) {
		mem_free(model);
		return st;
	}
	l->model = model;
	l->mapped = false;
	return AKIN_OK;
}

/* ---- searching ---- */

/* A cell beside the query's: what it adds to the key, and how far its border is. */
struct step {
	uint64_t weight;
	float cost;
	uint32_t function;
};

static int by_cost(const void *a, const void *b)
{
	const struct step *x = a, *y = b;

	if (x->cost != y->cost) return x->cost < y->cost ? -1 : 1;
	return (x->function > y->function) - (x->function < y->function);
}

static size_t make_steps(const struct lsh *l, const int32_t *cells, const float *within, struct step *steps)
{
	size_t n = 0;

	for (uint32_t i = 0; i < l->functions; i++) {
		const float x = within[i];

		if (l->signs) {
			steps[n++] = (struct step){ cells[i] ? 0 - weight(i) : weight(i), x * x, i };
			continue;
		}
		steps[n++] = (struct step){ 0 - weight(i), x * x, i };
		steps[n++] = (struct step){ weight(i), (1 - x) * (1 - x), i };
	}
	qsort(steps, n, sizeof *steps, by_cost);
	return n;
}

/* A set of steps, as a bit for each: up to 64 of them. */
struct probe {
	uint64_t set;
	float cost;
};

static void push_probe(struct probe *heap, size_t *n, struct probe probe)
{
	size_t at = (*n)++;

	for (; at && heap[(at - 1) / 2].cost > probe.cost; at = (at - 1) / 2) heap[at] = heap[(at - 1) / 2];
	heap[at] = probe;
}

static struct probe pop_probe(struct probe *heap, size_t *n)
{
	const struct probe least = heap[0], last = heap[--*n];
	size_t at = 0;

	for (size_t child; (child = 2 * at + 1) < *n; at = child) {
		if (child + 1 < *n && heap[child + 1].cost < heap[child].cost) child++;
		if (!(heap[child].cost < last.cost)) break;
		heap[at] = heap[child];
	}
	heap[at] = last;
	return least;
}

struct walk {
	const struct index *index;
	const struct lsh *l;
	const struct query *query;
	const struct allow *allow;
	struct topk *top;
	uint64_t *seen;
	struct probe *heap;
};

static void ask_slot(const struct walk *w, size_t table, uint64_t key)
{
	const struct rows *rows = &w->index->rows;
	uint32_t at = 0;

	for (size_t row; buckets_walk(&w->l->buckets, table, slot_of(w->l, key), &at, &row);) {
		float distance;

		if (w->seen[row / 64] >> row % 64 & 1) continue;
		w->seen[row / 64] |= UINT64_C(1) << row % 64;
		if (!allow_row(w->allow, rows, row)) continue;
		space_distances(&w->index->space, w->query, rows_at(rows, &w->index->space, row),
				rows_scales(rows, row), 1, &distance);
		if (distance <= w->top->bound) topk_push(w->top, (struct hit){ rows->ids[row], distance });
	}
}

/* Each set of steps comes after those it grew from: its last step goes one further, or the next one joins (Lv, 4.4). */
static void ask_table(const struct walk *w, size_t table, const int32_t *cells, const float *within, size_t probes)
{
	const uint64_t key = key_of(cells, w->l->functions);
	struct step steps[2 * MOST_FUNCTIONS];
	const size_t n_steps = make_steps(w->l, cells, within, steps);
	size_t waiting = 0, popped = 0;

	ask_slot(w, table, key);
	push_probe(w->heap, &waiting, (struct probe){ 1, steps[0].cost });
	for (size_t asked = 1; asked < probes && waiting && popped < 64 * probes; popped++) {
		const struct probe p = pop_probe(w->heap, &waiting);
		const unsigned last = 63 - (unsigned)__builtin_clzll(p.set);
		uint64_t moved = key, used = 0;
		bool twice = false;

		if (last + 1 < n_steps) {
			const float next = steps[last + 1].cost;

			push_probe(w->heap, &waiting, (struct probe){ p.set | UINT64_C(2) << last, p.cost + next });
			push_probe(w->heap, &waiting,
				   (struct probe){ p.set ^ UINT64_C(3) << last, p.cost - steps[last].cost + next });
		}
		for (uint64_t left = p.set; left; left &= left - 1) {
			const struct step *s = &steps[__builtin_ctzll(left)];

			twice |= used >> s->function & 1;
			used |= UINT64_C(1) << s->function;
			moved += s->weight;
		}
		if (twice) continue; /* both ways at once */
		ask_slot(w, table, moved);
		asked++;
	}
}

/* Sets with both steps of a function are made and passed over: at most this many wait. */
static size_t heap_room(size_t probes)
{
	return 64 * probes + 64;
}

static akin_status search_one(struct walk *w, size_t effort, akin_error *err)
{
	const size_t probes = effort ? effort : PROBES, dim = w->index->space.dim, functions = w->l->functions;
	float *room = make_room(w->index, w->l), *within = room + dim;
	int32_t *cells = (void *)(within + all_functions(w->l));

	w->seen = mem_calloc(w->index->rows.count / 64 + 1, sizeof *w->seen);
	w->heap = probes < 1 << 20 ? mem_alloc(heap_room(probes) * sizeof *w->heap) : NULL;
	if (room && w->seen && w->heap) {
		ivf_query_floats(&w->index->space, w->query, room);
		project(w->index, w->l, room, cells, within);
		for (size_t t = 0; t < w->l->buckets.tables; t++)
			ask_table(w, t, cells + t * functions, within + t * functions, probes);
	}
	mem_free(room);
	mem_free(w->seen);
	mem_free(w->heap);
	return room && w->seen && w->heap ? AKIN_OK : error_nomem(err);
}

/* Tables would be asked for rows that are nearly all not allowed. */
static bool is_rare(const struct index *index, const struct allow *allow)
{
	return allow->bits && allow->n < index->rows.count / RARE;
}

/* When fewer than k were found, all are compared: nobody is told that there are no more. */
static akin_status search(const struct index *index, const struct query *query, const struct allow *allow, size_t effort,
			  struct topk *top, akin_error *err)
{
	const struct topk before = *top;
	struct walk w = { .index = index, .l = index->kind, .query = query, .allow = allow, .top = top };
	akin_status st;

	if (!w.l->made || is_rare(index, allow)) return flat_search(index, query, allow, effort, top, err);
	if ((st = search_one(&w, effort, err)) != AKIN_OK || top->n == top->k || before.bound < INFINITY) return st;
	*top = before;
	return flat_search(index, query, allow, effort, top, err);
}

struct many {
	const struct index *index;
	const struct batch *batch;
	akin_status *states;
};

static void search_at(void *ctx, size_t i)
{
	const struct many *m = ctx;
	const struct topk before = m->batch->tops[i];
	struct walk w = { .index = m->index,
			  .l = m->index->kind,
			  .query = &m->batch->queries[i],
			  .allow = m->batch->allow,
			  .top = &m->batch->tops[i] };
	struct batch rest = *m->batch;

	if ((m->states[i] = search_one(&w, m->batch->effort, NULL)) != AKIN_OK || w.top->n == w.top->k ||
	    before.bound < INFINITY)
		return;
	*w.top = before;
	rest.queries += i;
	rest.tops += i;
	rest.n = rest.threads = 1;
	m->states[i] = flat_search_many(m->index, &rest, NULL);
}

static akin_status search_many(const struct index *index, const struct batch *batch, akin_error *err)
{
	struct many m = { index, batch, NULL };
	akin_status st = AKIN_OK;

	if (!((const struct lsh *)index->kind)->made || is_rare(index, batch->allow))
		return flat_search_many(index, batch, err);
	if (!(m.states = mem_calloc(batch->n, sizeof *m.states))) return error_nomem(err);
	pool_for(batch->n, batch->threads, search_at, &m);
	for (size_t i = 0; i < batch->n && st == AKIN_OK; i++)
		if (m.states[i] != AKIN_OK) st = error_nomem(err);
	mem_free(m.states);
	return st;
}

/* ---- files ---- */

enum {
	META_MADE,
	META_FUNCTIONS,
	META_SIGNS,
	META_TABLES,
	META_BITS,
	META_PARAM_TABLES,
	META_PARAM_BITS,
	META_PARAM_WIDTH,
	META_N
};

struct saving {
	const uint32_t *slots;
	size_t tables;
};

static void slots_to_save(void *ctx, size_t row, uint32_t *slots)
{
	const struct saving *s = ctx;

	memcpy(slots, s->slots + row * s->tables, s->tables * sizeof *slots);
}

static akin_status save(const struct index *index, const uint32_t *order, struct file_out *file, akin_error *err)
{
	const struct lsh *l = index->kind;
	const struct lsh_params *p = &index->params.lsh;
	uint64_t meta[META_N] = { l->made,         l->functions, l->signs, l->buckets.tables,
				  l->buckets.bits, p->tables,    p->bits,  0 };
	struct saving saving = { NULL, l->buckets.tables };
	uint32_t *slots;
	akin_status st = file_out_section(file, SECTION_LSH_META, err);

	memcpy(&meta[META_PARAM_WIDTH], &p->width, sizeof p->width);
	if (st == AKIN_OK) st = file_out_put(file, meta, sizeof meta, err);
	if (st != AKIN_OK || !l->made) return st;
	st = file_out_section(file, SECTION_LSH_MODEL, err);
	if (st == AKIN_OK)
		st = file_out_put(file, l->model, model_floats(all_functions(l), index->space.dim) * sizeof *l->model,
				  err);
	if (st == AKIN_OK) st = hash_all(index, l, 0, index->rows.count, 1, &slots, err);
	if (st != AKIN_OK) return st;
	saving.slots = slots;
	st = buckets_save(&l->buckets, SECTION_LSH_HEADS, SECTION_LSH_NEXT, order, slots_to_save, &saving, file, err);
	mem_free(slots);
	return st;
}

static akin_status load(struct index *index, akin_error *err)
{
	struct lsh *l = index->kind;
	struct lsh_params *p = &index->params.lsh;
	const void *at;
	uint64_t meta[META_N];
	akin_status st = file_in_section(&index->file, SECTION_LSH_META, sizeof meta, &at, err);

	if (st != AKIN_OK) return st;
	memcpy(meta, at, sizeof meta);
	if (meta[META_MADE] > IDMAP_MAX_ROWS ||
	    (meta[META_MADE] && (!meta[META_FUNCTIONS] || meta[META_FUNCTIONS] > MOST_FUNCTIONS || !meta[META_TABLES] ||
				 meta[META_TABLES] > MOST_TABLES || !meta[META_BITS] || meta[META_BITS] > MOST_BITS)))
		return error_set(err, AKIN_ERR_FORMAT, "%llu tables of %llu functions",
				 (unsigned long long)meta[META_TABLES], (unsigned long long)meta[META_FUNCTIONS]);
	*p = (struct lsh_params){ (uint32_t)meta[META_PARAM_TABLES], (uint32_t)meta[META_PARAM_BITS], 0 };
	memcpy(&p->width, &meta[META_PARAM_WIDTH], sizeof p->width);
	if (!meta[META_MADE]) return AKIN_OK;
	st = file_in_section(&index->file, SECTION_LSH_MODEL,
			     model_floats(meta[META_TABLES] * meta[META_FUNCTIONS], index->space.dim) * sizeof(float),
			     &at, err);
	if (st == AKIN_OK)
		st = buckets_map(&l->buckets, &index->file, SECTION_LSH_HEADS, SECTION_LSH_NEXT, meta[META_TABLES],
				 (unsigned)meta[META_BITS], index->rows.count, err);
	if (st != AKIN_OK) return st;
	l->made = meta[META_MADE];
	l->functions = meta[META_FUNCTIONS];
	l->signs = meta[META_SIGNS];
	l->model = at;
	l->mapped = true;
	return AKIN_OK;
}

static size_t rows_in_table(const struct lsh *l, size_t table, const uint32_t *slots)
{
	size_t met = 0, row;

	for (uint32_t slot = 0; slot < UINT32_C(1) << l->buckets.bits; slot++)
		for (uint32_t at = 0; met <= l->buckets.count && buckets_walk(&l->buckets, table, slot, &at, &row);)
			met += slots[row * l->buckets.tables + table] == slot;
	return met;
}

static akin_status check(const struct index *index, bool deep, akin_error *err)
{
	const struct lsh *l = index->kind;
	uint32_t *slots;
	akin_status st;

	if (!l->made) return AKIN_OK;
	if (l->buckets.count != index->rows.count)
		return error_set(err, AKIN_ERR_CORRUPT, "%zu of %zu rows are in tables", l->buckets.count,
				 index->rows.count);
	if (!deep || !index->rows.count) return AKIN_OK;
	if ((st = hash_all(index, l, 0, index->rows.count, 1, &slots, err)) != AKIN_OK) return st;
	for (size_t t = 0; st == AKIN_OK && t < l->buckets.tables; t++) {
		const size_t met = rows_in_table(l, t, slots);

		if (met != l->buckets.count)
			st =
			    error_set(err, AKIN_ERR_CORRUPT, "table %zu has %zu of %zu rows", t, met, l->buckets.count);
	}
	mem_free(slots);
	return st;
}

static uint64_t bytes(const struct index *index)
{
	const struct lsh *l = index->kind;
	uint64_t model = l->made && !l->mapped ? model_floats(all_functions(l), index->space.dim) * sizeof(float) : 0;

	return sizeof *l + model + buckets_bytes(&l->buckets);
}

const struct index_ops lsh_ops = { .create = create,
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
