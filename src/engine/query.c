/* engine/query.c - a query as its caller builds it, and asking it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "akin/query.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/str.h"
#include "engine/asking.h"

/* MOST_PARTS: what people and programs write; each part costs an embedding. */
enum { DEFAULT_K = 10, MAX_K = 1000000, MOST_PARTS = 256, MOST_WEIGHT = 1000 };

/* ---- building ---- */

akin_status akin_query_create(akin_query **out, akin_error *err)
{
	error_clear(err);
	return (*out = mem_zalloc(sizeof **out)) ? AKIN_OK : error_nomem(err);
}

void akin_query_free(akin_query *query)
{
	if (!query) return;
	for (size_t i = 0; i < query->n; i++) {
		mem_free((void *)(uintptr_t)query->part[i].text);
		mem_free((void *)(uintptr_t)query->part[i].bytes);
	}
	mem_free(query->part);
	mem_free(query);
}

size_t akin_query_count(const akin_query *query)
{
	return query->n;
}

/* Numbers of a crop: x, y, width, height. */
static bool parse_numbers(const char *text, double number[4], bool percent[4])
{
	for (int i = 0; i < 4; i++) {
		size_t n = strcspn(text, ",");
		char one[32];

		if (!n || n >= sizeof one || (i < 3) != (text[n] == ',')) return false;
		memcpy(one, text, n);
		one[n] = '\0';
		percent[i] = one[n - 1] == '%';
		if (percent[i]) one[n - 1] = '\0';
		if (!str_to_double(one, 0, 1e9, &number[i])) return false;
		text += n + 1;
	}
	return true;
}

akin_status akin_crop_parse(akin_crop *out, const char *text, akin_error *err)
{
	double number[4];
	bool percent[4];

	*out = (akin_crop){ 0 };
	error_clear(err);
	if (!parse_numbers(text, number, percent) || percent[0] != percent[1] || percent[0] != percent[2] ||
	    percent[0] != percent[3])
		return error_set(err, AKIN_ERR_INVALID,
		                 "a part of a picture is x,y,width,height, all in pixels or all in percent (10%%,10%%,50%%,50%%), "
		                 "not \"%s\"",
		                 text);
	if (!(number[2] > 0 && number[3] > 0))
		return error_set(err, AKIN_ERR_INVALID, "the part \"%s\" has no pixels", text);
	*out = (akin_crop){ number[0], number[1], number[2], number[3], percent[0] };
	return AKIN_OK;
}

static akin_status take_crop(struct part *part, const akin_crop *crop, akin_error *err)
{
	if (!crop) return AKIN_OK;
	if (!(crop->x >= 0 && crop->y >= 0 && crop->width > 0 && crop->height > 0))
		return error_set(err, AKIN_ERR_INVALID, "the part %g,%g,%g,%g of a picture has no pixels", crop->x, crop->y,
		                 crop->width, crop->height);
	part->crop = (struct image_crop){ crop->x, crop->y, crop->width, crop->height, crop->percent != 0 };
	return AKIN_OK;
}

static akin_status check_weight(double weight, akin_error *err)
{
	if (weight != 0 && fabs(weight) <= MOST_WEIGHT) return AKIN_OK;
	return error_set(err, AKIN_ERR_INVALID, "the weight %g: it may be -%d to %d and not 0", weight, MOST_WEIGHT, MOST_WEIGHT);
}

/* Copies what the part points to. */
static akin_status add(akin_query *query, struct part part, akin_error *err)
{
	size_t bytes = part.kind == PART_VECTOR ? part.n * sizeof(float) : part.n;
	struct part *moved;

	error_clear(err);
	if (query->n == MOST_PARTS) return error_set(err, AKIN_ERR_LIMIT, "a query has at most %d parts", MOST_PARTS);
	if (!(moved = mem_grow(query->part, &query->capacity, query->n, sizeof *moved))) return error_nomem(err);
	query->part = moved;
	if ((part.text && !(part.text = mem_strdup(part.text))) || (part.bytes && !(part.bytes = mem_dup(part.bytes, bytes)))) {
		if (part.kind == PART_FILE || part.kind == PART_TEXT) mem_free((void *)(uintptr_t)part.text);
		return error_nomem(err);
	}
	query->part[query->n++] = part;
	return AKIN_OK;
}

static akin_status add_picture(akin_query *query, struct part part, const akin_crop *crop, akin_error *err)
{
	akin_status st = check_weight(part.weight, err);

	if (st == AKIN_OK) st = take_crop(&part, crop, err);
	return st == AKIN_OK ? add(query, part, err) : st;
}

akin_status akin_query_add_file(akin_query *query, const char *path, const akin_crop *crop, double weight, akin_error *err)
{
	return add_picture(query, (struct part){ .kind = PART_FILE, .text = path, .weight = weight }, crop, err);
}

akin_status akin_query_add_bytes(akin_query *query, const void *bytes, size_t n_bytes, const akin_crop *crop, double weight,
                                 akin_error *err)
{
	if (!n_bytes) return error_set(err, AKIN_ERR_INVALID, "a picture of no bytes");
	return add_picture(query, (struct part){ .kind = PART_BYTES, .bytes = bytes, .n = n_bytes, .weight = weight }, crop, err);
}

akin_status akin_query_add_id(akin_query *query, akin_id id, const akin_crop *crop, double weight, akin_error *err)
{
	return add_picture(query, (struct part){ .kind = PART_ID, .id = id, .weight = weight }, crop, err);
}

akin_status akin_query_add_vector(akin_query *query, const float *vector, size_t dim, double weight, akin_error *err)
{
	if (!dim || dim > INDEX_MAX_DIM)
		return error_set(err, AKIN_ERR_INVALID, "a vector of %zu numbers; 1 to %d are possible", dim, INDEX_MAX_DIM);
	return add_picture(query, (struct part){ .kind = PART_VECTOR, .bytes = vector, .n = dim, .weight = weight }, NULL, err);
}

akin_status akin_query_add_text(akin_query *query, const char *text, double weight, akin_error *err)
{
	akin_status st = check_weight(weight, err);

	return st == AKIN_OK ? add(query, (struct part){ .kind = PART_TEXT, .text = text, .weight = weight }, err) : st;
}

akin_status akin_query_add_feedback(akin_query *query, akin_id id, int liked, akin_error *err)
{
	return add(query, (struct part){ .kind = PART_ID, .id = id, .weight = liked ? 1 : -1, .feedback = true }, err);
}

/* ---- asking ---- */

static double ms_since(double start)
{
	return 1e3 * (clock_seconds() - start);
}

static akin_status check_params(const akin_search_params *p, akin_error *err)
{
	if (p->k > MAX_K) return error_set(err, AKIN_ERR_INVALID, "k is %zu; it may be 1 to %d", p->k, MAX_K);
	if (!(p->threshold >= 0 && p->threshold <= 1))
		return error_set(err, AKIN_ERR_INVALID, "threshold is %g; it may be 0 to 1", p->threshold);
	if (!(p->diverse >= 0 && p->diverse <= 1))
		return error_set(err, AKIN_ERR_INVALID, "diverse is %g; it may be 0 to 1", p->diverse);
	if ((unsigned)p->mode > AKIN_MODE_KEYWORD || (unsigned)p->sort > AKIN_SORT_TAKEN || (unsigned)p->group > AKIN_GROUP_DAY)
		return error_set(err, AKIN_ERR_INVALID, "mode %d, sort %d, group %d: one of them is unknown", (int)p->mode,
		                 (int)p->sort, (int)p->group);
	return AKIN_OK;
}

/* Ask for a few more than wanted, since some may have no file to show; ask for many more when that was not enough. */
static akin_status search_locked(struct asking *a, akin_result *r, akin_error *err)
{
	for (size_t wanted = result_room(r) + 16;; wanted *= 8) {
		struct pool pool = { 0 };
		double start = clock_seconds();
		bool below = false, enough;
		akin_status st = pool_fill(&pool, a, wanted, err);

		a->ms.search_ms += ms_since(start);
		start = clock_seconds();
		if (st == AKIN_OK) st = result_gather(r, a, &pool, &below, err);
		a->ms.gather_ms += ms_since(start);
		enough = st != AKIN_OK || below || akin_result_count(r) == result_room(r) || pool.complete;
		pool_deinit(&pool);
		if (enough) return st;
		result_empty(r);
	}
}

akin_status akin_search(akin_library *lib, const akin_query *query, const akin_search_params *params, akin_result **out,
                        akin_error *err)
{
	static const akin_search_params default_params;
	struct asking a = { .lib = lib, .params = params ? params : &default_params, .query = query };
	size_t k = a.params->k ? a.params->k : DEFAULT_K;
	double start = clock_seconds();
	akin_status st;

	*out = NULL;
	error_clear(err);
	if ((st = check_params(a.params, err)) != AKIN_OK) return st;
	if ((st = asking_prepare(lib, query, a.params, err)) != AKIN_OK) return st;
	a.ms.open_ms = ms_since(start);
	if ((st = asking_terms(&a, err)) != AKIN_OK) goto out;
	if (a.params->in && !(a.in = fs_absolute(a.params->in))) st = error_nomem(err);
	if (st == AKIN_OK && (a.in || a.params->filter))
		st = filter_allowed(lib, a.in, a.params->filter, &a.allowed, &a.n_allowed, err);
	if (st != AKIN_OK) goto out;
	if ((st = result_create(out, &a, k, err)) != AKIN_OK) goto out;
	pthread_rwlock_rdlock(&lib->lock);
	st = search_locked(&a, *out, err);
	if (st == AKIN_OK) st = result_arrange(*out, &a, k, err);
	pthread_rwlock_unlock(&lib->lock);
	result_set_timings(*out, &a.ms);
out:
	if (st != AKIN_OK) {
		akin_result_free(*out);
		*out = NULL;
	}
	asking_deinit(&a);
	return st;
}

/* ---- queries of one part, which need not be copied ---- */

static akin_status search_one(akin_library *lib, struct part part, const akin_search_params *params, akin_result **out,
                              akin_error *err)
{
	part.weight = 1;
	return akin_search(lib, &(const akin_query){ &part, 1, 1 }, params, out, err);
}

akin_status akin_search_file(akin_library *lib, const char *path, const akin_search_params *params, akin_result **out,
                             akin_error *err)
{
	return search_one(lib, (struct part){ .kind = PART_FILE, .text = path }, params, out, err);
}

akin_status akin_search_bytes(akin_library *lib, const void *bytes, size_t n_bytes, const akin_search_params *params,
                              akin_result **out, akin_error *err)
{
	return search_one(lib, (struct part){ .kind = PART_BYTES, .bytes = bytes, .n = n_bytes }, params, out, err);
}

akin_status akin_search_id(akin_library *lib, akin_id id, const akin_search_params *params, akin_result **out,
                           akin_error *err)
{
	return search_one(lib, (struct part){ .kind = PART_ID, .id = id }, params, out, err);
}

akin_status akin_search_vector(akin_library *lib, const float *vector, size_t dim, const akin_search_params *params,
                               akin_result **out, akin_error *err)
{
	return search_one(lib, (struct part){ .kind = PART_VECTOR, .bytes = vector, .n = dim }, params, out, err);
}

akin_status akin_search_text(akin_library *lib, const char *text, const akin_search_params *params, akin_result **out,
                             akin_error *err)
{
	return search_one(lib, (struct part){ .kind = PART_TEXT, .text = text }, params, out, err);
}
