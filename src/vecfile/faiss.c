/* vecfile/faiss.c - numbers are little endian and unaligned; a vector<T> is a uint64 count and its items.
 * SPDX-License-Identifier: Apache-2.0 */
#include "vecfile/faiss.h"

#include <string.h>

#include "base/alloc.h"

enum { FAISS_IP = 0, FAISS_L2 = 1, NEST_MAX = 2 };

struct cursor {
	const uint8_t *at, *end;
	bool failed; /* the file ended early; what was read is zero */
};

static const uint8_t *take(struct cursor *c, uint64_t n)
{
	const uint8_t *at = c->at;

	if (c->failed || n > (uint64_t)(c->end - c->at)) {
		c->failed = true;
		return NULL;
	}
	c->at += n;
	return at;
}

static uint64_t take_number(struct cursor *c, size_t bytes)
{
	const uint8_t *p = take(c, bytes);
	uint64_t value = 0;

	for (size_t i = 0; p && i < bytes; i++) value |= (uint64_t)p[i] << 8 * i;
	return value;
}

/* A vector of items of that many bytes; *n is how many. */
static const uint8_t *take_vector(struct cursor *c, size_t item_bytes, uint64_t *n)
{
	*n = take_number(c, 8);
	if (*n > SIZE_MAX / item_bytes) c->failed = true;
	return take(c, *n * item_bytes);
}

static bool take_mark(struct cursor *c, char mark[5])
{
	const uint8_t *p = take(c, 4);

	memcpy(mark, p ? (const void *)p : "?\?\?\?", 4);
	mark[4] = '\0';
	return p != NULL;
}

static akin_status ended(const char *where, akin_error *err)
{
	return error_set(err, AKIN_ERR_FORMAT, "the Faiss index ends inside its %s", where);
}

/* ---- heads ---- */

struct head {
	uint64_t dim, count;
	uint64_t metric;
	uint64_t code_size; /* of binary indexes */
};

static akin_status check_head(const struct head *h, const struct cursor *c, akin_error *err)
{
	if (c->failed) return ended("head", err);
	if (h->dim < 1 || h->dim > VECTORS_MAX_COLS)
		return error_set(err, AKIN_ERR_FORMAT, "%llu dimensions are outside 1 to %d",
				 (unsigned long long)h->dim, VECTORS_MAX_COLS);
	if (h->count > INT64_MAX) return error_set(err, AKIN_ERR_FORMAT, "the number of vectors is negative");
	if (h->metric != FAISS_IP && h->metric != FAISS_L2)
		return error_set(err, AKIN_ERR_UNSUPPORTED, "Faiss' metric %llu is neither inner product nor L2",
		                 (unsigned long long)h->metric);
	return AKIN_OK;
}

static akin_status take_head(struct cursor *c, struct head *h, akin_error *err)
{
	*h = (struct head){ 0 };
	h->dim = take_number(c, 4);
	h->count = take_number(c, 8);
	take(c, 16); /* two numbers that nothing reads */
	take_number(c, 1);
	h->metric = take_number(c, 4);
	return check_head(h, c, err);
}

static akin_status take_binary_head(struct cursor *c, struct head *h, akin_error *err)
{
	*h = (struct head){ 0 };
	h->dim = take_number(c, 4);
	h->code_size = take_number(c, 4);
	h->count = take_number(c, 8);
	take_number(c, 1);
	h->metric = take_number(c, 4); /* of no meaning here */
	if (!c->failed && (h->code_size != h->dim / 8 || h->dim % 8))
		return error_set(err, AKIN_ERR_FORMAT, "%llu bits do not fill %llu bytes", (unsigned long long)h->dim,
		                 (unsigned long long)h->code_size);
	return check_head(h, c, err);
}

/* ---- kinds ---- */

static akin_status check_count(uint64_t there, uint64_t wanted, const char *of, akin_error *err)
{
	if (there == wanted) return AKIN_OK;
	return error_set(err, AKIN_ERR_FORMAT, "%llu %s, where the head says %llu", (unsigned long long)there, of,
	                 (unsigned long long)wanted);
}

static void use_rows(struct vectors *v, const struct head *h, const uint8_t *rows, enum vectors_item item, size_t cols,
                     size_t item_bytes)
{
	v->item = item;
	v->rows = (size_t)h->count;
	v->cols = cols;
	v->data = rows;
	v->item_stride = item_bytes;
	v->row_stride = cols * item_bytes;
	v->metric = item == ITEM_BITS ? METRIC_HAMMING : h->metric == FAISS_IP ? METRIC_IP : METRIC_L2;
}

static akin_status parse_flat(struct vectors *v, struct cursor *c, akin_error *err)
{
	struct head h;
	akin_status st = take_head(c, &h, err);
	const uint8_t *rows;
	uint64_t n;

	if (st != AKIN_OK) return st;
	rows = take_vector(c, 4, &n);
	if (c->failed) return ended("vectors", err);
	/* n is a number of items that are there, so the product of these two is no larger or they differ. */
	if (n / h.dim != h.count || n % h.dim) return check_count(n / h.dim, h.count, "vectors", err);
	use_rows(v, &h, rows, ITEM_F32, (size_t)h.dim, 4);
	return AKIN_OK;
}

static akin_status parse_binary(struct vectors *v, struct cursor *c, akin_error *err)
{
	struct head h;
	akin_status st = take_binary_head(c, &h, err);
	const uint8_t *rows;
	uint64_t n;

	if (st != AKIN_OK) return st;
	rows = take_vector(c, 1, &n);
	if (c->failed) return ended("vectors", err);
	if (n / h.code_size != h.count || n % h.code_size) return check_count(n / h.code_size, h.count, "vectors", err);
	use_rows(v, &h, rows, ITEM_BITS, (size_t)h.code_size, 1);
	return AKIN_OK;
}

static akin_status parse_any(struct vectors *v, struct cursor *c, unsigned depth, akin_error *err);

/* The links are arrays whose sizes follow from the file; what they say is not used. */
static akin_status parse_hnsw(struct vectors *v, struct cursor *c, unsigned depth, akin_error *err)
{
	static const size_t arrays[] = { 8, 4, 4, 8,
					 4 }; /* probabilities, neighbours a level, levels, offsets, neighbours */
	struct head h;
	akin_status st = take_head(c, &h, err);
	uint64_t n;

	if (st != AKIN_OK) return st;
	for (size_t i = 0; i < COUNT(arrays); i++) take_vector(c, arrays[i], &n);
	take(c, 5 * 4); /* entry point, greatest level, two widths, one that is no longer used */
	if (c->failed) return ended("links", err);
	if ((st = parse_any(v, c, depth + 1, err)) != AKIN_OK) return st;
	v->format_name = "faiss IndexHNSWFlat";
	if (v->cols != h.dim) return error_set(err, AKIN_ERR_FORMAT, "the graph and its vectors differ in dimension");
	return check_count(v->rows, h.count, "vectors", err);
}

/* ---- inverted lists ---- */

/* Sizes of the lists, dense or as (list, size) pairs; sum is their total. */
static akin_status take_sizes(struct cursor *c, uint64_t n_lists, uint64_t **sizes, uint64_t *sum, akin_error *err)
{
	const uint8_t *p;
	struct cursor items;
	bool sparse;
	char mark[5];
	uint64_t n;

	*sum = 0;
	take_mark(c, mark);
	sparse = !strcmp(mark, "sprs");
	if (!sparse && strcmp(mark, "full") != 0)
		return error_set(err, AKIN_ERR_UNSUPPORTED, "sizes of lists of type '%s' cannot be read", mark);
	p = take_vector(c, 8, &n);
	if (c->failed) return ended("sizes of lists", err);
	if (sparse ? n % 2 || n / 2 > n_lists : n != n_lists) return check_count(n, n_lists, "sizes of lists", err);
	/* n_lists has no bytes of its own to vouch for it when sparse, but its centroids do: the caller has checked. */
	if (!(*sizes = mem_calloc((size_t)n_lists, sizeof **sizes))) return error_nomem(err);
	items = (struct cursor){ p, c->end, false };
	for (uint64_t i = 0; i < n; i += 1 + sparse) {
		const uint64_t list = sparse ? take_number(&items, 8) : i, size = take_number(&items, 8);

		if (list >= n_lists || (*sizes)[list])
			return error_set(err, AKIN_ERR_FORMAT, "a list is not there, or twice");
		(*sizes)[list] = size;
		if (__builtin_add_overflow(*sum, size, sum)) return check_count(UINT64_MAX, n_lists, "vectors", err);
	}
	return AKIN_OK;
}

static akin_status take_lists(struct vectors *v, struct cursor *c, const uint64_t *sizes, uint64_t n_lists,
                              akin_error *err)
{
	size_t row = 0;

	for (uint64_t list = 0; list < n_lists; list++) {
		const uint8_t *codes = take(c, sizes[list] * v->row_stride);
		struct cursor ids = { take(c, sizes[list] * 8), c->end, c->failed };

		if (c->failed) return ended("lists", err);
		for (uint64_t i = 0; i < sizes[list]; i++, row++) {
			v->row_at[row] = codes + i * v->row_stride;
			v->ids[row] = (int64_t)take_number(&ids, 8);
		}
	}
	return AKIN_OK;
}

static akin_status parse_lists(struct vectors *v, struct cursor *c, const struct head *h, uint64_t n_lists,
			       akin_error *err)
{
	uint64_t *sizes = NULL, lists, code_size, sum, most;
	akin_status st;
	char mark[5];

	take_mark(c, mark);
	if (strcmp(mark, "ilar") != 0)
		return c->failed ? ended("lists", err)
		                 : error_set(err, AKIN_ERR_UNSUPPORTED, "lists of type '%s' cannot be read", mark);
	lists = take_number(c, 8);
	code_size = take_number(c, 8);
	if (c->failed) return ended("lists", err);
	if (lists != n_lists || code_size != 4 * h->dim)
		return error_set(err, AKIN_ERR_FORMAT, "%llu lists of %llu bytes a vector contradict the head",
		                 (unsigned long long)lists, (unsigned long long)code_size);
	if ((st = take_sizes(c, n_lists, &sizes, &sum, err)) != AKIN_OK) goto out;
	most = (uint64_t)(c->end - c->at) / (code_size + 8);
	if (sum > most) {
		st = error_set(err, AKIN_ERR_FORMAT, "the lists hold %llu vectors, there are bytes for %llu",
		               (unsigned long long)sum, (unsigned long long)most);
		goto out;
	}
	if ((st = check_count(sum, h->count, "vectors in lists", err)) != AKIN_OK) goto out;
	use_rows(v, h, NULL, ITEM_F32, (size_t)h->dim, 4);
	v->row_at = mem_calloc((size_t)sum, sizeof *v->row_at);
	v->ids = mem_calloc((size_t)sum, sizeof *v->ids);
	if (!v->row_at || !v->ids) st = error_nomem(err);
	else st = take_lists(v, c, sizes, n_lists, err);
out:
	mem_free(sizes);
	return st;
}

static akin_status parse_ivf(struct vectors *v, struct cursor *c, unsigned depth, akin_error *err)
{
	struct vectors centroids = { 0 };
	uint64_t n_lists, n, map;
	struct head h;
	akin_status st = take_head(c, &h, err);

	if (st != AKIN_OK) return st;
	n_lists = take_number(c, 8);
	take_number(c, 8); /* how many lists a search visits */
	if ((st = parse_any(&centroids, c, depth + 1, err)) != AKIN_OK) goto out;
	if ((st = check_count(centroids.rows, n_lists, "centroids", err)) != AKIN_OK) goto out;
	map = take_number(c, 1); /* from ids to places: 0 none, 1 array, 2 hash table */
	take_vector(c, 8, &n);
	if (map == 2) take_vector(c, 16, &n);
	if (c->failed || map > 2) st = ended("map of ids", err);
	else st = parse_lists(v, c, &h, n_lists, err);
	v->format_name = "faiss IndexIVFFlat";
out:
	vectors_close(&centroids);
	return st;
}

static akin_status parse_any(struct vectors *v, struct cursor *c, unsigned depth, akin_error *err)
{
	char mark[5];

	if (depth >= NEST_MAX)
		return error_set(err, AKIN_ERR_UNSUPPORTED, "Faiss indexes nested so deep cannot be read");
	take_mark(c, mark);
	v->format = VECTORS_FAISS;
	v->format_name = !strcmp(mark, "IxFI") ? "faiss IndexFlatIP" : "faiss IndexFlatL2";
	if (!strcmp(mark, "IxF2") || !strcmp(mark, "IxFI") || !strcmp(mark, "IxFl")) return parse_flat(v, c, err);
	if (!strcmp(mark, "IwFl") && depth == 0) return parse_ivf(v, c, depth, err);
	if (!strcmp(mark, "IHNf")) return parse_hnsw(v, c, depth, err);
	v->format_name = "faiss IndexBinaryFlat";
	if (!strcmp(mark, "IBxF") && depth == 0) return parse_binary(v, c, err);
	if (c->failed) return ended("mark", err);
	return error_set(err, AKIN_ERR_UNSUPPORTED, "a Faiss index of type '%s' cannot be read as the inner part",
			 mark);
}

bool faiss_is(const uint8_t *bytes, size_t n)
{
	static const char *const marks[] = { "IxF2", "IxFI", "IxFl", "IwFl", "IHNf", "IBxF" };

	for (size_t i = 0; i < COUNT(marks); i++)
		if (n >= 4 && !memcmp(bytes, marks[i], 4)) return true;
	return false;
}

akin_status faiss_parse(struct vectors *v, const uint8_t *bytes, size_t n, akin_error *err)
{
	struct cursor c = { bytes, bytes + n, false };
	akin_status st = parse_any(v, &c, 0, err);

	if (st == AKIN_OK && c.at != c.end)
		st = error_set(err, AKIN_ERR_FORMAT, "%zu bytes follow the Faiss index", (size_t)(c.end - c.at));
	return st;
}

/* ---- writing ---- */

static size_t put_number(uint8_t *to, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) to[i] = (uint8_t)(value >> 8 * i);
	return bytes;
}

akin_status faiss_put_head(struct fs_writer *file, enum metric metric, enum element element, size_t dim, size_t rows,
                           akin_error *err)
{
	const bool binary = element == ELEMENT_BITS, ip = metric == METRIC_IP;
	uint8_t head[64];
	size_t n = 4;

	if (binary && dim % 8)
		return error_set(err, AKIN_ERR_UNSUPPORTED, "Faiss has whole bytes of bits, not %zu bits", dim);
	memcpy(head, binary ? "IBxF" : ip ? "IxFI" : "IxF2", 4);
	n += put_number(head + n, dim, 4);
	if (binary) n += put_number(head + n, dim / 8, 4);
	n += put_number(head + n, rows, 8);
	if (!binary) n += put_number(head + n, 1 << 20, 8);
	if (!binary) n += put_number(head + n, 1 << 20, 8);
	n += put_number(head + n, 1, 1); /* trained */
	n += put_number(head + n, ip ? FAISS_IP : FAISS_L2, 4);
	n += put_number(head + n, binary ? rows * (dim / 8) : rows * dim, 8);
	return fs_writer_put(file, head, n, err);
}
