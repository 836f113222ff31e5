/* engine/query_terms.c - from the parts of a query to vectors: stored ones where the library knows the picture, else decoded
 * and embedded now.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fs.h"
#include "engine/asking.h"
#include "engine/known_files.h"

/* Rocchio's weights of all liked and all disliked answers beside the query (Manning et al., Introduction to Information
 * Retrieval, 9.1.1: 0.75 and 0.15..0.25). */
static const double LIKED = 0.75, DISLIKED = 0.25;

/* Log-odds of TEXT_SLOPE * (TEXT_HALF - distance) that a picture is the one a caption was written for, among 1,000; and the
 * nearness at which something stands out (docs/search.md has the measurement of both). */
static const double TEXT_HALF = 1 - 0.439, TEXT_SLOPE = 17.7, STANDS_OUT = 0.45, SPREAD = 3;

enum { MEASURABLE = 64 }; /* fewer pictures say nothing about how a text varies */

static double ms_since(double start)
{
	return 1e3 * (clock_seconds() - start);
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
	if (ms) ms->model_ms += ms_since(start);
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
	if (ms) ms->embed_ms += ms_since(start);
out:
	pthread_mutex_unlock(&lib->embed_lock);
	return st;
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

/* ---- pictures ---- */

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

static akin_status embed_bytes(struct asking *a, const struct part *part, const void *bytes, size_t n, struct term *term,
                               akin_error *err)
{
	struct embedding embedding;
	struct buf cut = BUF_EMPTY;
	double start = clock_seconds();
	akin_status st = AKIN_OK;

	if (part->crop.width > 0) {
		if ((st = image_init(err)) == AKIN_OK) st = image_crop(bytes, n, &part->crop, &a->lib->limits, &cut, err);
		a->ms.decode_ms += ms_since(start);
		bytes = cut.data;
		n = cut.len;
	}
	if (st == AKIN_OK && (st = query_embed(a->lib, bytes, n, &embedding, &a->ms, err)) == AKIN_OK) {
		term->vector = embedding.vector;
		embedding.vector = NULL;
		embedding_deinit(&embedding);
	}
	buf_deinit(&cut);
	return st;
}

/* A picture's bytes: the library may know the same content. */
static akin_status picture_term(struct asking *a, const struct part *part, const void *bytes, size_t n, struct term *term,
                                akin_error *err)
{
	uint8_t hash[HASH_BYTES];
	akin_status st;

	hash_content(bytes, n, hash);
	if ((st = store_picture_by_hash(a->lib->store, hash, &term->id, err)) != AKIN_OK) return st;
	if (term->id && !(part->crop.width > 0)) {
		st = stored_vector(a->lib, term->id, &term->vector, err);
		if (st != AKIN_ERR_NOT_FOUND) return st;
		error_clear(err);
	}
	return embed_bytes(a, part, bytes, n, term, err);
}

static akin_status file_term(struct asking *a, const struct part *part, const char *path, struct term *term, akin_error *err)
{
	struct buf bytes = BUF_EMPTY;
	akin_status st;

	if (!(part->crop.width > 0) && (term->id = known_unchanged(a->lib, path))) {
		st = stored_vector(a->lib, term->id, &term->vector, err);
		if (st != AKIN_ERR_NOT_FOUND) return st;
		error_clear(err);
	}
	if ((st = fs_read(path, a->lib->limits.max_bytes, &bytes, err)) == AKIN_OK) {
		st = picture_term(a, part, bytes.data, bytes.len, term, err);
		error_note(err, st, "searching with %s", path);
	}
	buf_deinit(&bytes);
	return st;
}

/* A part of a picture of the library is cut out of its file. */
static akin_status id_term(struct asking *a, const struct part *part, struct term *term, akin_error *err)
{
	struct store_file *files = NULL;
	struct store_picture picture;
	size_t n = 0;
	akin_status st;

	term->id = part->id;
	st = part->crop.width > 0 ? store_picture_get(a->lib->store, part->id, &picture, err)
	                          : stored_vector(a->lib, part->id, &term->vector, err);
	if (st == AKIN_ERR_NOT_FOUND)
		return error_set(err, st, "the library has no picture with the id %lld", (long long)part->id);
	if (st != AKIN_OK || !(part->crop.width > 0)) return st;
	if ((st = store_files_of(a->lib->store, part->id, &files, &n, err)) != AKIN_OK) return st;
	if (!n || files[0].state != FILE_PRESENT)
		st = error_set(err, AKIN_ERR_NOT_FOUND, "picture %lld has no file that is present", (long long)part->id);
	else st = file_term(a, part, files[0].path, term, err);
	term->id = part->id;
	store_files_free(files, n);
	return st;
}

static akin_status vector_term(struct asking *a, const struct part *part, struct term *term, akin_error *err)
{
	if (part->n != a->lib->dim)
		return error_set(err, AKIN_ERR_INVALID, "the vector has %zu numbers; this library's have %u", part->n, a->lib->dim);
	term->vector = mem_dup(part->bytes, part->n * sizeof(float));
	return term->vector ? AKIN_OK : error_nomem(err);
}

/* How much the distances of a text vary over pictures at random: little when it means nothing that is there. */
static void measure_text(const struct vectors *v, const float *vector, double *mean, double *deviation)
{
	const unsigned dim = v->joint->dim;
	double sum = 0, squares = 0;

	for (size_t i = 0; i < v->n_sample; i++) {
		double d = (double)vectors_distance(METRIC_COSINE, vector, v->sample + i * dim, dim);
		sum += d;
		squares += d * d;
	}
	*mean = v->n_sample ? sum / (double)v->n_sample : 1;
	*deviation = v->n_sample ? sqrt(fmax(squares / (double)v->n_sample - *mean * *mean, 0)) : 0;
}

static akin_status meaning_term(struct asking *a, const struct part *part, struct term *term, akin_error *err)
{
	struct joint *joint = &a->lib->joint;
	double start = clock_seconds(), mean, deviation;
	akin_status st;

	term->space = &a->lib->texts;
	if (!(term->vector = mem_alloc(joint->dim * sizeof *term->vector))) return error_nomem(err);
	if ((st = joint_text(joint, part->text, term->vector, err)) != AKIN_OK) return st;
	pthread_rwlock_rdlock(&a->lib->lock); /* another thread's refresh may draw a new sample */
	measure_text(&a->lib->texts, term->vector, &mean, &deviation);
	term->scale = (struct scale){ .half = TEXT_HALF, .slope = TEXT_SLOPE, .random = mean, .linear = true };
	term->stands_out = a->lib->texts.n_sample < MEASURABLE ? 2 : 1 - (STANDS_OUT - SPREAD * deviation);
	pthread_rwlock_unlock(&a->lib->lock);
	a->ms.embed_ms += ms_since(start);
	return AKIN_OK;
}

/* Parts weigh what their weights say, whatever the length of a vector. */
static akin_status normalise(const struct akin_library *lib, struct term *term, akin_error *err)
{
	double square = 0;

	for (size_t i = 0; i < lib->dim; i++) square += (double)term->vector[i] * term->vector[i];
	if (!isfinite(square)) return error_set(err, AKIN_ERR_INVALID, "a vector holds a number that is not finite");
	if (lib->metric != METRIC_COSINE || !(square > 0)) return AKIN_OK;
	for (size_t i = 0; i < lib->dim; i++) term->vector[i] = (float)(term->vector[i] / sqrt(square));
	return AKIN_OK;
}

static struct term *new_term(struct asking *a, size_t part, double weight)
{
	struct term *term = &a->term[a->n_terms++];

	*term = (struct term){ .part = part, .weight = weight };
	return term;
}

static akin_status add_picture(struct asking *a, size_t i, double weight, akin_error *err)
{
	const struct part *part = &a->query->part[i];
	struct term *term = new_term(a, i, weight);
	akin_status st;

	term->space = &a->lib->vectors;
	term->scale = a->lib->vectors.scale;
	switch (part->kind) {
	case PART_FILE: st = file_term(a, part, part->text, term, err); break;
	case PART_BYTES: st = picture_term(a, part, part->bytes, part->n, term, err); break;
	case PART_ID: st = id_term(a, part, term, err); break;
	default: st = vector_term(a, part, term, err);
	}
	return st == AKIN_OK ? normalise(a->lib, term, err) : st;
}

static bool asks_meaning(const struct akin_library *lib, const akin_search_params *params)
{
	return params->mode == AKIN_MODE_MEANING || (params->mode == AKIN_MODE_AUTO && joint_exists(lib));
}

/* Both opinions on a text; words that are nowhere found have none, unless nothing else is asked. */
static akin_status add_text(struct asking *a, size_t i, double weight, akin_error *err)
{
	const struct part *part = &a->query->part[i];
	bool meaning = asks_meaning(a->lib, a->params);
	akin_status st = AKIN_OK;
	struct term *words;

	if (meaning) st = meaning_term(a, part, new_term(a, i, weight), err);
	if (st != AKIN_OK || a->params->mode == AKIN_MODE_MEANING) return st;
	words = new_term(a, i, weight);
	words->more = meaning;
	st = words_term(a, part->text, words, err);
	if (meaning && !words->n_worded) {
		mem_free(words->worded);
		a->n_terms--;
	}
	return st;
}

akin_status asking_prepare(struct akin_library *lib, const struct akin_query *query, const akin_search_params *params,
                           akin_error *err)
{
	akin_status st = vectors_refresh(lib, &lib->vectors, err);
	bool text = false;

	for (size_t i = 0; i < query->n; i++) text = text || query->part[i].kind == PART_TEXT;
	if (st != AKIN_OK || !text || !asks_meaning(lib, params)) return st;
	if ((st = joint_open(lib, err)) == AKIN_OK) st = vectors_refresh(lib, &lib->texts, err);
	return st;
}

/* ---- all of them ---- */

/* What a part weighs: feedback shares its weights, beside that of the parts that are wanted. */
static akin_status weigh(const struct akin_query *q, double *weight, akin_error *err)
{
	double wanted = 0, liked = 0, disliked = 0;

	for (size_t i = 0; i < q->n; i++) {
		if (!q->part[i].feedback) wanted += fmax(q->part[i].weight, 0);
		else if (q->part[i].weight > 0) liked++;
		else disliked++;
	}
	if (!(wanted > 0) && !(liked > 0))
		return error_set(err, AKIN_ERR_INVALID, q->n ? "the query only says what is not wanted" : "the query has no parts");
	for (size_t i = 0; i < q->n; i++) {
		const struct part *part = &q->part[i];

		if (!part->feedback) weight[i] = part->weight;
		else if (part->weight > 0) weight[i] = (wanted > 0 ? LIKED * wanted : 1) / liked;
		else weight[i] = -DISLIKED * (wanted > 0 ? wanted : 1) / disliked;
	}
	return AKIN_OK;
}

/* The query's own pictures are no answers, those not wanted never. */
static akin_status collect_self(struct asking *a, akin_error *err)
{
	if (!(a->self = mem_calloc(a->n_terms, sizeof *a->self))) return error_nomem(err);
	for (size_t i = 0; i < a->n_terms; i++)
		if (a->term[i].id && !(a->params->with_self && term_is_wanted(&a->term[i]))) a->self[a->n_self++] = a->term[i].id;
	if (a->n_self) qsort(a->self, a->n_self, sizeof *a->self, id_order);
	return AKIN_OK;
}

akin_status asking_terms(struct asking *a, akin_error *err)
{
	size_t n = a->query->n;
	double *weight = mem_calloc(n, sizeof *weight);
	akin_status st = AKIN_OK;

	a->term = mem_calloc(2 * n, sizeof *a->term);
	a->weigher = mem_calloc(2 * n, sizeof *a->weigher);
	if (!weight || !a->term || !a->weigher) st = error_nomem(err);
	if (st == AKIN_OK) st = weigh(a->query, weight, err);
	for (size_t i = 0; i < n && st == AKIN_OK; i++)
		st = (a->query->part[i].kind == PART_TEXT ? add_text : add_picture)(a, i, weight[i], err);
	if (st == AKIN_OK) st = collect_self(a, err);
	mem_free(weight);
	return st;
}

void asking_deinit(struct asking *a)
{
	for (size_t i = 0; i < a->n_terms; i++) {
		mem_free(a->term[i].vector);
		mem_free(a->term[i].worded);
	}
	mem_free(a->term);
	mem_free(a->weigher);
	mem_free(a->self);
	mem_free(a->allowed);
	mem_free(a->in);
	mem_free(a->hint);
}
