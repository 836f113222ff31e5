/* engine/facts.c - facts and tags of pictures, for the public interface.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "akin/tag.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/date.h"
#include "base/str.h"
#include "engine/engine.h"

static const char *const colour_names[COLOURS] = { "black", "grey", "white", "red", "orange", "yellow", "green", "blue",
	                                           "purple", "pink", "brown" };

/* ---- a picture's facts ---- */

static char *time_text(const struct facts *f)
{
	const struct date d = date_of(f->taken);
	const int zone = f->zone_minutes < 0 ? -f->zone_minutes : f->zone_minutes;
	char suffix[16] = "";

	if (f->has_zone) snprintf(suffix, sizeof suffix, "%c%02d:%02d", f->zone_minutes < 0 ? '-' : '+', zone / 60 % 100, zone % 60);
	return str_printf("%04d-%02d-%02dT%02d:%02d:%02d%s", d.year, d.month, d.day, d.hour, d.minute, d.second, suffix);
}

static bool split_lines(const char *lines, char ***out, size_t *n)
{
	size_t capacity = 0;

	for (size_t len; lines && *lines; lines += len + (lines[len] == '\n')) {
		char **moved = mem_grow(*out, &capacity, *n, sizeof *moved);

		len = strcspn(lines, "\n");
		if (!moved) return false;
		*out = moved;
		if (!(moved[*n] = str_printf("%.*s", (int)len, lines))) return false;
		++*n;
	}
	return true;
}

static bool take_texts(struct facts *f, akin_picture *out)
{
	char **const to[FACT_TEXTS] = { [FACT_MAKE] = &out->camera_make, [FACT_MODEL] = &out->camera_model,
		                        [FACT_LENS] = &out->lens, [FACT_TITLE] = &out->title,
		                        [FACT_CAPTION] = &out->caption, [FACT_CREATOR] = &out->creator,
		                        [FACT_SIDECAR] = &out->sidecar };

	for (int i = 0; i < FACT_TEXTS; i++) {
		if (!to[i]) continue;
		*to[i] = f->text[i];
		f->text[i] = NULL;
	}
	return split_lines(f->text[FACT_KEYWORDS], &out->keywords, &out->n_keywords);
}

static bool take_numbers(const struct facts *f, akin_picture *out)
{
	out->latitude = f->has_place ? f->latitude : NAN;
	out->longitude = f->has_place ? f->longitude : NAN;
	out->altitude = f->has_altitude ? f->altitude : NAN;
	out->rating = f->has_rating ? f->rating : AKIN_RATING_UNKNOWN;
	out->is_grey = f->has_palette ? f->grey : -1;
	if (f->n_palette && !(out->colours = mem_calloc(f->n_palette, sizeof *out->colours))) return false;
	for (out->n_colours = 0; out->n_colours < f->n_palette; out->n_colours++) {
		const struct swatch *s = &f->palette[out->n_colours];
		akin_colour *c = &out->colours[out->n_colours];

		*c = (akin_colour){ .name = colour_names[s->colour], .percent = s->percent };
		snprintf(c->hex, sizeof c->hex, "#%02x%02x%02x", s->rgb[0], s->rgb[1], s->rgb[2]);
	}
	return !f->has_taken || (out->taken = time_text(f));
}

struct tag_sink {
	akin_picture *picture;
	size_t capacity;
	bool failed;
};

static int take_tag(void *ctx, const char *name)
{
	struct tag_sink *sink = ctx;
	char **moved = mem_grow(sink->picture->tags, &sink->capacity, sink->picture->n_tags, sizeof *moved);

	sink->failed = true;
	if (!moved) return 1;
	sink->picture->tags = moved;
	if (!(moved[sink->picture->n_tags] = mem_strdup(name))) return 1;
	sink->picture->n_tags++;
	sink->failed = false;
	return 0;
}

akin_status facts_fill(struct akin_library *lib, akin_picture *out, akin_error *err)
{
	struct tag_sink sink = { .picture = out };
	struct facts facts;
	akin_status st = store_facts_get(lib->store, out->id, &facts, err);

	if (st != AKIN_OK) return st;
	if (!take_numbers(&facts, out) || !take_texts(&facts, out)) st = error_nomem(err);
	if (st == AKIN_OK) st = store_tags_of(lib->store, out->id, take_tag, &sink, err);
	if (st == AKIN_OK && sink.failed) st = error_nomem(err);
	facts_deinit(&facts);
	return st;
}

static void free_all(char **texts, size_t n)
{
	for (size_t i = 0; i < n; i++) mem_free(texts[i]);
	mem_free(texts);
}

void facts_release(akin_picture *p)
{
	char *const texts[] = { p->taken, p->camera_make, p->camera_model, p->lens, p->title, p->caption, p->creator, p->sidecar };

	for (size_t i = 0; i < COUNT(texts); i++) mem_free(texts[i]);
	free_all(p->keywords, p->n_keywords);
	free_all(p->tags, p->n_tags);
	mem_free(p->colours);
}

/* ---- tags ---- */

static akin_status set_tag(akin_library *lib, const char *tag, bool present, const akin_id *ids, size_t n_ids, uint64_t *n,
                           akin_error *err)
{
	uint64_t unasked;
	akin_status st;

	if (!n) n = &unasked;
	*n = 0;
	error_clear(err);
	if ((st = library_need_writable(lib, err)) != AKIN_OK || (st = store_begin(lib->store, err)) != AKIN_OK) return st;
	for (size_t i = 0; i < n_ids && st == AKIN_OK; i++) {
		bool changed;

		st = store_tag_set(lib->store, ids[i], tag, present, &changed, err);
		*n += changed;
	}
	if (st == AKIN_OK) st = store_commit(lib->store, err);
	else store_rollback(lib->store);
	if (st != AKIN_OK) *n = 0;
	return st;
}

akin_status akin_tag_add(akin_library *lib, const char *tag, const akin_id *ids, size_t n_ids, uint64_t *n, akin_error *err)
{
	return set_tag(lib, tag, true, ids, n_ids, n, err);
}

akin_status akin_tag_remove(akin_library *lib, const char *tag, const akin_id *ids, size_t n_ids, uint64_t *n, akin_error *err)
{
	return set_tag(lib, tag, false, ids, n_ids, n, err);
}

akin_status akin_tag_list(akin_library *lib, int (*each)(void *user, const char *tag, uint64_t pictures), void *user,
                          akin_error *err)
{
	error_clear(err);
	return store_tags(lib->store, each, user, err);
}
