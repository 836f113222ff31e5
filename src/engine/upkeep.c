/* engine/upkeep.c - check and rebuild: store, features, index and files against one another.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "engine/engine.h"
#include "engine/known_files.h"

struct findings {
	void (*each)(void *user, const char *finding);
	void *user;
	uint64_t n;
};

static void found(void *ctx, const char *sentence)
{
	struct findings *f = ctx;

	f->n++;
	if (f->each) f->each(f->user, sentence);
}

static void PRINTF_LIKE(2, 3) foundf(struct findings *f, const char *fmt, ...)
{
	char sentence[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(sentence, sizeof sentence, fmt, args);
	va_end(args);
	found(f, sentence);
}

/* ---- vectors: the store's against the index's ---- */

struct comparison {
	struct akin_library *lib;
	const struct vectors *v;
	struct findings *findings;
	float *embedding, *stored, *indexed; /* in the store; what the index should hold, and what it holds */
	size_t n_stored;
	bool deep;
};

static int compare_vector(void *ctx, const struct store_feature *feature)
{
	struct comparison *c = ctx;
	const size_t dim = vectors_row_dim(c->lib, c->v);
	double worst = 0, norm = 0;
	akin_error err;

	c->n_stored++;
	if (feature_to_f32(feature, c->lib->dim, c->embedding, &err) != AKIN_OK ||
	    (c->v->joint && joint_picture(c->v->joint, c->embedding, c->stored, &err) != AKIN_OK)) {
		found(c->findings, err.text);
		return 0;
	}
	if (!c->v->joint) memcpy(c->stored, c->embedding, dim * sizeof *c->stored);
	for (size_t i = 0; i < dim; i++) norm += (double)c->stored[i] * c->stored[i];
	if (!isfinite(norm)) foundf(c->findings, "the vector of picture %" PRId64 " is not finite", feature->picture_id);
	if (!index_has(c->v->index, feature->picture_id)) {
		foundf(c->findings, "picture %" PRId64 " has a vector that the index lacks", feature->picture_id);
		return 0;
	}
	if (!c->deep || index_get(c->v->index, feature->picture_id, c->indexed, &err) != AKIN_OK) return 0;
	/* The index keeps unit vectors under the cosine, in half precision. */
	for (size_t i = 0; i < dim; i++) {
		double wanted = vectors_metric(c->lib, c->v) == METRIC_COSINE && norm > 0 ? c->stored[i] / sqrt(norm) : (double)c->stored[i];
		worst = fmax(worst, fabs(wanted - (double)c->indexed[i]) / (fabs(wanted) + 1e-3));
	}
	if (!(worst < 0.01))
		foundf(c->findings, "the index holds another vector for picture %" PRId64 " than the store", feature->picture_id);
	return 0;
}

static akin_status check_vectors(struct akin_library *lib, struct vectors *v, bool deep, struct findings *findings,
                                 akin_error *err)
{
	struct comparison c = { .lib = lib, .v = v, .findings = findings, .deep = deep };
	struct index_stats stats;
	akin_error why;
	akin_status st = vectors_refresh(lib, v, err);

	if (st != AKIN_OK) return st;
	c.embedding = mem_alloc(lib->dim * sizeof *c.embedding);
	c.stored = mem_alloc(vectors_row_dim(lib, v) * sizeof *c.stored);
	c.indexed = mem_alloc(vectors_row_dim(lib, v) * sizeof *c.indexed);
	pthread_rwlock_rdlock(&lib->lock);
	if (!c.embedding || !c.stored || !c.indexed) st = error_nomem(err);
	else if (lib->model_id) st = store_features(lib->store, lib->model_id, 0, compare_vector, &c, err);
	index_get_stats(v->index, &stats);
	if (st == AKIN_OK && stats.count != c.n_stored)
		foundf(findings, "the index holds %zu vectors, the store %zu", stats.count, c.n_stored);
	if (st == AKIN_OK && index_check(v->index, deep, &why) != AKIN_OK) foundf(findings, "index: %s", why.text);
	pthread_rwlock_unlock(&lib->lock);
	mem_free(c.embedding);
	mem_free(c.stored);
	mem_free(c.indexed);
	return st;
}

/* The saved file, apart from the index in memory that may have been built without it. */
static void check_index_file(struct akin_library *lib, const struct vectors *v, bool deep, struct findings *findings)
{
	struct index_stamp stamp;
	struct index *index = NULL;
	char *path = vectors_path(lib, v);
	akin_error why;

	if (path && fs_exists(path)) {
		if (index_open(&index, path, &stamp, &why) != AKIN_OK || index_check(index, deep, &why) != AKIN_OK)
			foundf(findings, "%s (the index is a cache: `akin rebuild` makes it again)", why.text);
		index_destroy(index);
	}
	mem_free(path);
}

static akin_status check_space(struct akin_library *lib, struct vectors *v, bool deep, struct findings *findings,
                               akin_error *err)
{
	check_index_file(lib, v, deep, findings);
	return check_vectors(lib, v, deep, findings, err);
}

/* ---- files: the disk's against the store's ---- */

struct file_check {
	struct akin_library *lib;
	struct findings *findings;
	struct buf bytes;
};

static int check_file(void *ctx, const struct store_listed *file)
{
	struct file_check *c = ctx;
	struct store_picture picture;
	struct stat info;
	struct file_stamp now;
	uint8_t hash[HASH_BYTES];

	if (store_picture_get(c->lib->store, file->picture_id, &picture, NULL) != AKIN_OK || picture.foreign) return 0;
	if (stat(file->path, &info) != 0) {
		foundf(c->findings, "%s: %s (run `akin index` again)", file->path, strerror(errno));
		return 0;
	}
	now = stamp_of(&info);
	if (!file_stamp_equal(&now, &file->stamp)) {
		foundf(c->findings, "%s has changed since it was indexed (run `akin index` again)", file->path);
		return 0;
	}
	buf_clear(&c->bytes);
	if (fs_read(file->path, c->lib->limits.max_bytes, &c->bytes, NULL) != AKIN_OK) return 0;
	hash_content(c->bytes.data, c->bytes.len, hash);
	if (memcmp(hash, picture.hash, HASH_BYTES) != 0)
		foundf(c->findings, "%s has other content than was indexed, with the same size and time", file->path);
	return 0;
}

static akin_status check_files(struct akin_library *lib, struct findings *findings, akin_error *err)
{
	struct file_check c = { .lib = lib, .findings = findings };
	akin_status st = store_list(lib->store, STORE_LIST_PRESENT, NULL, check_file, &c, err);

	buf_deinit(&c.bytes);
	return st;
}

static akin_status check_described(struct akin_library *lib, struct findings *findings, akin_error *err)
{
	int64_t *ids = NULL;
	size_t n = 0;
	akin_status st;

	if (!lib->model_id) return AKIN_OK;
	st = store_without_feature(lib->store, lib->model_id, &ids, &n, err);
	if (st == AKIN_OK && n)
		foundf(findings, "%zu pictures have no vector of the model %s yet (run `akin index` again)", n, lib->model_name);
	mem_free(ids);
	return st;
}

akin_status akin_library_check(akin_library *lib, int deep, void (*each)(void *user, const char *finding), void *user,
                               uint64_t *n_findings, akin_error *err)
{
	struct findings findings = { each, user, 0 };
	akin_status st;

	error_clear(err);
	st = store_check(lib->store, deep != 0, found, &findings, err);
	if (st == AKIN_OK) st = check_described(lib, &findings, err);
	if (st == AKIN_OK) st = check_space(lib, &lib->vectors, deep != 0, &findings, err);
	if (st == AKIN_OK && joint_exists(lib)) {
		st = joint_open(lib, err);
		if (st == AKIN_OK) st = check_space(lib, &lib->texts, deep != 0, &findings, err);
	}
	if (st == AKIN_OK && deep) st = check_files(lib, &findings, err);
	if (n_findings) *n_findings = findings.n;
	return st;
}

static akin_status rebuild_keywords(akin_library *lib, akin_error *err)
{
	akin_status st = store_begin(lib->store, err);

	if (st != AKIN_OK) return st;
	if ((st = store_keywords_rebuild(lib->store, err)) == AKIN_OK) return store_commit(lib->store, err);
	store_rollback(lib->store);
	return st;
}

akin_status akin_library_rebuild(akin_library *lib, akin_error *err)
{
	akin_status st = library_need_writable(lib, err);

	if (st != AKIN_OK) return st;
	error_clear(err);
	if ((st = vectors_drop(lib, err)) != AKIN_OK) return st;
	if ((st = rebuild_keywords(lib, err)) != AKIN_OK || (st = store_compact(lib->store, err)) != AKIN_OK) return st;
	return vectors_save(lib, true, err);
}
