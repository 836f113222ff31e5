/* store/: random programs against a twin made of plain arrays; both are written out as text and compared.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "store/store.h"

enum { DIM = 3, MOST = 400, N_MODELS = 2, N_CLASSES = 4 };

/* Names that sort around '/' (0x2f) and hold every kind of byte; the last ones are folders of the first ones. */
static const char *const paths[] = { "/a/1", "/a/2", "/a/b/3", "/a-b/4", "/a0", "/a\xff\xfe/5", "/\xe7\x8c\xab/6", "/a/b", "/x\ny/7",
	                             "/\x01", "/a/b/c/d/8", "/z" };
static const char *const folders[] = { "/", "/a", "/a/", "/a/b", "/a-b", "/a\xff\xfe", "/x\ny", "/nowhere", "/a/1", "/a0" };

struct twin_picture {
	struct store_picture is;
};
struct twin_file {
	const char *path;
	int64_t picture; /* 0: failed */
	enum file_state state;
	struct file_stamp stamp;
	int status;
};
struct twin_feature {
	int64_t picture;
	int model;
	uint64_t seq;
	float data[DIM];
};
struct twin_removal {
	int64_t picture;
	int model;
	uint64_t seq;
};
struct twin_label {
	int64_t picture;
	int model;
	struct store_label is;
};
struct twin {
	struct twin_picture pictures[MOST];
	struct twin_file files[COUNT(paths)];
	struct twin_feature features[MOST];
	struct twin_removal removals[MOST];
	struct twin_label labels[MOST];
	size_t n_pictures, n_files, n_features, n_removals, n_labels;
	uint64_t generation;
	int64_t last_id; /* ever committed */
	int setting;     /* 0: unset */
};

static int64_t model_ids[N_MODELS];
static akin_error err;

#define REMOVE_WHERE(array, n, cond)                                                                                   \
	do {                                                                                                           \
		size_t kept_ = 0;                                                                                      \
		for (size_t i = 0; i < (n); i++)                                                                       \
			if (!(cond)) (array)[kept_++] = (array)[i];                                                    \
		(n) = kept_;                                                                                           \
	} while (0)

/* ---- the twin's meaning of each write ---- */

static struct twin_file *twin_file(struct twin *t, const char *path)
{
	for (size_t i = 0; i < t->n_files; i++)
		if (!strcmp(t->files[i].path, path)) return &t->files[i];
	return NULL;
}

static void twin_forget(struct twin *t, int64_t id)
{
	for (int m = 0; m < N_MODELS; m++)
		for (size_t i = 0; i < t->n_features; i++)
			if (t->features[i].picture == id && t->features[i].model == m)
				t->removals[t->n_removals++] = (struct twin_removal){ id, m, ++t->generation };
	REMOVE_WHERE(t->features, t->n_features, t->features[i].picture == id);
	REMOVE_WHERE(t->labels, t->n_labels, t->labels[i].picture == id);
	REMOVE_WHERE(t->files, t->n_files, t->files[i].picture == id);
	REMOVE_WHERE(t->pictures, t->n_pictures, t->pictures[i].is.id == id);
}

static void twin_forget_if_fileless(struct twin *t, int64_t id)
{
	for (size_t i = 0; i < t->n_files; i++)
		if (t->files[i].picture == id) return;
	if (id) twin_forget(t, id);
}

static int64_t twin_drop_path(struct twin *t, const char *path)
{
	struct twin_file *file = twin_file(t, path);
	int64_t picture = file ? file->picture : 0;

	REMOVE_WHERE(t->files, t->n_files, !strcmp(t->files[i].path, path));
	return picture;
}

static bool twin_has_any(const struct twin *t, int64_t id)
{
	for (size_t i = 0; i < t->n_files; i++)
		if (t->files[i].picture == id) return true;
	for (size_t i = 0; i < t->n_features; i++)
		if (t->features[i].picture == id) return true;
	return false;
}

static void twin_commit(struct twin *t)
{
	for (size_t i = t->n_pictures; i-- > 0;)
		if (!t->pictures[i].is.foreign && !twin_has_any(t, t->pictures[i].is.id)) twin_forget(t, t->pictures[i].is.id);
	for (size_t i = 0; i < t->n_pictures; i++)
		if (t->pictures[i].is.id > t->last_id) t->last_id = t->pictures[i].is.id;
}

/* ---- both as text ---- */

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct twin_file *)a)->path, ((const struct twin_file *)b)->path);
}

static int by_seq(const void *a, const void *b)
{
	uint64_t x = ((const struct twin_feature *)a)->seq, y = ((const struct twin_feature *)b)->seq;

	return x < y ? -1 : x > y;
}

static int by_probability(const void *a, const void *b)
{
	const struct twin_label *x = a, *y = b;

	if (x->is.probability != y->is.probability) return x->is.probability > y->is.probability ? -1 : 1;
	if (x->model != y->model) return x->model - y->model;
	return (int)x->is.class_index - (int)y->is.class_index;
}

static void say_picture(struct buf *out, const struct store_picture *p)
{
	buf_printf(out, "picture %" PRId64 " %u %ux%u %s %" PRIu64 " %" PRId64 " %d\n", p->id, p->hash[0] * 256u + p->hash[31],
	           p->info.width, p->info.height, p->info.format, p->bytes, p->added_at, p->foreign);
}

static void say_stamp(struct buf *out, const struct file_stamp *s)
{
	buf_printf(out, "%" PRIu64 " %" PRId64 " %" PRIu64 " %" PRIu64 "\n", s->size, s->mtime_ns, s->inode, s->device);
}

static void say_listed(struct buf *out, int64_t picture, const char *path, int state, int status, unsigned width,
                       const struct file_stamp *stamp)
{
	buf_printf(out, " %" PRId64 " %s %d %d %u ", picture, path, state, status, width);
	say_stamp(out, stamp);
}

static void say_feature(struct buf *out, uint64_t seq, int64_t picture, const float *data)
{
	buf_printf(out, " %" PRIu64 ":%" PRId64 " %g %g %g\n", seq, picture, (double)data[0], (double)data[1], (double)data[2]);
}

static int list_one(void *ctx, const struct store_listed *f)
{
	say_listed(ctx, f->picture_id, f->path, f->picture_id ? (int)f->state : 2, f->status, f->info.width, &f->stamp);
	return 0;
}

static int feature_one(void *ctx, const struct store_feature *f)
{
	CHECK((uintptr_t)f->data % 64 == 0 && f->bytes == DIM * sizeof(float) && f->encoding == STORE_F32);
	say_feature(ctx, f->seq, f->picture_id, f->data);
	return 0;
}

static int removal_one(void *ctx, int64_t picture, uint64_t seq)
{
	buf_printf(ctx, " %" PRIu64 ":%" PRId64 "\n", seq, picture);
	return 0;
}

static int label_one(void *ctx, const struct store_named_label *l)
{
	buf_printf(ctx, " %u %g %s %s\n", l->class_index, (double)l->probability, l->name, l->name_zh);
	return 0;
}

static void say_ids(struct buf *out, const char *what, int64_t *ids, size_t n)
{
	buf_printf(out, "%s", what);
	for (size_t i = 0; i < n; i++) buf_printf(out, " %" PRId64, ids[i]);
	buf_puts(out, "\n");
	mem_free(ids);
}

static void dump_store_picture(struct store *s, int64_t id, struct buf *out)
{
	struct store_picture picture;
	struct store_file *files;
	size_t n;
	int64_t found;
	akin_status st = store_picture_get(s, id, &picture, &err);

	if (st == AKIN_ERR_NOT_FOUND) return;
	CHECK(st == AKIN_OK, "%s\n", err.text);
	say_picture(out, &picture);
	CHECK_OK(store_picture_by_hash(s, picture.hash, &found, &err), &err);
	CHECK(found == id);
	CHECK_OK(store_files_of(s, id, &files, &n, &err), &err);
	for (size_t i = 0; i < n; i++) buf_printf(out, " %s %d\n", files[i].path, (int)files[i].state);
	store_files_free(files, n);
	CHECK_OK(store_labels_of(s, id, label_one, out, &err), &err);
	for (int m = 0; m < N_MODELS; m++) {
		st = store_feature_get(s, id, model_ids[m], feature_one, out, &err);
		CHECK(st == AKIN_OK || st == AKIN_ERR_NOT_FOUND, "%s\n", err.text);
	}
}

static void dump_store(struct store *s, int64_t last_id, uint64_t after, struct buf *out)
{
	struct store_counts counts;
	uint64_t generation;
	int64_t *ids;
	char *setting;
	size_t n;

	CHECK_OK(store_read_begin(s, &err), &err);
	for (int64_t id = 1; id <= last_id + 2; id++) dump_store_picture(s, id, out);
	for (size_t i = 0; i <= COUNT(folders); i++) {
		const char *in = i ? folders[i - 1] : NULL;

		buf_printf(out, "in %s\n", in ? in : "all");
		CHECK_OK(store_list(s, i % 3 ? 7 : 1u << i % 2, in, list_one, out, &err), &err);
		CHECK_OK(store_picture_ids(s, in, &ids, &n, &err), &err);
		say_ids(out, "ids", ids, n);
	}
	for (int m = 0; m < N_MODELS; m++) {
		CHECK_OK(store_features(s, model_ids[m], after, feature_one, out, &err), &err);
		buf_printf(out, "removed\n");
		CHECK_OK(store_removals(s, model_ids[m], after, removal_one, out, &err), &err);
		CHECK_OK(store_without_feature(s, model_ids[m], &ids, &n, &err), &err);
		say_ids(out, "without", ids, n);
	}
	CHECK_OK(store_count(s, model_ids[0], &counts, &err), &err);
	CHECK_OK(store_generation(s, &generation, &err), &err);
	CHECK_OK(store_setting_get(s, "s", &setting, &err), &err);
	buf_printf(out, "%" PRIu64 " pictures %" PRIu64 " files %" PRIu64 " missing %" PRIu64 " failed %" PRIu64 " features,"
	           " generation %" PRIu64 " setting %s\n", counts.pictures, counts.files, counts.missing, counts.failed,
	           counts.features, generation, setting ? setting : "-");
	CHECK(counts.bytes > 0 && counts.schema == STORE_SCHEMA);
	mem_free(setting);
	store_read_end(s);
}

/* The slow meaning of "at or below". */
static bool is_in(const char *path, const char *in)
{
	char folder[64];
	size_t n;

	if (!in) return true;
	snprintf(folder, sizeof folder, "%s", in);
	n = strlen(folder);
	while (n && folder[n - 1] == '/') folder[--n] = '\0';
	return !strcmp(path, folder) || (!strncmp(path, folder, n) && path[n] == '/');
}

static int by_id(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Pictures with a present file in `in` (and foreign ones when `in` is NULL), without a feature of `but` unless it is < 0. */
static void dump_ids(const struct twin *t, const char *what, const char *in, bool foreign, int but, struct buf *out)
{
	int64_t ids[MOST], *copy;
	size_t n = 0;

	for (size_t p = 0; p < t->n_pictures; p++) {
		const int64_t id = t->pictures[p].is.id;
		bool in_it = foreign && t->pictures[p].is.foreign;

		for (size_t i = 0; i < t->n_files; i++)
			in_it |= t->files[i].picture == id && t->files[i].state == FILE_PRESENT && is_in(t->files[i].path, in);
		for (size_t i = 0; i < t->n_features; i++)
			in_it &= !(but >= 0 && t->features[i].picture == id && t->features[i].model == but);
		if (in_it) ids[n++] = id;
	}
	qsort(ids, n, sizeof *ids, by_id);
	copy = mem_dup(ids, n * sizeof *ids);
	say_ids(out, what, copy, n);
}

static const struct store_picture *twin_picture(const struct twin *t, int64_t id)
{
	for (size_t i = 0; i < t->n_pictures; i++)
		if (t->pictures[i].is.id == id) return &t->pictures[i].is;
	return NULL;
}

static void dump_twin_picture(const struct twin *t, const struct store_picture *p, struct buf *out)
{
	say_picture(out, p);
	for (int state = 0; state < 2; state++)
		for (size_t i = 0; i < t->n_files; i++)
			if (t->files[i].picture == p->id && (int)t->files[i].state == state)
				buf_printf(out, " %s %d\n", t->files[i].path, state);
	for (size_t i = 0; i < t->n_labels; i++)
		if (t->labels[i].picture == p->id)
			buf_printf(out, " %u %g %s %s\n", t->labels[i].is.class_index, (double)t->labels[i].is.probability,
			           t->labels[i].model ? "" : "cat", t->labels[i].model ? "" : "\xe7\x8c\xab");
	for (int m = 0; m < N_MODELS; m++)
		for (size_t i = 0; i < t->n_features; i++)
			if (t->features[i].picture == p->id && t->features[i].model == m)
				say_feature(out, t->features[i].seq, p->id, t->features[i].data);
}

static void dump_twin(struct twin *t, int64_t last_id, uint64_t after, struct buf *out)
{
	size_t by_state[3] = { 0 }, pictures = 0, features = 0;

	qsort(t->files, t->n_files, sizeof *t->files, by_path);
	qsort(t->features, t->n_features, sizeof *t->features, by_seq);
	qsort(t->labels, t->n_labels, sizeof *t->labels, by_probability);
	for (int64_t id = 1; id <= last_id + 2; id++)
		if (twin_picture(t, id)) dump_twin_picture(t, twin_picture(t, id), out);
	for (size_t i = 0; i <= COUNT(folders); i++) {
		const char *in = i ? folders[i - 1] : NULL;
		const unsigned kinds = i % 3 ? 7 : 1u << i % 2;

		buf_printf(out, "in %s\n", in ? in : "all");
		for (size_t f = 0; f < t->n_files; f++) {
			const struct twin_file *file = &t->files[f];
			const struct store_picture *p = twin_picture(t, file->picture);
			const int state = file->picture ? (int)file->state : 2;

			if (is_in(file->path, in) && (1u << state & kinds))
				say_listed(out, file->picture, file->path, state, file->status, p ? p->info.width : 0, &file->stamp);
		}
		dump_ids(t, "ids", in, !in, -1, out);
	}
	for (int m = 0; m < N_MODELS; m++) {
		for (size_t i = 0; i < t->n_features; i++)
			if (t->features[i].model == m && t->features[i].seq > after)
				say_feature(out, t->features[i].seq, t->features[i].picture, t->features[i].data);
		buf_printf(out, "removed\n");
		for (size_t i = 0; i < t->n_removals; i++)
			if (t->removals[i].model == m && t->removals[i].seq > after)
				removal_one(out, t->removals[i].picture, t->removals[i].seq);
		dump_ids(t, "without", NULL, false, m, out);
	}
	for (size_t i = 0; i < t->n_files; i++) by_state[t->files[i].picture ? (int)t->files[i].state : 2]++;
	for (size_t i = 0; i < t->n_features; i++) features += t->features[i].model == 0;
	for (size_t p = 0; p < t->n_pictures; p++) {
		bool counts = t->pictures[p].is.foreign;
		for (size_t i = 0; i < t->n_files; i++)
			counts |= t->files[i].picture == t->pictures[p].is.id && t->files[i].state == FILE_PRESENT;
		pictures += counts;
	}
	buf_printf(out, "%zu pictures %zu files %zu missing %zu failed %zu features, generation %" PRIu64 " setting ", pictures,
	           by_state[0], by_state[1], by_state[2], features, t->generation);
	if (t->setting) buf_printf(out, "%d\n", t->setting);
	else buf_puts(out, "-\n");
}

static bool same(struct store *s, struct twin *t, uint64_t after, bool loud)
{
	struct buf a = BUF_EMPTY, b = BUF_EMPTY;
	int64_t last = 0;
	bool equal;

	for (size_t i = 0; i < t->n_pictures; i++) last = t->pictures[i].is.id > last ? t->pictures[i].is.id : last;
	dump_store(s, last, after, &a);
	dump_twin(t, last, after, &b);
	equal = a.len == b.len && !memcmp(a.data, b.data, a.len);
	if (!equal && loud) print_error("--- store\n%s--- twin\n%s", a.data, b.data);
	buf_deinit(&a);
	buf_deinit(&b);
	return equal;
}

/* ---- random programs ---- */

static int64_t any_picture(struct rng *rng, const struct twin *t)
{
	return t->n_pictures && rng_below(rng, 20) ? t->pictures[rng_below(rng, t->n_pictures)].is.id : 9999;
}

static struct file_stamp any_stamp(struct rng *rng)
{
	return (struct file_stamp){ rng_u64(rng) >> 30, (int64_t)rng_u64(rng), rng_u64(rng), rng_u64(rng) };
}

static void put_picture(struct rng *rng, struct store *s, struct twin *t)
{
	struct store_picture p = { .info = { .width = (unsigned)rng_below(rng, 5000), .height = UINT32_MAX, .format = "jpeg" },
		                   .bytes = rng_u64(rng) >> 8, .added_at = (int64_t)rng_below(rng, 1000), .foreign = rng_below(rng, 4) == 0 };
	bool known = false;
	akin_status st;

	p.hash[0] = (uint8_t)rng_below(rng, 64);
	for (size_t i = 0; i < t->n_pictures; i++) known |= !memcmp(t->pictures[i].is.hash, p.hash, HASH_BYTES);
	st = store_picture_put(s, &p, &p.id, &err);
	CHECK(st == (known ? AKIN_ERR_EXISTS : AKIN_OK), "%s\n", err.text);
	if (known) return;
	CHECK(p.id > t->last_id, "S4: id %" PRId64 " after %" PRId64 "\n", p.id, t->last_id);
	t->pictures[t->n_pictures++].is = p;
}

static void put_file(struct rng *rng, struct store *s, struct twin *t, const char *path)
{
	int64_t id = any_picture(rng, t), before;
	struct file_stamp stamp = any_stamp(rng);

	CHECK_STATUS(store_file_put(s, path, id, &stamp, &err), id == 9999 ? AKIN_ERR_NOT_FOUND : AKIN_OK);
	if (id == 9999) return;
	before = twin_drop_path(t, path);
	t->files[t->n_files++] = (struct twin_file){ path, id, FILE_PRESENT, stamp, 0 };
	twin_forget_if_fileless(t, before);
}

static void move_file(struct rng *rng, struct store *s, struct twin *t, const char *from)
{
	const char *to = paths[rng_below(rng, COUNT(paths))];
	const bool known = twin_file(t, from) && twin_file(t, from)->picture;
	struct file_stamp stamp = any_stamp(rng);
	int64_t replaced = 0;
	struct twin_file *row;

	CHECK_STATUS(store_file_move(s, from, to, &stamp, &err), known ? AKIN_OK : AKIN_ERR_NOT_FOUND);
	if (!known) return;
	if (strcmp(from, to)) replaced = twin_drop_path(t, to);
	row = twin_file(t, from);
	row->path = to;
	row->stamp = stamp;
	row->state = FILE_PRESENT;
	twin_forget_if_fileless(t, replaced);
}

static void remove_or_mark_file(struct rng *rng, struct store *s, struct twin *t, const char *path)
{
	const enum file_state state = (enum file_state)rng_below(rng, 2);
	struct twin_file *row = twin_file(t, path);
	const akin_status wanted = row && row->picture ? AKIN_OK : AKIN_ERR_NOT_FOUND;

	if (rng_below(rng, 2)) {
		CHECK_STATUS(store_file_set_state(s, path, state, &err), wanted);
		if (wanted == AKIN_OK) row->state = state;
	} else {
		CHECK_STATUS(store_file_remove(s, path, &err), wanted);
		if (wanted == AKIN_OK) twin_forget_if_fileless(t, twin_drop_path(t, path));
	}
}

static void fail_path(struct rng *rng, struct store *s, struct twin *t, const char *path)
{
	struct file_stamp stamp = any_stamp(rng);
	struct twin_file *row = twin_file(t, path);
	int64_t before;

	if (rng_below(rng, 3) == 0) {
		CHECK_OK(store_failure_remove(s, path, &err), &err);
		if (row && !row->picture) twin_drop_path(t, path);
		return;
	}
	CHECK_OK(store_failure_put(s, path, &stamp, AKIN_ERR_FORMAT, "it is broken", &err), &err);
	before = twin_drop_path(t, path);
	t->files[t->n_files++] = (struct twin_file){ path, 0, FILE_PRESENT, stamp, AKIN_ERR_FORMAT };
	twin_forget_if_fileless(t, before);
}

static void put_feature(struct rng *rng, struct store *s, struct twin *t)
{
	struct twin_feature f = { .picture = any_picture(rng, t), .model = (int)rng_below(rng, N_MODELS) };

	for (int i = 0; i < DIM; i++) f.data[i] = (float)rng_below(rng, 100);
	CHECK_STATUS(store_feature_put(s, f.picture, model_ids[f.model], STORE_F32, f.data, sizeof f.data, &err),
	             f.picture == 9999 ? AKIN_ERR_NOT_FOUND : AKIN_OK);
	CHECK(f.picture == 9999 || store_feature_put(s, f.picture, model_ids[f.model], STORE_F32, f.data, 4, &err) == AKIN_ERR_INVALID);
	if (f.picture == 9999) return;
	REMOVE_WHERE(t->features, t->n_features, t->features[i].picture == f.picture && t->features[i].model == f.model);
	f.seq = ++t->generation;
	t->features[t->n_features++] = f;
}

static void put_labels(struct rng *rng, struct store *s, struct twin *t)
{
	const int64_t id = any_picture(rng, t);
	const int model = (int)rng_below(rng, N_MODELS);
	struct store_label labels[N_CLASSES];
	const size_t n = rng_below(rng, N_CLASSES + 1);

	if (id == 9999) return;
	for (size_t i = 0; i < n; i++) labels[i] = (struct store_label){ (unsigned)i, (float)rng_below(rng, 8) / 8 };
	CHECK_OK(store_labels_put(s, id, model_ids[model], labels, n, &err), &err);
	REMOVE_WHERE(t->labels, t->n_labels, t->labels[i].picture == id && t->labels[i].model == model);
	for (size_t i = 0; i < n; i++) t->labels[t->n_labels++] = (struct twin_label){ id, model, labels[i] };
}

static void put_setting(struct rng *rng, struct store *s, struct twin *t)
{
	char text[16];

	t->setting = (int)rng_below(rng, 4);
	snprintf(text, sizeof text, "%d", t->setting);
	CHECK_OK(store_setting_put(s, "s", t->setting ? text : NULL, &err), &err);
}

static void random_write(struct rng *rng, struct store *s, struct twin *t)
{
	const char *path = paths[rng_below(rng, COUNT(paths))];
	int64_t id;

	switch (rng_below(rng, 12)) {
	case 0:
	case 1: put_picture(rng, s, t); break;
	case 2:
	case 3:
	case 4: put_file(rng, s, t, path); break;
	case 5: move_file(rng, s, t, path); break;
	case 6: remove_or_mark_file(rng, s, t, path); break;
	case 7: fail_path(rng, s, t, path); break;
	case 8: put_labels(rng, s, t); break;
	case 9: put_setting(rng, s, t); break;
	case 10:
		if (rng_below(rng, 3)) break;
		id = any_picture(rng, t);
		CHECK_STATUS(store_picture_remove(s, id, &err), id == 9999 ? AKIN_ERR_NOT_FOUND : AKIN_OK);
		if (id != 9999) twin_forget(t, id);
		break;
	default: put_feature(rng, s, t); break;
	}
}

static void no_finding(void *ctx, const char *finding)
{
	(void)ctx;
	CHECK(false, "%s\n", finding);
}

static struct store *new_store(const char *path)
{
	static const char *const names[] = { "cat\t\xe7\x8c\xab", "cat\t\xe7\x8c\xab", "cat\t\xe7\x8c\xab", "cat\t\xe7\x8c\xab" };
	uint8_t hash[HASH_BYTES] = { 0 };
	struct store *s;

	CHECK_OK(store_open(&s, path, STORE_CREATE, &err), &err);
	CHECK_OK(store_begin(s, &err), &err);
	for (int m = 0; m < N_MODELS; m++) {
		hash[0] = (uint8_t)m;
		CHECK_OK(store_model_ensure(s, "same name", hash, DIM, METRIC_COSINE, &model_ids[m], &err), &err);
	}
	CHECK_OK(store_classes_put(s, model_ids[0], names, N_CLASSES, &err), &err);
	CHECK_OK(store_commit(s, &err), &err);
	return s;
}

/* Each must be noticed: the comparison would else prove nothing. */
static size_t sabotage(struct store *s, const struct twin *t)
{
	static struct twin bad;
	size_t tried = 0;

	for (int kind = 0; kind < 9; kind++) {
		bad = *t;
		switch (kind) {
		case 0: bad.setting = 7; break;
		case 1: bad.generation++; break;
		case 2: if (!bad.n_files--) continue; break;
		case 3: if (!bad.n_files) continue; bad.files[0].stamp.device ^= UINT64_C(1) << 63; break;
		case 4: if (!bad.n_features) continue; bad.features[0].data[2] += 1; break;
		case 5: if (!bad.n_labels) continue; bad.labels[0].is.probability += 1; break;
		case 6: if (!bad.n_removals) continue; bad.removals[0].picture++; break;
		case 7: if (!bad.n_pictures) continue; bad.pictures[0].is.foreign ^= 1; break;
		default: if (!bad.n_features) continue; bad.features[0].seq += 1000; break;
		}
		CHECK(!same(s, &bad, 0, false), "sabotage %d goes unnoticed\n", kind);
		tried++;
	}
	return tried;
}

TEST(random_programs_leave_the_store_as_the_twin)
{
	static struct twin twin, before;
	size_t sabotaged = 0;

	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct rng rng = { seed };
		const char *path;
		struct store *s;
		char name[16];

		snprintf(name, sizeof name, "twin%d", (int)seed);
		s = new_store(path = test_path(name));
		twin = (struct twin){ 0 };
		for (int step = 0; step < 60 && twin.n_removals < MOST / 2; step++) {
			CHECK_OK(store_begin(s, &err), &err);
			before = twin;
			for (uint64_t n = rng_below(&rng, 12); n > 0; n--) random_write(&rng, s, &twin);
			if (rng_below(&rng, 4) == 0) {
				store_rollback(s);
				twin = before;
			} else {
				CHECK_OK(store_commit(s, &err), &err);
				twin_commit(&twin);
			}
			if (rng_below(&rng, 8) == 0) CHECK_OK(store_compact(s, &err), &err);
			if (rng_below(&rng, 8) == 0) {
				store_close(s);
				CHECK_OK(store_open(&s, path, STORE_WRITE, &err), &err);
			}
			CHECK(same(s, &twin, rng_below(&rng, twin.generation + 1), true), "seed %d step %d\n", (int)seed, step);
			CHECK_OK(store_check(s, true, no_finding, NULL, &err), &err);
		}
		sabotaged += sabotage(s, &twin);
		store_close(s);
	}
	CHECK(sabotaged > 40, "only %zu sabotages\n", sabotaged);
}

TEST_MAIN(cmocka_unit_test(random_programs_leave_the_store_as_the_twin))
