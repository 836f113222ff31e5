/* engine/calibration.c - what distances mean in this library, so that a score of 0.5 is as likely as not.
 *
 * Alike are two pictures that share a name which the model gives each of them with some confidence. Of a sample of the library
 * every pair is looked at, and the nearest neighbours of some, since among random pairs few are near. Libraries without
 * names have known neighbours only: half of the tenth nearest are taken as meant. docs/search.md shows how well this agrees
 * with what people call alike.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "search/calibrate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "base/str.h"
#include "engine/engine.h"

/* SAMPLE pictures have 32,000 pairs; with them the half moves by some 2 % from seed to seed (corel1000).
 * Fewer than MEASURABLE pictures say nothing about random pairs: the card does. */
enum { SAMPLE = 256, ASKED = 128, NEIGHBOURS = 10, MEASURABLE = 64, MOST_NAMES = EMBED_MAX_LABELS };
static const float CONFIDENT = 0.1f;
/* Of a library too small to measure: half of the way to a random picture, as between pictures of the same thing in corel1000,
 * grocery and fashion of 1,000 each (0.62, 0.43, 0.49). */
static const double HALF_WAY = 0.5;

struct named {
	unsigned class_index[MOST_NAMES];
	size_t n;
};

struct sample {
	struct akin_library *lib;
	const struct vectors *v;
	size_t dim;
	int64_t id[SAMPLE];
	float *row;
	struct named *named;
	size_t n;
	struct pair *pair;
	size_t n_pairs, capacity;
	float neighbour[ASKED]; /* distance of the last neighbour asked for */
	size_t n_neighbours;
};

static int take_name(void *ctx, const struct store_named_label *label)
{
	struct named *named = ctx;

	if (label->probability >= CONFIDENT && named->n < MOST_NAMES) named->class_index[named->n++] = label->class_index;
	return 0;
}

static bool alike(const struct named *a, const struct named *b)
{
	for (size_t i = 0; i < a->n; i++)
		for (size_t j = 0; j < b->n; j++)
			if (a->class_index[i] == b->class_index[j]) return true;
	return false;
}

static bool add_pair(struct sample *s, float distance, const struct named *a, const struct named *b)
{
	struct pair *moved;

	if (!a->n || !b->n) return true; /* the model does not know what it sees */
	if (!(moved = mem_grow(s->pair, &s->capacity, s->n_pairs, sizeof *moved))) return false;
	s->pair = moved;
	s->pair[s->n_pairs++] = (struct pair){ distance, alike(a, b) };
	return true;
}

/* A partial Fisher-Yates: SAMPLE of the ids, each once. */
static bool draw(struct sample *s)
{
	struct akin_library *lib = s->lib;
	struct rng rng = { 20 };
	int64_t *ids = NULL;
	size_t n = 0;
	bool ok = index_ids(s->v->index, &ids, &n, NULL) == AKIN_OK && n >= 2;

	for (; ok && s->n < SAMPLE && s->n < n; s->n++) {
		size_t at = s->n + (size_t)rng_below(&rng, n - s->n);

		s->id[s->n] = ids[at];
		ids[at] = ids[s->n];
	}
	mem_free(ids);
	for (size_t i = 0; ok && i < s->n; i++)
		ok = index_get(s->v->index, s->id[i], s->row + i * s->dim, NULL) == AKIN_OK &&
		     store_labels_of(lib->store, s->id[i], take_name, &s->named[i], NULL) == AKIN_OK;
	return ok;
}

static int by_value(const void *a, const void *b)
{
	const float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

/* Every pair of the sample; the median distance is that of a picture taken at random. */
static bool pairs_of_sample(struct sample *s, double *random)
{
	size_t n = s->n * (s->n - 1) / 2, at = 0, dim = s->dim;
	float *distance = mem_calloc(n, sizeof *distance);
	bool ok = distance != NULL;

	for (size_t i = 0; i < s->n && ok; i++)
		for (size_t j = 0; j < i && ok; j++, at++) {
			distance[at] = vectors_distance(vectors_metric(s->lib, s->v), s->row + i * dim, s->row + j * dim, dim);
			ok = add_pair(s, distance[at], &s->named[i], &s->named[j]);
		}
	if (ok) {
		qsort(distance, n, sizeof *distance, by_value);
		*random = (double)distance[n / 2];
	}
	mem_free(distance);
	return ok;
}

static bool pairs_of_neighbours(struct sample *s)
{
	const struct index_ask ask = { .k = NEIGHBOURS + 1, .effort = 64, .threads = 1 };
	size_t n = s->n < ASKED ? s->n : ASKED, *found = mem_calloc(n, sizeof *found);
	struct hit *hits = mem_calloc(n, ask.k * sizeof *hits);
	bool ok = found && hits &&
	          index_search_many(s->v->index, s->row, n, &ask, hits, found, NULL) == AKIN_OK;

	for (size_t i = 0; i < n && ok; i++) {
		for (size_t h = 0; h < found[i] && ok; h++) {
			const struct hit *hit = &hits[i * ask.k + h];
			struct named named = { .n = 0 };

			if (hit->id == s->id[i]) continue;
			ok = store_labels_of(s->lib->store, hit->id, take_name, &named, NULL) == AKIN_OK &&
			     add_pair(s, hit->distance, &s->named[i], &named);
		}
		if (found[i]) s->neighbour[s->n_neighbours++] = hits[i * ask.k + found[i] - 1].distance;
	}
	if (s->n_neighbours) qsort(s->neighbour, s->n_neighbours, sizeof *s->neighbour, by_value);
	mem_free(found);
	mem_free(hits);
	return ok;
}

static bool measure(struct akin_library *lib, const struct vectors *v, struct scale *scale)
{
	struct sample s = { .lib = lib, .v = v, .dim = vectors_row_dim(lib, v) };
	bool ok;

	s.row = mem_calloc(SAMPLE, s.dim * sizeof *s.row);
	s.named = mem_calloc(SAMPLE, sizeof *s.named);
	ok = s.row && s.named && draw(&s) && pairs_of_sample(&s, &scale->random) && pairs_of_neighbours(&s);
	if (ok && !calibrate_by_pairs(scale, s.pair, s.n_pairs))
		calibrate_by_neighbours(scale, (double)s.neighbour[s.n_neighbours / 2]);
	mem_free(s.row);
	mem_free(s.named);
	mem_free(s.pair);
	return ok;
}

/* What is known without measuring. */
static struct scale by_card(const struct akin_library *lib, const struct vectors *v)
{
	double random = lib->has_card && !v->joint ? lib->card.random_distance : 0;
	struct scale scale = { .half = 0, .slope = 1, .random = 0, .linear = vectors_metric(lib, v) == METRIC_IP };

	if (scale.linear) return scale;
	scale.random = random > 0 ? random : 1;
	calibrate_by_neighbours(&scale, HALF_WAY * scale.random);
	return scale;
}

/* ---- kept in the store ---- */

static char *setting_name(const struct akin_library *lib, const struct vectors *v)
{
	char hex[17];

	str_hex(vectors_hash(lib, v), 8, hex);
	return str_printf("calibration %s", hex);
}

static bool about(size_t a, size_t b)
{
	return a < b + b / 10 + 1 && b < a + a / 10 + 1;
}

/* "half slope random count" in billionths: the decimal point of printf follows the locale. */
static bool load(struct akin_library *lib, struct vectors *v, size_t count)
{
	char *name = setting_name(lib, v), *text = NULL, *at, *next = NULL;
	int64_t value[4] = { 0 };
	size_t n = 0;

	if (name && store_setting_get(lib->store, name, &text, NULL) == AKIN_OK && text)
		for (at = text; at && n < COUNT(value); at = next) {
			if ((next = strchr(at, ' '))) *next++ = '\0';
			if (!str_to_i64(at, INT64_MIN, INT64_MAX, &value[n++])) n = COUNT(value) + 1;
		}
	mem_free(name);
	mem_free(text);
	if (n != COUNT(value) || value[1] <= 0 || value[3] <= 0 || !about((size_t)value[3], count)) return false;
	v->scale = (struct scale){ .half = (double)value[0] * 1e-9, .slope = (double)value[1] * 1e-9,
		                             .random = (double)value[2] * 1e-9, .linear = vectors_metric(lib, v) == METRIC_IP };
	v->calibrated = (size_t)value[3];
	return v->scale.linear || value[0] > 0;
}

/* Texts bring their own scale: how far each is from pictures at random. It needs some at hand. */
static void keep_sample(struct akin_library *lib, struct vectors *v, size_t count)
{
	struct sample s = { .lib = lib, .v = v, .dim = v->joint->dim };

	s.row = mem_calloc(SAMPLE, s.dim * sizeof *s.row);
	s.named = mem_calloc(SAMPLE, sizeof *s.named);
	mem_free(v->sample);
	v->sample = NULL;
	v->n_sample = v->calibrated = 0;
	if (s.row && s.named && draw(&s)) {
		v->sample = s.row;
		v->n_sample = s.n;
		v->calibrated = count;
	} else {
		mem_free(s.row);
	}
	mem_free(s.named);
}

void calibration_refresh(struct akin_library *lib, struct vectors *v)
{
	struct index_stats stats;

	index_get_stats(v->index, &stats);
	if (v->joint && !(v->calibrated && about(v->calibrated, stats.count))) keep_sample(lib, v, stats.count);
	if (v->joint) return;
	if (v->calibrated && about(v->calibrated, stats.count)) return;
	if (stats.count >= MEASURABLE && load(lib, v, stats.count)) return;
	v->scale = by_card(lib, v);
	v->calibrated = 0;
	if (stats.count >= MEASURABLE && measure(lib, v, &v->scale)) v->calibrated = stats.count;
}

void calibration_save(struct akin_library *lib, const struct vectors *v)
{
	char *name = v->joint ? NULL : setting_name(lib, v), text[96] = "";
	struct scale s;
	size_t count;

	pthread_rwlock_rdlock(&lib->lock);
	s = v->scale;
	count = v->calibrated;
	pthread_rwlock_unlock(&lib->lock);
	if (name && count && s.half < 9e9 && s.slope < 9e9 && s.random < 9e9 && store_begin(lib->store, NULL) == AKIN_OK) {
		snprintf(text, sizeof text, "%" PRId64 " %" PRId64 " %" PRId64 " %zu", (int64_t)(s.half * 1e9),
		         (int64_t)(s.slope * 1e9), (int64_t)(s.random * 1e9), count);
		/* A lost calibration is measured again. */
		if (store_setting_put(lib->store, name, text, NULL) != AKIN_OK) store_rollback(lib->store);
		else if (store_commit(lib->store, NULL) != AKIN_OK) name[0] = '\0';
	}
	mem_free(name);
}
