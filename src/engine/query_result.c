/* engine/query_result.c - from candidates to hits: what has a file to show, apart, together and in order.
 * SPDX-License-Identifier: Apache-2.0 */
#include "akin/result.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/date.h"
#include "base/fs.h"
#include "base/str.h"
#include "engine/asking.h"

/* DIVERSE_FROM: so many times k hits are looked at to choose k that differ. */
enum { DIVERSE_FROM = 5 };

/* A hit and what it owns. */
struct kept {
	akin_hit hit;
	char *path, *group;
	double *evidence;
	char **labels, **keywords;
	int64_t taken; /* by the camera's clock, else when the file was last written, by ours; seconds since 1970 without zone */
};

struct akin_result {
	struct kept *kept;
	size_t n, room;
	char **part; /* the query's parts in words */
	size_t n_parts;
	char *hint;
	akin_timings ms;
};

/* ---- the public side ---- */

size_t akin_result_count(const akin_result *result)
{
	return result->n;
}

const akin_hit *akin_result_hit(const akin_result *result, size_t i)
{
	return i < result->n ? &result->kept[i].hit : NULL;
}

size_t akin_result_n_parts(const akin_result *result)
{
	return result->n_parts;
}

const char *akin_result_part(const akin_result *result, size_t i)
{
	return i < result->n_parts ? result->part[i] : NULL;
}

const char *akin_result_hint(const akin_result *result)
{
	return result->hint;
}

const akin_timings *akin_result_timings(const akin_result *result)
{
	return &result->ms;
}

static void kept_deinit(struct kept *kept)
{
	for (size_t i = 0; kept->labels && i < kept->hit.n_labels; i++) mem_free(kept->labels[i]);
	for (size_t i = 0; kept->keywords && i < kept->hit.n_keywords; i++) mem_free(kept->keywords[i]);
	mem_free(kept->labels);
	mem_free(kept->keywords);
	mem_free(kept->path);
	mem_free(kept->group);
	mem_free(kept->evidence);
	*kept = (struct kept){ 0 };
}

void akin_result_free(akin_result *result)
{
	if (!result) return;
	result_empty(result);
	for (size_t i = 0; result->part && i < result->n_parts; i++) mem_free(result->part[i]);
	mem_free(result->part);
	mem_free(result->hint);
	mem_free(result->kept);
	mem_free(result);
}

/* ---- making one ---- */

static char *part_in_words(const struct part *part)
{
	switch (part->kind) {
	case PART_FILE:
	case PART_TEXT: return mem_strdup(part->text);
	case PART_ID: return str_printf("id:%lld", (long long)part->id);
	case PART_VECTOR: return mem_strdup("vector");
	default: return mem_strdup("picture");
	}
}

akin_status result_create(akin_result **out, const struct asking *a, size_t k, akin_error *err)
{
	akin_result *r = mem_zalloc(sizeof *r);
	bool failed = !r;

	*out = NULL;
	if (r) {
		r->room = a->params->diverse > 0 && k > 1 ? DIVERSE_FROM * k : k;
		r->kept = mem_calloc(r->room, sizeof *r->kept);
		r->n_parts = a->query->n;
		r->part = mem_calloc(r->n_parts, sizeof *r->part);
		r->hint = a->hint ? mem_strdup(a->hint) : NULL;
		failed = !r->kept || !r->part || (a->hint && !r->hint);
		for (size_t i = 0; i < r->n_parts && !failed; i++) failed = !(r->part[i] = part_in_words(&a->query->part[i]));
	}
	if (failed) {
		akin_result_free(r);
		return error_nomem(err);
	}
	*out = r;
	return AKIN_OK;
}

size_t result_room(const akin_result *r)
{
	return r->room;
}

void result_empty(akin_result *r)
{
	while (r->n) kept_deinit(&r->kept[--r->n]);
}

void result_set_timings(akin_result *r, const akin_timings *ms)
{
	r->ms = *ms;
}

/* ---- gathering ---- */

/* A present file of the picture, inside `in` when that is asked for. NULL: none. Foreign vectors have names only. */
static struct store_file *shown_file(struct store_file *files, size_t n, const char *in)
{
	size_t prefix = in ? strlen(in) : 0;

	for (size_t i = 0; i < n; i++) {
		const char *path = files[i].path;

		if (files[i].state != FILE_PRESENT) continue;
		if (!in || !strcmp(in, "/")) return &files[i];
		if (!strncmp(path, in, prefix) && (path[prefix] == '/' || path[prefix] == '\0')) return &files[i];
	}
	return NULL;
}

/* What our clock showed then. */
static int64_t clock_here(int64_t seconds)
{
	time_t then = (time_t)seconds;
	struct tm tm;

	return localtime_r(&then, &tm) ? date_seconds(&(struct date){ tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
	                                                              tm.tm_min, tm.tm_sec })
	                               : seconds;
}

static akin_status when_taken(const struct asking *a, struct kept *kept, akin_error *err)
{
	struct facts facts;
	akin_status st = store_facts_get(a->lib->store, kept->hit.id, &facts, err);

	if (st == AKIN_OK && facts.has_taken) kept->taken = facts.taken;
	if (st == AKIN_OK) facts_deinit(&facts);
	return st;
}

/* Its file's path and the picture's size. AKIN_ERR_NOT_FOUND: it has none to show, or was removed since the index was read. */
static akin_status find_file(const struct asking *a, struct kept *kept, akin_error *err)
{
	struct store_picture picture;
	struct store_file *files = NULL, *shown;
	size_t n = 0;
	akin_status st = store_picture_get(a->lib->store, kept->hit.id, &picture, err);

	if (st == AKIN_OK) st = store_files_of(a->lib->store, kept->hit.id, &files, &n, err);
	if (st != AKIN_OK) return st;
	if ((shown = shown_file(files, n, a->in))) {
		kept->path = shown->path;
		kept->taken = clock_here(shown->stamp.mtime_ns / 1000000000);
		shown->path = NULL;
		kept->hit.path = kept->path;
		kept->hit.width = picture.info.width;
		kept->hit.height = picture.info.height;
	}
	store_files_free(files, n);
	return shown ? AKIN_OK : AKIN_ERR_NOT_FOUND;
}

/* What each part did for the hit, and how far that is. */
static akin_status explain(const struct asking *a, const struct pool *pool, size_t row, struct kept *kept, akin_error *err)
{
	const float *distance = pool->distance + row * pool->n_terms;
	double *share = mem_calloc(a->n_terms, sizeof *share), weight = 0;

	kept->evidence = mem_calloc(a->query->n, sizeof *kept->evidence);
	kept->hit.evidence = kept->evidence;
	if (!share || !kept->evidence) {
		mem_free(share);
		return error_nomem(err);
	}
	rank_value(a->weigher, a->n_terms, pool->evidence + row * pool->n_terms, share);
	for (size_t t = 0; t < a->n_terms; t++) {
		kept->evidence[a->term[t].part] += share[t];
		if (!term_is_wanted(&a->term[t])) continue;
		weight += a->term[t].weight;
		kept->hit.distance += a->term[t].weight * (double)distance[t];
	}
	kept->hit.distance /= weight;
	mem_free(share);
	return AKIN_OK;
}

static akin_status gather_one(const struct asking *a, const struct pool *pool, const struct ranked *item, double score,
                              struct kept *kept, akin_error *err)
{
	akin_status st;

	*kept = (struct kept){ .hit = { .id = item->id, .score = score } };
	st = find_file(a, kept, err);
	if (st == AKIN_OK) st = explain(a, pool, item->row, kept, err);
	if (st != AKIN_OK) kept_deinit(kept);
	return st;
}

/* Whether the part that a term stands for is there: its meaning stands out, or some picture has all its words. Where no
 * meaning was asked, one word is enough. */
static bool fits(const struct asking *a, const struct pool *pool, size_t t)
{
	const struct term *term = &a->term[t];

	if (!term->space) return term->all_words || (!term->more && term->n_worded);
	for (size_t i = 0; i < pool->n; i++)
		if ((double)pool->distance[i * pool->n_terms + t] <= term->stands_out) return true;
	return false;
}

/* The least score of a hit; above 1 where texts are all that is asked and none of them fits. */
static double least_score(const struct asking *a, const struct pool *pool)
{
	bool fit = false;

	if (a->params->threshold > 0 || a->params->all) return a->params->threshold;
	for (size_t t = 0; t < a->n_terms; t++) {
		if (a->query->part[a->term[t].part].kind != PART_TEXT) return 0;
		fit = fit || (term_is_wanted(&a->term[t]) && fits(a, pool, t));
	}
	return fit ? AKIN_FIT : 2;
}

akin_status result_gather(akin_result *r, const struct asking *a, const struct pool *pool, bool *below, akin_error *err)
{
	double least = least_score(a, pool);
	akin_status st = AKIN_OK;

	*below = false;
	for (size_t i = 0; i < pool->n && r->n < r->room && st == AKIN_OK; i++) {
		double score = pool_score(pool, a, i);

		if (score < least) {
			*below = true;
			break;
		}
		st = gather_one(a, pool, &pool->item[i], score, &r->kept[r->n], err);
		if (st == AKIN_OK) r->n++;
		else if (st == AKIN_ERR_NOT_FOUND) st = AKIN_OK;
	}
	if (st == AKIN_OK) error_clear(err);
	return st;
}

/* ---- choosing hits that differ ---- */

struct rows {
	const akin_result *r;
	const struct akin_library *lib;
	float *row; /* of each hit */
};

static double likeness(void *ctx, size_t i, size_t j)
{
	const struct rows *rows = ctx;
	const struct akin_library *lib = rows->lib;
	const float *x = rows->row + i * lib->dim, *y = rows->row + j * lib->dim;

	return scale_score(&lib->vectors.scale, (double)vectors_distance(lib->metric, x, y, lib->dim));
}

static akin_status choose(akin_result *r, const struct asking *a, size_t k, akin_error *err)
{
	struct rows rows = { r, a->lib, mem_calloc(r->n, a->lib->dim * sizeof *rows.row) };
	double *score = mem_calloc(r->n, sizeof *score);
	size_t *order = mem_calloc(k, sizeof *order);
	struct kept *chosen = mem_calloc(r->room, sizeof *chosen);
	akin_status st = rows.row && score && order && chosen ? AKIN_OK : error_nomem(err);

	for (size_t i = 0; i < r->n && st == AKIN_OK; i++) {
		score[i] = r->kept[i].hit.score;
		st = index_get(a->lib->vectors.index, r->kept[i].hit.id, rows.row + i * a->lib->dim, err);
	}
	if (st == AKIN_OK) st = rank_diverse(score, r->n, k, a->params->diverse, likeness, &rows, order, err);
	if (st == AKIN_OK) {
		for (size_t i = 0; i < k; i++) {
			chosen[i] = r->kept[order[i]];
			r->kept[order[i]] = (struct kept){ 0 };
		}
		result_empty(r);
		memcpy(r->kept, chosen, k * sizeof *chosen);
		r->n = k;
	}
	mem_free(rows.row);
	mem_free(score);
	mem_free(order);
	mem_free(chosen);
	return st;
}

/* ---- arranging ---- */

static int newest_first(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	if (x->taken != y->taken) return x->taken > y->taken ? -1 : 1;
	return x->hit.rank < y->hit.rank ? -1 : 1;
}

/* By the group's first hit, then as before. While this sorts, `rank` of a hit is that of its group's first. */
struct placed {
	struct kept kept;
	size_t group_rank, rank;
};

static int by_group(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	if (x->group_rank != y->group_rank) return x->group_rank < y->group_rank ? -1 : 1;
	return x->rank < y->rank ? -1 : 1;
}

static char *group_of(const struct kept *kept, akin_group group)
{
	struct date day = date_of(kept->taken);

	if (group == AKIN_GROUP_FOLDER) return fs_dirname(kept->path);
	return str_printf("%04d-%02d-%02d", day.year, day.month, day.day);
}

static akin_status group(akin_result *r, akin_group how, akin_error *err)
{
	struct placed *placed = mem_calloc(r->n, sizeof *placed);

	if (!placed) return error_nomem(err);
	for (size_t i = 0; i < r->n; i++) {
		struct kept *kept = &r->kept[i];

		if (!(kept->group = group_of(kept, how))) {
			mem_free(placed);
			return error_nomem(err);
		}
		kept->hit.group = kept->group;
		placed[i] = (struct placed){ *kept, i, i };
		for (size_t j = 0; j < i; j++)
			if (!strcmp(placed[j].kept.group, kept->group)) {
				placed[i].group_rank = placed[j].group_rank;
				break;
			}
	}
	if (r->n) qsort(placed, r->n, sizeof *placed, by_group);
	for (size_t i = 0; i < r->n; i++) r->kept[i] = placed[i].kept;
	mem_free(placed);
	return AKIN_OK;
}

/* ---- what the model calls them ---- */

struct names {
	char **name;
	size_t n, capacity;
	bool failed;
};

static int take_name(void *ctx, const struct store_named_label *label)
{
	struct names *names = ctx;
	char **moved = mem_grow(names->name, &names->capacity, names->n, sizeof *moved);

	names->failed = true;
	if (!moved) return 1;
	names->name = moved;
	if (!(names->name[names->n] = str_printf("%.*s", (int)strcspn(label->name, "|\t"), label->name))) return 1;
	names->n++;
	names->failed = false;
	return 0;
}

static void names_deinit(struct names *names)
{
	for (size_t i = 0; i < names->n; i++) mem_free(names->name[i]);
	mem_free(names->name);
}

/* The names of the query's wanted pictures that the library knows. */
static akin_status names_of_query(const struct asking *a, struct names *names, akin_error *err)
{
	akin_status st = AKIN_OK;

	for (size_t t = 0; t < a->n_terms && st == AKIN_OK; t++) {
		if (!a->term[t].id || !term_is_wanted(&a->term[t])) continue;
		st = store_labels_of(a->lib->store, a->term[t].id, take_name, names, err);
	}
	return st == AKIN_OK && names->failed ? error_nomem(err) : st;
}

static bool has_name(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (!strcmp(names->name[i], name)) return true;
	return false;
}

static akin_status label(akin_result *r, const struct asking *a, akin_error *err)
{
	struct names asked = { 0 };
	akin_status st = names_of_query(a, &asked, err);

	for (size_t i = 0; i < r->n && st == AKIN_OK; i++) {
		struct kept *kept = &r->kept[i];
		struct names own = { 0 };

		st = store_labels_of(a->lib->store, kept->hit.id, take_name, &own, err);
		if (st == AKIN_OK && own.failed) st = error_nomem(err);
		if (st != AKIN_OK) {
			names_deinit(&own);
			break;
		}
		kept->labels = own.name;
		for (size_t j = 0; j < own.n; j++) {
			if (!has_name(&asked, own.name[j])) mem_free(own.name[j]);
			else kept->labels[kept->hit.n_labels++] = own.name[j];
		}
		kept->hit.labels = (const char *const *)kept->labels;
	}
	names_deinit(&asked);
	return st;
}

/* ---- which words they were found with ---- */

struct word_sink {
	akin_result *r;
	bool failed;
};

static bool has_keyword(const struct kept *kept, const char *word)
{
	for (size_t i = 0; i < kept->hit.n_keywords; i++)
		if (!strcmp(kept->keywords[i], word)) return true;
	return false;
}

static bool add_keywords(struct kept *kept, const struct store_keyword_hit *hit)
{
	char **moved = mem_realloc(kept->keywords, (kept->hit.n_keywords + hit->n_terms) * sizeof *moved);

	if (!moved) return false;
	kept->keywords = moved;
	kept->hit.keywords = (const char *const *)moved;
	for (size_t i = 0; i < hit->n_terms; i++) {
		if (has_keyword(kept, hit->terms[i])) continue;
		if (!(moved[kept->hit.n_keywords] = mem_strdup(hit->terms[i]))) return false;
		kept->hit.n_keywords++;
	}
	return true;
}

static int take_words(void *ctx, const struct store_keyword_hit *hit)
{
	struct word_sink *sink = ctx;

	for (size_t i = 0; i < sink->r->n && !sink->failed; i++)
		if (sink->r->kept[i].hit.id == hit->picture_id) sink->failed = !add_keywords(&sink->r->kept[i], hit);
	return sink->failed;
}

static akin_status name_keywords(akin_result *r, const struct asking *a, akin_error *err)
{
	struct word_sink sink = { r, false };
	akin_status st = AKIN_OK;

	for (size_t t = 0; t < a->n_terms && st == AKIN_OK; t++)
		if (!a->term[t].space)
			st = store_keywords_search(a->lib->store, a->query->part[a->term[t].part].text, KEYWORDS_ANY, 0, take_words,
			                           &sink, err);
	return st == AKIN_OK && sink.failed ? error_nomem(err) : st;
}

akin_status result_arrange(akin_result *r, const struct asking *a, size_t k, akin_error *err)
{
	bool by_time = a->params->sort == AKIN_SORT_TAKEN || a->params->group == AKIN_GROUP_DAY;
	akin_status st = AKIN_OK;

	if (a->params->diverse > 0 && r->n > 1) st = choose(r, a, k < r->n ? k : r->n, err);
	for (size_t i = 0; i < r->n; i++) r->kept[i].hit.rank = i + 1;
	for (size_t i = 0; by_time && i < r->n && st == AKIN_OK; i++) st = when_taken(a, &r->kept[i], err);
	if (a->params->sort == AKIN_SORT_TAKEN && r->n) qsort(r->kept, r->n, sizeof *r->kept, newest_first);
	if (st == AKIN_OK && a->params->group != AKIN_GROUP_NONE) st = group(r, a->params->group, err);
	if (st == AKIN_OK && a->params->why) st = label(r, a, err);
	if (st == AKIN_OK && a->params->why) st = name_keywords(r, a, err);
	return st;
}
