/* vecfile/hdf5.c - from the superblock over the root group to one array's object header.
 * SPDX-License-Identifier: Apache-2.0 */
#include "vecfile/hdf5.h"

#include <string.h>

#include "base/alloc.h"

enum { VISITS_MAX = 4000000 };
enum message {
	MESSAGE_SPACE = 0x01,
	MESSAGE_TYPE = 0x03,
	MESSAGE_LINK = 0x06,
	MESSAGE_LAYOUT = 0x08,
	MESSAGE_FILTERS = 0x0b,
	MESSAGE_ATTRIBUTE = 0x0c,
	MESSAGE_CONTINUES = 0x10,
	MESSAGE_GROUP = 0x11
};

/* Bytes of one message. */
struct span {
	const uint8_t *at;
	size_t n;
};

static const uint8_t signature[8] = { 0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n' };

uint64_t hdf5_number(const uint8_t *p, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < bytes; i++) value |= (uint64_t)p[i] << 8 * i;
	return value;
}

const uint8_t *hdf5_at(const struct hdf5_file *f, uint64_t address, uint64_t n)
{
	if (address > f->n || f->base > f->n - address) return NULL;
	address += f->base;
	return n <= f->n - address ? f->bytes + address : NULL;
}

bool hdf5_visit(struct hdf5_file *f)
{
	return f->visits++ < VISITS_MAX;
}

static akin_status broken(const char *what, akin_error *err)
{
	return error_set(err, AKIN_ERR_FORMAT, "the HDF5 file's %s is damaged", what);
}

/* Take n bytes off the front; NULL when there are fewer. */
static const uint8_t *take(struct span *s, size_t n)
{
	const uint8_t *at = s->at;

	if (n > s->n) return NULL;
	s->at += n;
	s->n -= n;
	return at;
}

static bool take_number(struct span *s, size_t bytes, uint64_t *value)
{
	const uint8_t *p = take(s, bytes);

	*value = p ? hdf5_number(p, bytes) : 0;
	return p != NULL;
}

/* ---- superblock (II) ---- */

/* After bytes of the user's own, at 0, 512, 1024, 2048 ... */
static size_t find_signature(const uint8_t *bytes, size_t n)
{
	for (size_t at = 0; n >= 96 && at <= n - 96; at = at ? 2 * at : 512)
		if (!memcmp(bytes + at, signature, sizeof signature)) return at;
	return n;
}

bool hdf5_is(const uint8_t *bytes, size_t n)
{
	return find_signature(bytes, n) < n;
}

static akin_status read_superblock(struct hdf5_file *f, akin_error *err)
{
	const uint8_t *p = f->bytes + find_signature(f->bytes, f->n);
	const bool old = p[8] < 2;
	const uint8_t *sizes = p + (old ? 13 : 9);
	const size_t more = p[8] == 1 ? 4 : 0;

	if (p[8] > 3) return error_set(err, AKIN_ERR_UNSUPPORTED, "HDF5 superblocks of version %u are unknown", p[8]);
	if (sizes[0] != 8 || sizes[1] != 8)
		return error_set(err, AKIN_ERR_UNSUPPORTED,
				 "HDF5 addresses of %u and lengths of %u bytes are not read, only 8", sizes[0],
				 sizes[1]);
	/* Version 1 has four bytes more before the addresses; the root is an entry of a symbol table there. */
	f->base = hdf5_number(p + (old ? 24 + more : 12), 8);
	f->root = hdf5_number(p + (old ? 64 + more : 36), 8);
	return AKIN_OK;
}

/* ---- object headers (IV.A) ---- */

/* What is done with a message; a status other than OK ends the walk. */
struct visitor {
	akin_status (*message)(struct hdf5_file *f, void *ctx, unsigned type, struct span body, akin_error *err);
	void *ctx;
};

enum { CONTINUATIONS_MAX = 64 };

/* Blocks of messages that are still to be read. */
struct blocks {
	struct span at[CONTINUATIONS_MAX];
	size_t n;
};

static bool push_block(struct hdf5_file *f, struct blocks *blocks, struct span body, bool old)
{
	uint64_t address, n;
	const uint8_t *p;

	if (!take_number(&body, 8, &address) || !take_number(&body, 8, &n)) return false;
	if (blocks->n == CONTINUATIONS_MAX || !hdf5_visit(f) || !(p = hdf5_at(f, address, n))) return false;
	if (!old && (n < 8 || memcmp(p, "OCHK", 4) != 0)) return false;
	/* New blocks have a mark in front and a checksum behind. */
	blocks->at[blocks->n++] = old ? (struct span){ p, (size_t)n } : (struct span){ p + 4, (size_t)n - 8 };
	return true;
}

static akin_status walk_block(struct hdf5_file *f, struct span block, struct blocks *blocks, bool old,
			      size_t head_bytes, const struct visitor *visitor, akin_error *err)
{
	akin_status st = AKIN_OK;

	while (block.n >= head_bytes && st == AKIN_OK) {
		const uint8_t *head = take(&block, head_bytes);
		const unsigned type = old ? (unsigned)hdf5_number(head, 2) : head[0];
		const size_t n = (size_t)hdf5_number(head + (old ? 2 : 1), 2);
		struct span body = { take(&block, n), n };

		if (!body.at) return old ? broken("object header", err) : AKIN_OK; /* a gap before the checksum */
		if (type == MESSAGE_CONTINUES && !push_block(f, blocks, body, old)) return broken("object header", err);
		if (type != MESSAGE_CONTINUES) st = visitor->message(f, visitor->ctx, type, body, err);
	}
	return st;
}

/* The first block of an object header, and how long the heads of its messages are. */
static bool first_block(const struct hdf5_file *f, uint64_t address, struct span *block, bool *old, size_t *head_bytes)
{
	const uint8_t *p = hdf5_at(f, address, 16);
	size_t at, width;
	uint64_t n;

	if (!p) return false;
	*old = memcmp(p, "OHDR", 4) != 0;
	*head_bytes = *old ? 8 : p[5] & 4 ? 6 : 4;
	if (*old) {
		if (p[0] != 1) return false;
		at = 16;
		n = hdf5_number(p + 8, 4);
	} else {
		if (p[4] != 2) return false;
		width = (size_t)1 << (p[5] & 3);
		at = (size_t)6 + (p[5] & 0x20 ? 16 : 0) + (p[5] & 0x10 ? 4 : 0);
		if (!(p = hdf5_at(f, address, at + width))) return false;
		n = hdf5_number(p + at, width);
		at += width;
	}
	if (n > f->n || !(p = hdf5_at(f, address, at + n))) return false;
	*block = (struct span){ p + at, (size_t)n };
	return true;
}

static akin_status walk_header(struct hdf5_file *f, uint64_t address, const struct visitor *visitor, akin_error *err)
{
	struct blocks blocks = { .n = 1 };
	size_t head_bytes;
	akin_status st = AKIN_OK;
	bool old;

	if (!hdf5_visit(f) || !first_block(f, address, &blocks.at[0], &old, &head_bytes))
		return broken("object header", err);
	for (size_t i = 0; i < blocks.n && st == AKIN_OK; i++)
		st = walk_block(f, blocks.at[i], &blocks, old, head_bytes, visitor, err);
	return st;
}

/* ---- the root group: names in a tree (III.A.1, III.B, III.D), or links in the header (IV.A.2.g) ---- */

struct lookup {
	const char *name;
	uint64_t found;     /* address of the object header */
	char distance[32];  /* the attribute of that name */
};

static bool heap_has(const struct hdf5_file *f, uint64_t heap, uint64_t offset, const char *name)
{
	const uint8_t *p = hdf5_at(f, heap, 32), *text;
	const size_t n = strlen(name) + 1;
	uint64_t bytes;

	if (!p || memcmp(p, "HEAP", 4) != 0) return false;
	bytes = hdf5_number(p + 8, 8);
	if (offset > bytes || n > bytes - offset || hdf5_number(p + 24, 8) > UINT64_MAX - offset) return false;
	text = hdf5_at(f, hdf5_number(p + 24, 8) + offset, n);
	return text && !memcmp(text, name, n);
}

static void search_names(const struct hdf5_file *f, uint64_t node, uint64_t heap, struct lookup *l)
{
	const uint8_t *p = hdf5_at(f, node, 8);
	const size_t n = p ? (size_t)hdf5_number(p + 6, 2) : 0;

	if (!p || memcmp(p, "SNOD", 4) != 0 || !(p = hdf5_at(f, node, 8 + 40 * n))) return;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *entry = p + 8 + 40 * i;

		if (heap_has(f, heap, hdf5_number(entry, 8), l->name)) l->found = hdf5_number(entry + 8, 8);
	}
}

/* Levels fall towards the leaves, which bounds the depth; visits bound the rest. */
static void search_tree(struct hdf5_file *f, uint64_t node, uint64_t heap, unsigned level_below, struct lookup *l)
{
	const uint8_t *p = hdf5_at(f, node, 24);
	size_t n;

	if (!p || memcmp(p, "TREE", 4) != 0 || p[4] != 0 || p[5] >= level_below || !hdf5_visit(f)) return;
	n = (size_t)hdf5_number(p + 6, 2);
	if (!(p = hdf5_at(f, node, 24 + 16 * n))) return;
	for (size_t i = 0; i < n && l->found == HDF5_NOWHERE && f->visits < VISITS_MAX; i++) {
		const uint64_t child = hdf5_number(p + 32 + 16 * i, 8);

		if (p[5]) search_tree(f, child, heap, p[5], l);
		else if (hdf5_visit(f)) search_names(f, child, heap, l);
	}
}

static void read_link(struct span body, struct lookup *l)
{
	uint64_t version, flags, type = 0, n, address;
	const uint8_t *name;

	if (!take_number(&body, 1, &version) || !take_number(&body, 1, &flags) || version != 1) return;
	if (flags & 8 && !take_number(&body, 1, &type)) return;
	if (type != 0 || (flags & 4 && !take(&body, 8)) || (flags & 16 && !take(&body, 1))) return;
	if (!take_number(&body, (size_t)1 << (flags & 3), &n) || n > body.n) return;
	name = take(&body, (size_t)n);
	if (n == strlen(l->name) && !memcmp(name, l->name, (size_t)n) && take_number(&body, 8, &address))
		l->found = address;
}

/* ---- text attributes (IV.A.2.m) ---- */

/* An object of a global heap (III.E), where strings of varying length lie. */
static struct span global_object(struct hdf5_file *f, uint64_t collection, uint64_t index)
{
	const uint8_t *p = hdf5_at(f, collection, 16);
	uint64_t bytes = p && !memcmp(p, "GCOL", 4) ? hdf5_number(p + 8, 8) : 0;
	struct span rest = { hdf5_at(f, collection, bytes), (size_t)bytes };

	if (bytes < 16 || !rest.at) return (struct span){ NULL, 0 };
	take(&rest, 16);
	while (rest.n >= 16 && hdf5_visit(f)) {
		const uint8_t *head = take(&rest, 16);
		const uint64_t n = hdf5_number(head + 8, 8);

		if (n > rest.n) break;
		if (hdf5_number(head, 2) == index) return (struct span){ rest.at, (size_t)n };
		if (!take(&rest, (size_t)((n + 7) & ~UINT64_C(7)))) break;
	}
	return (struct span){ NULL, 0 };
}

static void copy_text(struct span text, char *out, size_t room)
{
	const size_t n = text.n < room - 1 ? text.n : room - 1;

	if (text.at) memcpy(out, text.at, n);
	out[text.at ? n : 0] = '\0';
}

static void read_attribute(struct hdf5_file *f, struct span body, struct lookup *l)
{
	uint64_t version, name_bytes, type_bytes, space_bytes, address, index;
	const uint8_t *name, *type;
	size_t pad;

	if (!take_number(&body, 1, &version) || !take(&body, 1) || version < 1 || version > 3) return;
	if (!take_number(&body, 2, &name_bytes) || !take_number(&body, 2, &type_bytes) ||
	    !take_number(&body, 2, &space_bytes))
		return;
	if (version == 3 && !take(&body, 1)) return;
	pad = version == 1 ? 7 : 0;
	name = take(&body, (size_t)((name_bytes + pad) & ~pad));
	type = take(&body, (size_t)((type_bytes + pad) & ~pad));
	if (!name || !type || type_bytes < 8 || !take(&body, (size_t)((space_bytes + pad) & ~pad))) return;
	if (name_bytes < 9 || memcmp(name, "distance", 9) != 0) return;
	if ((type[0] & 15) == 3) { /* text of fixed length */
		body.n = body.n < hdf5_number(type + 4, 4) ? body.n : (size_t)hdf5_number(type + 4, 4);
		copy_text(body, l->distance, sizeof l->distance);
	} else if ((type[0] & 15) == 9 && take(&body, 4) && take_number(&body, 8, &address) &&
		   take_number(&body, 4, &index)) {
		copy_text(global_object(f, address, index), l->distance, sizeof l->distance);
	}
}

static akin_status root_message(struct hdf5_file *f, void *ctx, unsigned type, struct span body, akin_error *err)
{
	struct lookup *l = ctx;
	uint64_t tree, heap;

	(void)err;
	if (type == MESSAGE_GROUP && take_number(&body, 8, &tree) && take_number(&body, 8, &heap))
		search_tree(f, tree, heap, 256, l);
	if (type == MESSAGE_LINK) read_link(body, l);
	if (type == MESSAGE_ATTRIBUTE) read_attribute(f, body, l);
	return AKIN_OK;
}

/* ---- arrays ---- */

static akin_status read_space(struct hdf5_array *a, struct span body, akin_error *err)
{
	uint64_t version, rank;

	if (!take_number(&body, 1, &version) || !take_number(&body, 1, &rank) || !take(&body, version == 1 ? 6 : 2))
		return broken("dataspace", err);
	if (version != 1 && version != 2)
		return error_set(err, AKIN_ERR_UNSUPPORTED, "HDF5 dataspaces of version %u are unknown",
				 (unsigned)version);
	if (rank != 2)
		return error_set(err, AKIN_ERR_UNSUPPORTED, "the array has %u dimensions, only 2 can be read",
				 (unsigned)rank);
	a->rank = (unsigned)rank;
	if (!take_number(&body, 8, &a->rows) || !take_number(&body, 8, &a->cols)) return broken("dataspace", err);
	return AKIN_OK;
}

static akin_status read_type(struct hdf5_array *a, struct span body, akin_error *err)
{
	static const struct {
		unsigned klass, bytes, is_signed;
		enum vectors_item item;
	} known[] = {
		{ 1, 4, 0, ITEM_F32 }, { 1, 8, 0, ITEM_F64 }, { 1, 2, 0, ITEM_F16 }, { 0, 1, 1, ITEM_I8 },
		{ 0, 1, 0, ITEM_U8 },  { 0, 4, 1, ITEM_I32 }, { 0, 8, 1, ITEM_I64 },
		{ 8, 1, 0, ITEM_BOOL }, /* h5py's booleans: an enumeration */
	};
	unsigned klass, bytes, is_signed;

	if (body.n < 8) return broken("datatype", err);
	klass = body.at[0] & 15;
	bytes = (unsigned)hdf5_number(body.at + 4, 4);
	is_signed = klass == 0 && body.at[1] & 8;
	a->big_endian = body.at[1] & 1;
	for (size_t i = 0; i < COUNT(known); i++) {
		if (known[i].klass != klass || known[i].bytes != bytes || known[i].is_signed != is_signed) continue;
		a->item = known[i].item;
		a->item_bytes = bytes;
		a->has_type = true;
		return AKIN_OK;
	}
	return error_set(err, AKIN_ERR_UNSUPPORTED,
			 "items of HDF5 class %u and %u bytes are neither integers nor floats", klass, bytes);
}

static akin_status read_layout(const struct hdf5_file *f, struct hdf5_array *a, struct span body, akin_error *err)
{
	uint64_t version, klass, n;

	if (!take_number(&body, 1, &version) || !take_number(&body, 1, &klass)) return broken("layout", err);
	if (klass > 2 || (version != 3 && !(version == 4 && klass < 2)))
		return error_set(err, AKIN_ERR_UNSUPPORTED, "HDF5 layouts of version %u, class %u cannot be read",
				 (unsigned)version, (unsigned)klass);
	a->layout = (unsigned)klass;
	if (klass == 0) {
		if (!take_number(&body, 2, &a->bytes) || body.n < a->bytes) return broken("layout", err);
		a->address = (uint64_t)(body.at - f->bytes) - f->base;
		return AKIN_OK;
	}
	if (klass == 1) {
		if (take_number(&body, 8, &a->address) && take_number(&body, 8, &a->bytes)) return AKIN_OK;
		return broken("layout", err);
	}
	if (!take_number(&body, 1, &n) || n != 3) return broken("layout of chunks", err);
	if (!take_number(&body, 8, &a->address) || !take_number(&body, 4, &a->chunk_rows) ||
	    !take_number(&body, 4, &a->chunk_cols))
		return broken("layout of chunks", err);
	return AKIN_OK;
}

static akin_status read_filters(struct hdf5_array *a, struct span body, akin_error *err)
{
	uint64_t version, n, id, name, values;

	if (!take_number(&body, 1, &version) || !take_number(&body, 1, &n)) return broken("list of filters", err);
	if (n > HDF5_MAX_FILTERS || version < 1 || version > 2 || (version == 1 && !take(&body, 6)))
		return broken("list of filters", err);
	for (a->n_filters = 0; a->n_filters < n; a->n_filters++) {
		if (!take_number(&body, 2, &id)) return broken("list of filters", err);
		name = 0;
		if ((version == 1 || id >= 256) && !take_number(&body, 2, &name)) return broken("list of filters", err);
		if (!take(&body, 2) || !take_number(&body, 2, &values)) return broken("list of filters", err);
		if (version == 1) name = (name + 7) & ~UINT64_C(7);
		if (!take(&body, (size_t)(name + 4 * values + (version == 1 && values % 2 ? 4 : 0))))
			return broken("list of filters", err);
		if (id < HDF5_DEFLATE || id > HDF5_FLETCHER32)
			return error_set(err, AKIN_ERR_UNSUPPORTED,
					 "HDF5 filter %u cannot be undone, only deflate and shuffle", (unsigned)id);
		a->filters[a->n_filters] = (uint16_t)id;
	}
	return AKIN_OK;
}

static akin_status array_message(struct hdf5_file *f, void *ctx, unsigned type, struct span body, akin_error *err)
{
	switch (type) {
	case MESSAGE_SPACE: return read_space(ctx, body, err);
	case MESSAGE_TYPE: return read_type(ctx, body, err);
	case MESSAGE_LAYOUT: return read_layout(f, ctx, body, err);
	case MESSAGE_FILTERS: return read_filters(ctx, body, err);
	default: return AKIN_OK;
	}
}

static akin_status use_array(struct vectors *v, struct hdf5_file *f, const struct hdf5_array *a, akin_error *err)
{
	uint64_t items, bytes;
	akin_status st;

	if (a->rank != 2 || !a->has_type || a->layout == 9) return broken("array", err);
	if (!a->cols || a->cols > VECTORS_MAX_COLS)
		return error_set(err, AKIN_ERR_FORMAT, "rows of %llu items are outside 1 to %d",
				 (unsigned long long)a->cols, VECTORS_MAX_COLS);
	if (__builtin_mul_overflow(a->rows, a->cols, &items) || __builtin_mul_overflow(items, a->item_bytes, &bytes) ||
	    bytes > SIZE_MAX / 2)
		return error_set(err, AKIN_ERR_FORMAT, "an array of %llu x %llu cannot be", (unsigned long long)a->rows,
		                 (unsigned long long)a->cols);
	v->item = a->item;
	v->big_endian = a->big_endian;
	v->rows = (size_t)a->rows;
	v->cols = (size_t)a->cols;
	v->item_stride = a->item_bytes;
	v->row_stride = v->cols * a->item_bytes;
	if (a->layout == 2) {
		if ((st = hdf5_unpack(f, a, &v->owned, err)) != AKIN_OK) return st;
		v->data = v->owned;
		return AKIN_OK;
	}
	if (!bytes) return AKIN_OK;
	if (a->bytes != bytes || !(v->data = hdf5_at(f, a->address, bytes)))
		return error_set(err, AKIN_ERR_FORMAT, "%llu x %llu items need %llu bytes, which are not there",
		                 (unsigned long long)a->rows, (unsigned long long)a->cols, (unsigned long long)bytes);
	return AKIN_OK;
}

static enum metric metric_of(const char *distance)
{
	static const struct {
		const char *name;
		enum metric metric;
	} names[] = { { "euclidean", METRIC_L2 }, { "angular", METRIC_COSINE }, { "hamming", METRIC_HAMMING },
		      { "ip", METRIC_IP }, { "dot", METRIC_IP } };

	for (size_t i = 0; i < COUNT(names); i++)
		if (!strcmp(distance, names[i].name)) return names[i].metric;
	return 0;
}

akin_status hdf5_parse(struct vectors *v, const uint8_t *bytes, size_t n, enum vectors_part part, akin_error *err)
{
	static const char *const names[] = {
		[VECTORS_BASE] = "train", [VECTORS_QUERIES] = "test", [VECTORS_TRUTH] = "neighbors"
	};
	struct hdf5_file f = { .bytes = bytes, .n = n };
	struct lookup l = { .name = names[part], .found = HDF5_NOWHERE };
	struct hdf5_array a = { .layout = 9 };
	akin_status st;

	v->format = VECTORS_HDF5;
	v->format_name = "hdf5";
	if ((st = read_superblock(&f, err)) != AKIN_OK) return st;
	if ((st = walk_header(&f, f.root, &(struct visitor){ root_message, &l }, err)) != AKIN_OK) return st;
	if (l.found == HDF5_NOWHERE)
		return error_set(err, AKIN_ERR_NOT_FOUND,
				 "the HDF5 file has no array '%s' that can be found (ann-benchmarks' files have "
				 "train, test and neighbors)",
				 l.name);
	v->metric = metric_of(l.distance);
	st = walk_header(&f, l.found, &(struct visitor){ array_message, &a }, err);
	if (st == AKIN_OK) st = use_array(v, &f, &a, err);
	return error_note(err, st, "array '%s'", l.name);
}
