/* engine/vectors.c - the index that follows the store.
 *
 * Order of truth: the store commits, then the index catches up by sequence numbers: removals since its generation first,
 * then every feature that is newer (a picture that was removed and described again has its newest feature only). A crash
 * in between costs catching up; a file of another store, another model or a later generation is thrown away.
 *
 * Two of them may follow a store: the pictures' embeddings as they are, and what an alignment makes of each (engine/joint.c).
 * The second is derived like the first, from the same rows of the store; nothing of it is stored but its index file.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"
#include "engine/engine.h"

enum {
	BATCH = 256,          /* rows handed to the index at once */
	SAVE_AT_LEAST = 256,  /* rows behind which a file is written again without being asked */
	/* Vectors of the default model from which a graph answers: below, comparing with every one takes less than 5 ms on one
	 * core (20,000 x 1280 x 2 bytes at 12 GB/s) and is exact. */
	GRAPH_FROM = 20000
};

/* ---- whose vectors they are ---- */

unsigned vectors_row_dim(const struct akin_library *lib, const struct vectors *v)
{
	return v->joint ? v->joint->dim : lib->dim;
}

enum metric vectors_metric(const struct akin_library *lib, const struct vectors *v)
{
	return v->joint ? METRIC_COSINE : lib->metric;
}

const uint8_t *vectors_hash(const struct akin_library *lib, const struct vectors *v)
{
	return v->joint ? v->joint->hash : lib->model_hash;
}

char *vectors_path(const struct akin_library *lib, const struct vectors *v)
{
	char hex[17];

	str_hex(vectors_hash(lib, v), 8, hex);
	return str_printf("%s/index/%s.akx", lib->dir, hex);
}

/* ---- catching up ---- */

struct catcher {
	struct akin_library *lib;
	struct vectors *v;
	int64_t id[BATCH];
	float *rows, *embedding; /* embedding: what the store holds, where that is not the row itself */
	size_t n, changed;
	akin_status st;
	akin_error *err;
};

static void flush(struct catcher *c)
{
	struct index *index = c->v->index;
	size_t removed = 0;

	if (c->st != AKIN_OK || !c->n) return;
	c->st = index_remove(index, c->id, c->n, &removed, c->err);
	if (c->st == AKIN_OK) c->st = index_add(index, c->id, c->rows, c->n, c->err);
	c->changed += c->n + removed;
	c->n = 0;
}

static int catch_feature(void *ctx, const struct store_feature *feature)
{
	struct catcher *c = ctx;
	float *row = c->rows + c->n * vectors_row_dim(c->lib, c->v);

	c->st = feature_to_f32(feature, c->lib->dim, c->embedding ? c->embedding : row, c->err);
	if (c->st == AKIN_OK && c->embedding) c->st = joint_picture(c->v->joint, c->embedding, row, c->err);
	if (c->st != AKIN_OK) return 1;
	c->id[c->n++] = feature->picture_id;
	if (c->n == BATCH) flush(c);
	return c->st != AKIN_OK;
}

static int catch_removal(void *ctx, int64_t picture_id, uint64_t seq)
{
	struct catcher *c = ctx;
	size_t removed = 0;

	(void)seq;
	c->st = index_remove(c->v->index, &picture_id, 1, &removed, c->err);
	c->changed += removed;
	return c->st != AKIN_OK;
}

static akin_status catch_up(struct akin_library *lib, struct vectors *v, akin_error *err)
{
	struct catcher c = { .lib = lib, .v = v, .err = err };
	akin_status st = AKIN_OK;

	c.rows = mem_alloc(BATCH * vectors_row_dim(lib, v) * sizeof *c.rows);
	c.embedding = v->joint ? mem_alloc(lib->dim * sizeof *c.embedding) : NULL;
	if (!c.rows || (v->joint && !c.embedding)) st = error_nomem(err);
	if (st == AKIN_OK) st = store_removals(lib->store, lib->model_id, v->generation, catch_removal, &c, err);
	if (st == AKIN_OK && c.st == AKIN_OK)
		st = store_features(lib->store, lib->model_id, v->generation, catch_feature, &c, err);
	if (st == AKIN_OK) flush(&c);
	mem_free(c.rows);
	mem_free(c.embedding);
	v->changed += c.changed;
	return st != AKIN_OK ? st : c.st;
}

static struct index_params params_for(const struct akin_library *lib, const struct vectors *v, uint64_t count)
{
	return (struct index_params){ .kind = count < GRAPH_FROM ? INDEX_FLAT : INDEX_GRAPH, .metric = vectors_metric(lib, v),
		                      .element = ELEMENT_F16, .dim = vectors_row_dim(lib, v) };
}

static akin_status create_empty(struct akin_library *lib, struct vectors *v, akin_error *err)
{
	const struct index_params params = params_for(lib, v, 0);

	index_destroy(v->index);
	v->index = NULL;
	v->generation = v->saved = 0;
	v->changed = 0;
	return index_create(&v->index, &params, err);
}

/* The saved index, if it is one of this store and model and not from the store's future. */
static bool open_saved(struct akin_library *lib, struct vectors *v, uint64_t generation)
{
	struct index_stamp stamp;
	struct index_stats stats;
	struct index *index = NULL;
	uint8_t source[16];
	char *path = vectors_path(lib, v);
	akin_error why;
	bool fits = false;

	store_identity(lib->store, source);
	if (path && fs_exists(path)) {
		if (index_open(&index, path, &stamp, &why) == AKIN_OK) {
			index_get_stats(index, &stats);
			fits = !memcmp(stamp.source, source, sizeof source) &&
			       !memcmp(stamp.model, vectors_hash(lib, v), sizeof stamp.model) && stamp.generation <= generation &&
			       stats.dim == vectors_row_dim(lib, v) && stats.metric == vectors_metric(lib, v);
			if (!fits) log_say(LOG_INFO, "%s is stale: built again", path);
		} else {
			log_say(LOG_WARN, "%s: built again", why.text);
		}
	}
	mem_free(path);
	if (!fits) {
		index_destroy(index);
		return false;
	}
	v->index = index;
	v->generation = v->saved = stamp.generation;
	return true;
}

static akin_status refresh_locked(struct akin_library *lib, struct vectors *v, akin_error *err)
{
	uint64_t generation;
	akin_status st = store_read_begin(lib->store, err);

	if (st != AKIN_OK) return st;
	if ((st = store_generation(lib->store, &generation, err)) != AKIN_OK) goto out;
	if (!v->index && !open_saved(lib, v, generation)) st = create_empty(lib, v, err);
	if (st == AKIN_OK && generation < v->generation) st = create_empty(lib, v, err);
	if (st == AKIN_OK && generation > v->generation && lib->model_id) st = catch_up(lib, v, err);
	if (st != AKIN_OK) { /* half caught up: start over next time */
		index_destroy(v->index);
		v->index = NULL;
		goto out;
	}
	v->generation = generation;
	calibration_refresh(lib, v);
out:
	store_read_end(lib->store);
	return st;
}

akin_status vectors_refresh(struct akin_library *lib, struct vectors *v, akin_error *err)
{
	uint64_t generation;
	akin_status st = store_generation(lib->store, &generation, err);
	bool current;

	if (st != AKIN_OK) return st;
	pthread_rwlock_rdlock(&lib->lock);
	current = v->index && v->generation == generation;
	pthread_rwlock_unlock(&lib->lock);
	if (current) return AKIN_OK;
	pthread_rwlock_wrlock(&lib->lock);
	st = refresh_locked(lib, v, err);
	pthread_rwlock_unlock(&lib->lock);
	return error_note(err, st, "bringing the index up to date");
}

/* Chunks of rows, so that the copy in f32 stays small beside the index. */
static akin_status fill_graph(struct akin_library *lib, const struct vectors *v, struct index *graph, const int64_t *ids,
                              size_t n, akin_error *err)
{
	enum { CHUNK = 16384 };
	size_t dim = vectors_row_dim(lib, v);
	float *rows = mem_calloc(n < CHUNK ? n : CHUNK, dim * sizeof *rows);
	akin_status st = rows ? AKIN_OK : error_nomem(err);

	for (size_t at = 0; at < n && st == AKIN_OK; at += CHUNK) {
		size_t some = n - at < CHUNK ? n - at : CHUNK;

		for (size_t i = 0; i < some && st == AKIN_OK; i++) st = index_get(v->index, ids[at + i], rows + i * dim, err);
		if (st == AKIN_OK) st = index_add_many(graph, ids + at, rows, some, lib->threads, err);
	}
	mem_free(rows);
	return st;
}

/* A library that has outgrown comparing with every vector gets a graph. It is built beside the old index, which goes on
 * answering, and shows the generation that the old one had: the next refresh brings it further. */
static akin_status outgrow(struct akin_library *lib, struct vectors *v, akin_error *err)
{
	struct index_params params;
	struct index_stats stats;
	struct index *graph = NULL, *old;
	int64_t *ids = NULL;
	uint64_t generation;
	size_t n;
	akin_status st;

	pthread_rwlock_rdlock(&lib->lock);
	index_get_stats(v->index, &stats);
	params = params_for(lib, v, stats.count);
	generation = v->generation;
	st = AKIN_OK;
	if (params.kind != INDEX_FLAT && stats.kind == INDEX_FLAT) {
		st = index_ids(v->index, &ids, &n, err);
		if (st == AKIN_OK) st = index_create(&graph, &params, err);
		if (st == AKIN_OK) st = fill_graph(lib, v, graph, ids, n, err);
	}
	pthread_rwlock_unlock(&lib->lock);
	mem_free(ids);
	if (st != AKIN_OK || !graph) {
		index_destroy(graph);
		return error_note(err, st, "building the graph of %zu vectors", stats.count);
	}
	pthread_rwlock_wrlock(&lib->lock);
	old = v->index;
	v->index = graph;
	v->generation = generation;
	v->saved = 0;
	pthread_rwlock_unlock(&lib->lock);
	index_destroy(old);
	return vectors_refresh(lib, v, err);
}

/* Searches go on while the file is written. The order of locks is store's writer, library, store's reader: so the
 * calibration is stored with the library's lock released. */
static akin_status save(struct akin_library *lib, struct vectors *v, bool always, akin_error *err)
{
	struct index_stamp stamp = { 0 };
	struct index_stats stats;
	char *path = vectors_path(lib, v), *dir = path ? fs_dirname(path) : NULL;
	size_t changed = 0;
	bool wanted;
	akin_status st = dir ? vectors_refresh(lib, v, err) : error_nomem(err);

	if (st != AKIN_OK || (lib->flags & AKIN_OPEN_READONLY)) goto out;
	if ((st = outgrow(lib, v, err)) != AKIN_OK) goto out;
	store_identity(lib->store, stamp.source);
	pthread_rwlock_rdlock(&lib->lock);
	index_get_stats(v->index, &stats);
	memcpy(stamp.model, vectors_hash(lib, v), sizeof stamp.model);
	stamp.generation = v->generation;
	changed = v->changed;
	wanted = v->saved != v->generation || !v->saved;
	if (!always && changed < SAVE_AT_LEAST && changed < stats.count / 20 + 1) wanted = false;
	if (wanted) st = fs_mkdirs(dir, err);
	if (wanted && st == AKIN_OK) st = index_save(v->index, path, &stamp, err);
	pthread_rwlock_unlock(&lib->lock);
	if (!wanted || st != AKIN_OK) goto out;
	pthread_rwlock_wrlock(&lib->lock);
	v->saved = stamp.generation;
	v->changed -= changed < v->changed ? changed : v->changed;
	pthread_rwlock_unlock(&lib->lock);
	calibration_save(lib, v);
out:
	mem_free(path);
	mem_free(dir);
	return st;
}

akin_status vectors_save(struct akin_library *lib, bool always, akin_error *err)
{
	akin_status st = save(lib, &lib->vectors, always, err);

	if (st == AKIN_OK && joint_exists(lib)) {
		st = joint_open(lib, err);
		if (st == AKIN_OK) st = save(lib, &lib->texts, always, err);
	}
	return st;
}

static akin_status drop(struct akin_library *lib, struct vectors *v, akin_error *err)
{
	char *path = vectors_path(lib, v);
	akin_status st = path ? fs_remove_tree(path, err) : error_nomem(err);

	pthread_rwlock_wrlock(&lib->lock);
	vectors_forget(v);
	pthread_rwlock_unlock(&lib->lock);
	mem_free(path);
	return st;
}

akin_status vectors_drop(struct akin_library *lib, akin_error *err)
{
	akin_status st = drop(lib, &lib->vectors, err);

	return st == AKIN_OK && lib->texts.joint ? drop(lib, &lib->texts, err) : st;
}

void vectors_forget(struct vectors *v)
{
	index_destroy(v->index);
	mem_free(v->sample);
	*v = (struct vectors){ .joint = v->joint };
}

float vectors_distance(enum metric metric, const float *a, const float *b, size_t dim)
{
	const struct kernels *k = kernels_best();

	if (metric == METRIC_L2) return k->l2_f32(a, b, dim);
	return (metric == METRIC_COSINE ? 1 : 0) - k->ip_f32(a, b, dim);
}
