/* engine/query.c - from a picture to ranked answers.
 *
 * The way of a query: vector (stored, or decoded and embedded now) -> index, with the filter -> paths and sizes of the hits
 * -> result. Pictures whose files are all missing are left out after the index has answered, since they are few: when too
 * few answers remain, the index is asked for more.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "akin/query.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fs.h"
#include "engine/engine.h"
#include "engine/known_files.h"

struct akin_result {
	akin_hit *hit;
	char **path;
	size_t n;
	akin_timings ms;
};

static const akin_search_params default_params;
/* EFFORT: where the graph's recall on real embeddings is above 0.99 (docs/engine.md); an answer costs a fraction of a
 * millisecond there, and people notice what is missing sooner than what is late. */
enum { DEFAULT_K = 10, MAX_K = 1000000, EFFORT = 128 };

static double ms_since(double start)
{
	return 1e3 * (clock_seconds() - start);
}

/* ---- results ---- */

size_t akin_result_count(const akin_result *result)
{
	return result->n;
}

const akin_hit *akin_result_hit(const akin_result *result, size_t i)
{
	return i < result->n ? &result->hit[i] : NULL;
}

const akin_timings *akin_result_timings(const akin_result *result)
{
	return &result->ms;
}

void akin_result_free(akin_result *result)
{
	if (!result) return;
	for (size_t i = 0; i < result->n; i++) mem_free(result->path[i]);
	mem_free(result->path);
	mem_free(result->hit);
	mem_free(result);
}

/* ---- vectors ---- */

akin_status feature_to_f32(const struct store_feature *feature, size_t dim, float *out, akin_error *err)
{
	size_t wanted = dim * (feature->encoding == STORE_F16 ? 2 : 4);

	if (feature->bytes != wanted)
		return error_set(err, AKIN_ERR_CORRUPT, "the vector of picture %lld has %zu bytes instead of %zu",
		                 (long long)feature->picture_id, feature->bytes, wanted);
	if (feature->encoding == STORE_F16) {
		uint16_t half[512]; /* the blob need not be aligned */

		for (size_t i = 0; i < dim; i += COUNT(half)) {
			size_t n = dim - i < COUNT(half) ? dim - i : COUNT(half);
			memcpy(half, (const char *)feature->data + 2 * i, 2 * n);
			kernels_best()->f16_to_f32(half, out + i, n);
		}
	} else {
		memcpy(out, feature->data, wanted);
	}
	return AKIN_OK;
}

static akin_status warm_up(struct akin_library *lib, struct akin_timings *ms, akin_error *err)
{
	double start = clock_seconds();
	akin_status st = AKIN_OK;

	if (lib->slot) return AKIN_OK;
	if ((st = library_need_card(lib, err)) != AKIN_OK) return st;
	if ((st = image_init(err)) != AKIN_OK) return st;
	st = embedder_open(&lib->embedder, &lib->card, INFER_LATENCY, lib->threads, lib->cache_dir, err);
	if (st == AKIN_OK) st = infer_slot_create(&lib->slot, lib->embedder.session, err);
	if (st != AKIN_OK) embedder_close(&lib->embedder);
	if (ms) ms->model_ms = ms_since(start);
	return st;
}

akin_status query_embed(struct akin_library *lib, const void *bytes, size_t n, struct embedding *out,
                        struct akin_timings *ms, akin_error *err)
{
	double start;
	akin_status st;

	*out = (struct embedding){ 0 };
	pthread_mutex_lock(&lib->embed_lock);
	if ((st = warm_up(lib, ms, err)) != AKIN_OK) goto out;
	start = clock_seconds();
	st = image_tensor(bytes, n, &lib->card.recipe, &lib->limits, infer_slot_input(lib->slot), NULL, err);
	if (ms) ms->decode_ms += ms_since(start);
	if (st != AKIN_OK) goto out;
	start = clock_seconds();
	st = infer_slot_run(lib->slot, err);
	if (st == AKIN_OK) st = embed_collect(&lib->embedder, lib->slot, out, err);
	if (ms) ms->embed_ms = ms_since(start);
out:
	pthread_mutex_unlock(&lib->embed_lock);
	return st;
}

/* ---- searching ---- */

struct asking {
	struct akin_library *lib;
	const akin_search_params *params;
	const float *vector;
	akin_id self;     /* left out; 0: none */
	int64_t *allowed; /* ascending; NULL: all */
	size_t n_allowed;
	akin_timings ms;
};

static bool allows(void *ctx, int64_t id)
{
	const struct asking *a = ctx;

	if (id == a->self) return false;
	return !a->allowed || bsearch(&id, a->allowed, a->n_allowed, sizeof id, id_order);
}

/* A present file of the picture, inside params->in when that is asked for. NULL: none. Foreign vectors have names only. */
static char *take_shown_path(struct store_file *files, size_t n, const char *in)
{
	size_t prefix = in ? strlen(in) : 0;

	for (size_t i = 0; i < n; i++) {
		char *path = files[i].path;

		if (files[i].state != FILE_PRESENT) continue;
		if (in && strcmp(in, "/") != 0 &&
		    (strncmp(path, in, prefix) != 0 || (path[prefix] != '/' && path[prefix] != '\0')))
			continue;
		files[i].path = NULL;
		return path;
	}
	return NULL;
}

static akin_status gather_one(const struct asking *a, const char *in, const struct hit *found, akin_result *r,
                              akin_error *err)
{
	akin_hit *hit = &r->hit[r->n];
	struct store_picture picture;
	struct store_file *files = NULL;
	size_t n = 0;
	akin_status st = store_picture_get(a->lib->store, found->id, &picture, err);

	if (st == AKIN_ERR_NOT_FOUND) return AKIN_OK; /* removed since the index was read */
	if (st == AKIN_OK) st = store_files_of(a->lib->store, found->id, &files, &n, err);
	if (st != AKIN_OK) return st;
	r->path[r->n] = take_shown_path(files, n, in);
	store_files_free(files, n);
	if (!r->path[r->n]) return AKIN_OK;
	*hit = (akin_hit){ .rank = r->n + 1, .id = found->id, .score = vectors_score(a->lib, found->distance),
		           .distance = found->distance, .path = r->path[r->n], .width = picture.info.width,
		           .height = picture.info.height };
	if (hit->score < a->params->threshold) {
		mem_free(r->path[r->n]);
		return AKIN_OK;
	}
	r->n++;
	return AKIN_OK;
}

static akin_status ask_index(const struct asking *a, size_t k, struct hit **hits, size_t *n, akin_error *err)
{
	const struct index_filter filter = { allows, (void *)(uintptr_t)a };
	const struct index_ask ask = { .k = k, .filter = a->self || a->allowed ? &filter : NULL,
		                       .effort = k > EFFORT ? k : EFFORT, .exact = a->params->exact != 0 };

	*n = 0;
	if (!(*hits = mem_calloc(k, sizeof **hits))) return error_nomem(err);
	return index_search(a->lib->vectors.index, a->vector, &ask, *hits, n, err);
}

static akin_status make_result(akin_result **out, size_t k, akin_error *err)
{
	akin_result *r = mem_zalloc(sizeof *r);

	if (r) {
		r->hit = mem_calloc(k, sizeof *r->hit);
		r->path = mem_calloc(k, sizeof *r->path);
	}
	if (!r || !r->hit || !r->path) {
		akin_result_free(r);
		return error_nomem(err);
	}
	*out = r;
	return AKIN_OK;
}

/* Ask for a few more than wanted, since some may have no file to show; ask for many more when that was not enough. */
static akin_status search_locked(struct asking *a, const char *in, size_t k, akin_result *r, akin_error *err)
{
	size_t wanted = k + 16, n;
	struct index_stats stats;
	akin_status st;

	index_get_stats(a->lib->vectors.index, &stats);
	for (;;) {
		struct hit *hits;
		double start = clock_seconds();
		bool enough;

		if (wanted > stats.count) wanted = stats.count ? stats.count : 1;
		st = ask_index(a, wanted, &hits, &n, err);
		a->ms.search_ms += ms_since(start);
		start = clock_seconds();
		for (size_t i = 0; i < n && r->n < k && st == AKIN_OK; i++) st = gather_one(a, in, &hits[i], r, err);
		a->ms.gather_ms += ms_since(start);
		/* Behind a hit below the threshold there are only worse ones. */
		enough = st != AKIN_OK || r->n == k || n < wanted || wanted >= stats.count ||
		         vectors_score(a->lib, hits[n - 1].distance) < a->params->threshold;
		mem_free(hits);
		if (enough) return st;
		while (r->n) mem_free(r->path[--r->n]);
		wanted *= 8;
	}
}

static akin_status ask(struct asking *a, akin_result **out, akin_error *err)
{
	const akin_search_params *p = a->params;
	size_t k = p->k ? p->k : DEFAULT_K;
	char *in = p->in ? fs_absolute(p->in) : NULL;
	double start = clock_seconds();
	akin_status st;

	if (p->in && !in) return error_nomem(err);
	if ((st = vectors_refresh(a->lib, err)) != AKIN_OK) goto out;
	if ((in || p->filter) && (st = filter_allowed(a->lib, in, p->filter, &a->allowed, &a->n_allowed, err)) != AKIN_OK)
		goto out;
	a->ms.open_ms = ms_since(start);
	if ((st = make_result(out, k, err)) != AKIN_OK) goto out;
	pthread_rwlock_rdlock(&a->lib->lock);
	st = search_locked(a, in, k, *out, err);
	pthread_rwlock_unlock(&a->lib->lock);
	(*out)->ms = a->ms;
out:
	if (st != AKIN_OK) {
		akin_result_free(*out);
		*out = NULL;
	}
	mem_free(a->allowed);
	mem_free(in);
	return st;
}

static akin_status check_params(const akin_search_params *p, akin_error *err)
{
	if (p->k > MAX_K) return error_set(err, AKIN_ERR_INVALID, "k is %zu; it may be 1 to %d", p->k, MAX_K);
	if (!(p->threshold >= 0 && p->threshold <= 1))
		return error_set(err, AKIN_ERR_INVALID, "threshold is %g; it may be 0 to 1", p->threshold);
	return AKIN_OK;
}

struct vector_sink {
	float *vector;
	size_t dim;
	akin_status st;
	akin_error *err;
};

static int take_vector(void *ctx, const struct store_feature *feature)
{
	struct vector_sink *sink = ctx;

	sink->st = feature_to_f32(feature, sink->dim, sink->vector, sink->err);
	return 0;
}

/* The stored vector of a picture. AKIN_ERR_NOT_FOUND when it has none by the model in force. */
static akin_status stored_vector(struct akin_library *lib, akin_id id, float **vector, akin_error *err)
{
	struct vector_sink sink = { .dim = lib->dim, .err = err };
	akin_status st;

	*vector = NULL;
	if (!(sink.vector = mem_alloc(lib->dim * sizeof *sink.vector))) return error_nomem(err);
	st = store_feature_get(lib->store, id, lib->model_id, take_vector, &sink, err);
	if (st == AKIN_OK) st = sink.st;
	if (st == AKIN_OK) *vector = sink.vector;
	else mem_free(sink.vector);
	return st;
}

static akin_status search_stored(akin_library *lib, akin_id id, const akin_search_params *params, akin_timings ms,
                                 akin_result **out, akin_error *err)
{
	struct asking a = { .lib = lib, .params = params, .self = params->with_self ? 0 : id, .ms = ms };
	float *vector;
	akin_status st = stored_vector(lib, id, &vector, err);

	if (st != AKIN_OK) return st;
	a.vector = vector;
	st = ask(&a, out, err);
	mem_free(vector);
	return st;
}

akin_status akin_search_id(akin_library *lib, akin_id id, const akin_search_params *params, akin_result **out,
                           akin_error *err)
{
	akin_status st;

	*out = NULL;
	error_clear(err);
	if (!params) params = &default_params;
	if ((st = check_params(params, err)) != AKIN_OK) return st;
	st = search_stored(lib, id, params, (akin_timings){ 0 }, out, err);
	if (st == AKIN_ERR_NOT_FOUND) error_set(err, st, "the library has no picture with the id %lld", (long long)id);
	return st;
}

akin_status akin_search_bytes(akin_library *lib, const void *bytes, size_t n_bytes, const akin_search_params *params,
                              akin_result **out, akin_error *err)
{
	struct asking a = { .lib = lib };
	struct embedding embedding;
	uint8_t hash[HASH_BYTES];
	akin_id known = 0;
	akin_status st;

	*out = NULL;
	error_clear(err);
	a.params = params = params ? params : &default_params;
	if ((st = check_params(params, err)) != AKIN_OK) return st;
	hash_content(bytes, n_bytes, hash);
	if ((st = store_picture_by_hash(lib->store, hash, &known, err)) != AKIN_OK) return st;
	if (known) {
		st = search_stored(lib, known, params, a.ms, out, err);
		if (st != AKIN_ERR_NOT_FOUND) return st;
		a.self = params->with_self ? 0 : known;
		error_clear(err);
	}
	if ((st = query_embed(lib, bytes, n_bytes, &embedding, &a.ms, err)) != AKIN_OK) return st;
	a.vector = embedding.vector;
	st = ask(&a, out, err);
	embedding_deinit(&embedding);
	return st;
}

/* The picture that the library knows behind a path whose file has not changed since; 0: none. */
static akin_id known_unchanged(struct akin_library *lib, const char *path)
{
	struct store_file file = { 0 };
	struct stat info;
	char *whole = fs_absolute(path);
	akin_id id = 0;

	if (whole && stat(whole, &info) == 0 && store_file_by_path(lib->store, whole, &file, NULL) == AKIN_OK) {
		const struct file_stamp now = stamp_of(&info);
		if (file_stamp_equal(&now, &file.stamp)) id = file.picture_id;
	}
	store_file_deinit(&file);
	mem_free(whole);
	return id;
}

akin_status akin_search_file(akin_library *lib, const char *path, const akin_search_params *params, akin_result **out,
                             akin_error *err)
{
	struct buf bytes = BUF_EMPTY;
	akin_id known;
	akin_status st;

	*out = NULL;
	error_clear(err);
	if (!params) params = &default_params;
	if ((st = check_params(params, err)) != AKIN_OK) return st;
	if ((known = known_unchanged(lib, path))) {
		st = search_stored(lib, known, params, (akin_timings){ 0 }, out, err);
		if (st != AKIN_ERR_NOT_FOUND) return st;
	}
	if ((st = fs_read(path, lib->limits.max_bytes, &bytes, err)) == AKIN_OK) {
		st = akin_search_bytes(lib, bytes.data, bytes.len, params, out, err);
		error_note(err, st, "searching with %s", path);
	}
	buf_deinit(&bytes);
	return st;
}

akin_status akin_search_vector(akin_library *lib, const float *vector, size_t dim, const akin_search_params *params,
                               akin_result **out, akin_error *err)
{
	struct asking a = { .lib = lib, .params = params ? params : &default_params, .vector = vector };
	akin_status st;

	*out = NULL;
	error_clear(err);
	if (dim != lib->dim)
		return error_set(err, AKIN_ERR_INVALID, "the vector has %zu numbers; this library's have %u", dim, lib->dim);
	if ((st = check_params(a.params, err)) != AKIN_OK) return st;
	return ask(&a, out, err);
}
