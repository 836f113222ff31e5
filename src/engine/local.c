/* engine/local.c - akin/local.h: a picture's local features, and two pictures' matches.
 *
 * Features are found on a picture of at most max_side and told in pixels of the picture as shown.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "akin/local.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "engine/local.h"
#include "search/match.h"
#include "search/verify.h"

enum { MAX_SIDE = 1024, MOST_SIDE = 4096 };

/* ---- features ---- */

static akin_status decode(struct akin_local *l, const void *bytes, size_t n, unsigned max_side, akin_error *err)
{
	akin_status st;

	if ((st = image_decode(bytes, n, max_side, NULL, &l->picture, err)) != AKIN_OK) return st;
	l->to_x = (float)l->picture.info.width / (float)l->picture.width;
	l->to_y = (float)l->picture.info.height / (float)l->picture.height;
	return AKIN_OK;
}

/* To pixels of the picture as shown: a pixel's centre stays the centre of what it covers. */
static void tell_in_full_size(struct akin_local *l)
{
	for (size_t i = 0; i < l->set.n; i++) {
		struct local_feature *at = &l->set.at[i];

		at->x = (at->x + 0.5f) * l->to_x - 0.5f;
		at->y = (at->y + 0.5f) * l->to_y - 0.5f;
		at->scale *= sqrtf(l->to_x * l->to_y);
	}
}

static akin_status find(struct akin_local *l, const akin_local_params *params, akin_error *err)
{
	const struct local_params p = { .kind = (enum local_kind)params->kind, .budget = params->budget,
	                                .upright = params->upright };
	size_t n = (size_t)l->picture.width * l->picture.height;
	uint8_t *grey = mem_alloc(n);
	akin_status st;

	if (!grey) return error_nomem(err);
	local_grey(l->picture.rgb, n, grey);
	st = local_extract(&l->set, grey, l->picture.width, l->picture.height, &p, err);
	mem_free(grey);
	if (st == AKIN_OK) tell_in_full_size(l);
	return st;
}

akin_status akin_local_read_bytes(akin_local **out, const void *bytes, size_t n_bytes, const akin_local_params *params,
                                  akin_error *err)
{
	akin_local_params p = params ? *params : (akin_local_params){ 0 };
	struct akin_local *l;
	akin_status st;

	error_clear(err);
	*out = NULL;
	if (!p.max_side) p.max_side = MAX_SIDE;
	if (p.max_side > MOST_SIDE)
		return error_set(err, AKIN_ERR_INVALID, "a side of %u pixels is more than %d", p.max_side, MOST_SIDE);
	if (!(l = mem_zalloc(sizeof *l))) return error_nomem(err);
	st = decode(l, bytes, n_bytes, p.max_side, err);
	if (st == AKIN_OK) st = find(l, &p, err);
	if (st != AKIN_OK) {
		akin_local_free(l);
		return st;
	}
	if (!p.keep_picture) {
		mem_free(l->picture.rgb);
		l->picture.rgb = NULL;
	}
	*out = l;
	return AKIN_OK;
}

akin_status akin_local_read(akin_local **out, const char *path, const akin_local_params *params, akin_error *err)
{
	const struct image_limits limits = image_limits_or_default(NULL);
	struct buf file = BUF_EMPTY;
	akin_status st;

	error_clear(err);
	*out = NULL;
	if ((st = fs_read(path, limits.max_bytes, &file, err)) == AKIN_OK) {
		st = akin_local_read_bytes(out, file.data, file.len, params, err);
		error_note(err, st, "%s", path);
	}
	buf_deinit(&file);
	return st;
}

void akin_local_free(akin_local *local)
{
	if (!local) return;
	local_set_deinit(&local->set);
	picture_deinit(&local->picture);
	mem_free(local);
}

size_t akin_local_count(const akin_local *local)
{
	return local->set.n;
}

akin_local_feature akin_local_at(const akin_local *local, size_t i)
{
	const struct local_feature *f = &local->set.at[i];

	return (akin_local_feature){ f->x, f->y, f->scale, f->angle, f->response };
}

const unsigned char *akin_local_descriptor(const akin_local *local, size_t i, size_t *n_bytes)
{
	*n_bytes = local->set.bytes;
	return local->set.descriptors + i * local->set.bytes;
}

void akin_local_size(const akin_local *local, unsigned *width, unsigned *height)
{
	*width = local->picture.info.width;
	*height = local->picture.info.height;
}

/* ---- matches ---- */

/* Features of one point with several directions follow one another. */
static uint32_t *places_of(const struct local_set *set)
{
	uint32_t *place = mem_calloc(set->n + 1, sizeof *place);

	for (size_t i = 1; place && i < set->n; i++) {
		bool same = !(fabsf(set->at[i].x - set->at[i - 1].x) > 0) &&
		        !(fabsf(set->at[i].y - set->at[i - 1].y) > 0);
		place[i] = place[i - 1] + !same;
	}
	return place;
}

static struct match_rows rows_of(const struct local_set *set, const uint32_t *place)
{
	return (struct match_rows){ set->descriptors, set->n, set->bytes, set->kind == LOCAL_ORB, place };
}

static akin_status describe_alike(struct akin_match *m, double ratio, akin_error *err)
{
	uint32_t *place_a = places_of(&m->a->set), *place_b = places_of(&m->b->set);
	struct match_rows a = rows_of(&m->a->set, place_a), b = rows_of(&m->b->set, place_b);
	akin_status st = place_a && place_b ? AKIN_OK : error_nomem(err);

	if (st == AKIN_OK) st = match_rows(&a, &b, (float)ratio, &m->matches, &m->info.n_matches, err);
	mem_free(place_a);
	mem_free(place_b);
	return st;
}

/* Half of what a description looks at to either side: patches that near have most of their pixels in common. */
static double reach_of(const struct local_set *set, const struct local_feature *f)
{
	static const double patch[LOCAL_KINDS] = { [LOCAL_SIFT] = 6, [LOCAL_SURF] = 10, [LOCAL_ORB] = 15 };

	return patch[set->kind] * (double)f->scale / 2;
}

static struct verify_pair pair_of(const struct akin_match *m, const struct match *match)
{
	const struct local_feature *a = &m->a->set.at[match->a], *b = &m->b->set.at[match->b];

	return (struct verify_pair){
		.at = { (double)a->x, (double)a->y, (double)b->x, (double)b->y },
		.turn = (double)(b->angle - a->angle),
		.zoom = (double)(b->scale / a->scale),
		.quality = (double)match->ratio,
		.reach_a = reach_of(&m->a->set, a),
		.reach_b = reach_of(&m->b->set, b),
	};
}

static void tell(struct akin_match *m, const struct verify_result *r)
{
	akin_match_info *info = &m->info;

	info->found = r->found;
	info->model = (akin_match_model)r->model;
	info->n_inliers = r->n_inliers;
	info->log10_nfa = r->log10_nfa;
	info->precision = r->precision;
	info->has_box = r->has_box;
	memcpy(info->map, r->map, sizeof info->map);
	memcpy(info->box, r->box, sizeof info->box);
}

static akin_status agree(struct akin_match *m, const akin_match_params *p, akin_error *err)
{
	const struct verify_params params = {
		.model = (enum verify_model)p->model, .precision = p->precision, .rounds = p->rounds, .seed = p->seed,
		.width_a = m->a->picture.info.width, .height_a = m->a->picture.info.height,
		.width_b = m->b->picture.info.width, .height_b = m->b->picture.info.height,
	};
	struct verify_pair *pairs = mem_alloc((m->info.n_matches + 1) * sizeof *pairs);
	struct verify_result result;
	akin_status st;

	m->inlier = mem_calloc(m->info.n_matches + 1, sizeof *m->inlier);
	if (!pairs || !m->inlier) {
		mem_free(pairs);
		return error_nomem(err);
	}
	for (size_t i = 0; i < m->info.n_matches; i++) pairs[i] = pair_of(m, &m->matches[i]);
	st = verify(pairs, m->info.n_matches, &params, &result, m->inlier, err);
	mem_free(pairs);
	if (st == AKIN_OK) tell(m, &result);
	return st;
}

akin_status akin_match_create(akin_match **out, const akin_local *a, const akin_local *b,
                              const akin_match_params *params,
                              akin_error *err)
{
	akin_match_params p = params ? *params : (akin_match_params){ 0 };
	struct akin_match *m;
	akin_status st;

	error_clear(err);
	*out = NULL;
	if (!(p.ratio >= 0 && p.ratio <= 1))
		return error_set(err, AKIN_ERR_INVALID, "a ratio of %g is not in 0..1", p.ratio);
	if (!(p.precision >= 0))
		return error_set(err, AKIN_ERR_INVALID, "a precision of %g pixels is below 0", p.precision);
	if (!(m = mem_zalloc(sizeof *m))) return error_nomem(err);
	m->a = a;
	m->b = b;
	st = describe_alike(m, p.ratio, err);
	if (st == AKIN_OK) st = agree(m, &p, err);
	if (st == AKIN_OK) *out = m;
	else akin_match_free(m);
	return st;
}

void akin_match_free(akin_match *match)
{
	if (!match) return;
	mem_free(match->matches);
	mem_free(match->inlier);
	mem_free(match);
}

const akin_match_info *akin_match_get(const akin_match *match)
{
	return &match->info;
}

akin_match_pair akin_match_at(const akin_match *match, size_t i)
{
	return (akin_match_pair){ match->matches[i].a, match->matches[i].b, match->inlier[i] };
}
