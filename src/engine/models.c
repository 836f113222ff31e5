/* engine/models.c - where models lie, and the public functions on them.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "akin/model.h"

#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "engine/engine.h"
#include "feature/text_encoder.h"
#include "feature/text_tower.h"

const char models_default_name[] = "efficientnet-lite1-int8";

enum { MAX_PLACES = 8 };

struct places {
	char *dir[MAX_PLACES];
	size_t n;
};

static void add_place(struct places *places, char *dir)
{
	if (dir && fs_is_dir(dir) && places->n < MAX_PLACES) places->dir[places->n++] = dir;
	else mem_free(dir);
}

static void add_below(struct places *places, char *base, const char *below)
{
	if (base) add_place(places, fs_join(base, below));
	mem_free(base);
}

/* In order of precedence: what the caller names, what the environment names, the user's own, the installation's. */
static void find_places(struct places *places, const char *models_dir)
{
	const char *environment = getenv("AKIN_MODELS");

	*places = (struct places){ 0 };
	if (models_dir) {
		add_place(places, mem_strdup(models_dir));
		return;
	}
	if (environment && *environment) add_place(places, mem_strdup(environment));
	add_below(places, fs_xdg("DATA"), "models");
	add_below(places, fs_program_dir(false), "../share/akin/models");
	add_below(places, fs_program_dir(true), "../share/akin/models");
	add_below(places, fs_program_dir(true), "../../share/akin/models"); /* lib/TRIPLET/ */
	add_place(places, mem_strdup(AKIN_DATADIR "/models"));
	add_place(places, mem_strdup(AKIN_SOURCE_MODELS));
}

static void free_places(struct places *places)
{
	for (size_t i = 0; i < places->n; i++) mem_free(places->dir[i]);
}

char *models_cache_dir(const char *wanted)
{
	char *base, *dir;

	if (wanted) return *wanted ? mem_strdup(wanted) : NULL;
	base = fs_xdg("CACHE");
	dir = base ? fs_join(base, "models") : NULL;
	mem_free(base);
	return dir;
}

akin_status models_find(const char *name, const char *models_dir, struct model_card *card, akin_error *err)
{
	struct places places;
	akin_status st = AKIN_ERR_NOT_FOUND;

	*card = (struct model_card){ 0 };
	if (strchr(name, '/')) return model_card_read(card, name, err);
	find_places(&places, models_dir);
	error_set(err, st, "there is no model \"%s\"; `akin models` lists what there is", name);
	for (size_t i = 0; i < places.n && st == AKIN_ERR_NOT_FOUND; i++) {
		char *dir = fs_join(places.dir[i], name), *path = dir ? fs_join(dir, "card.json") : NULL;

		if (!path) st = error_nomem(err);
		else if (fs_exists(path)) st = model_card_read(card, path, err);
		mem_free(path);
		mem_free(dir);
	}
	free_places(&places);
	return st;
}

/* ---- alignments ---- */

/* Whether the folder holds an alignment of this picture model. */
static bool aligns(const char *dir, const char *picture_model)
{
	char *path = fs_join(dir, "alignment.json");
	json_t *card = path && fs_exists(path) ? json_load_file(path, JSON_REJECT_DUPLICATES, NULL) : NULL;
	const char *name = json_string_value(json_object_get(json_object_get(card, "picture_model"), "name"));
	bool found = name && !strcmp(name, picture_model);

	json_decref(card);
	mem_free(path);
	return found;
}

/* The first by name, so that it does not depend on the order of a folder's entries. */
static char *alignment_in(const char *place, const char *picture_model)
{
	char *best = NULL;
	struct dirent *entry;
	DIR *d = opendir(place);

	while (d && (entry = readdir(d))) {
		char *dir = entry->d_name[0] == '.' ? NULL : fs_join(place, entry->d_name);

		if (dir && (!best || strcmp(dir, best) < 0) && aligns(dir, picture_model)) {
			mem_free(best);
			best = dir;
		} else {
			mem_free(dir);
		}
	}
	if (d) closedir(d);
	return best;
}

char *models_find_alignment(const char *picture_model, const char *models_dir)
{
	struct places places;
	char *found = NULL;

	find_places(&places, models_dir);
	for (size_t i = 0; i < places.n && !found; i++) found = alignment_in(places.dir[i], picture_model);
	free_places(&places);
	return found;
}

/* ---- listing ---- */

struct listed_model {
	struct model_card card;
	char *model_path;
	akin_model_info info;
};

struct akin_model_list {
	struct listed_model *model;
	size_t n, capacity;
};

static const char *metric_name(enum metric metric)
{
	return metric == METRIC_L2 ? "l2" : metric == METRIC_IP ? "ip" : metric == METRIC_HAMMING ? "hamming" : "cosine";
}

static akin_status describe(struct listed_model *m, akin_error *err)
{
	const struct model_card *card = &m->card;

	if (!(m->model_path = model_card_path_of(card, card->file))) return error_nomem(err);
	m->info = (akin_model_info){
		.name = card->name, .title = card->title ? card->title : card->name, .source = card->source,
		.licence = card->licence, .card_path = card->path, .model_path = m->model_path,
		.metric = metric_name(card->metric), .width = card->recipe.width, .height = card->recipe.height,
		.dim = card->dim, .text_length = card->text.file ? card->text.length : 0,
		.is_default = !strcmp(card->name, models_default_name),
	};
	for (size_t i = 0; i < card->n_files; i++) {
		char *path = model_card_path_of(card, card->files[i].name);
		if (!path) return error_nomem(err);
		m->info.bytes += fs_size(path);
		mem_free(path);
	}
	return AKIN_OK;
}

static bool is_listed(const akin_model_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->model[i].card.name, name)) return true;
	return false;
}

static akin_status add_model(akin_model_list *list, const char *path,
                             void (*on_bad)(void *user, const char *card_path, const char *reason), void *user,
                             akin_error *err)
{
	struct listed_model *moved = mem_grow(list->model, &list->capacity, list->n, sizeof *list->model), *m;
	akin_error cause;
	akin_status st;

	if (!moved) return error_nomem(err);
	list->model = moved;
	m = &list->model[list->n];
	*m = (struct listed_model){ 0 };
	st = model_card_read(&m->card, path, &cause);
	if (st == AKIN_ERR_NOMEM) return error_nomem(err);
	if (st != AKIN_OK) {
		if (on_bad) on_bad(user, path, cause.text);
		return AKIN_OK;
	}
	if (is_listed(list, m->card.name)) { /* an earlier place hides it */
		model_card_deinit(&m->card);
		return AKIN_OK;
	}
	list->n++;
	return describe(m, err);
}

static akin_status add_models_of(akin_model_list *list, const char *dir,
                                 void (*on_bad)(void *user, const char *card_path, const char *reason), void *user,
                                 akin_error *err)
{
	akin_status st = AKIN_OK;
	struct dirent *entry;
	DIR *d = opendir(dir);

	while (d && st == AKIN_OK && (entry = readdir(d))) {
		char *sub = entry->d_name[0] == '.' ? NULL : fs_join(dir, entry->d_name);
		char *path = sub ? fs_join(sub, "card.json") : NULL;

		if (path && fs_exists(path)) st = add_model(list, path, on_bad, user, err);
		mem_free(path);
		mem_free(sub);
	}
	if (d) closedir(d);
	return st;
}

static int by_model_name(const void *a, const void *b)
{
	return strcmp(((const struct listed_model *)a)->card.name, ((const struct listed_model *)b)->card.name);
}

akin_status akin_models_list(akin_model_list **out, const char *models_dir,
                             void (*on_bad)(void *user, const char *card_path, const char *reason), void *user,
                             akin_error *err)
{
	struct places places;
	akin_model_list *list = mem_zalloc(sizeof *list);
	akin_status st = AKIN_OK;

	*out = NULL;
	error_clear(err);
	if (!list) return error_nomem(err);
	find_places(&places, models_dir);
	for (size_t i = 0; i < places.n && st == AKIN_OK; i++)
		st = add_models_of(list, places.dir[i], on_bad, user, err);
	free_places(&places);
	if (st != AKIN_OK) {
		akin_model_list_free(list);
		return st;
	}
	if (list->n) qsort(list->model, list->n, sizeof *list->model, by_model_name);
	*out = list;
	return AKIN_OK;
}

size_t akin_model_list_count(const akin_model_list *list)
{
	return list->n;
}

const akin_model_info *akin_model_list_get(const akin_model_list *list, size_t i)
{
	return i < list->n ? &list->model[i].info : NULL;
}

void akin_model_list_free(akin_model_list *list)
{
	if (!list) return;
	for (size_t i = 0; i < list->n; i++) {
		model_card_deinit(&list->model[i].card);
		mem_free(list->model[i].model_path);
	}
	mem_free(list->model);
	mem_free(list);
}

/* ---- verifying and adding ---- */

static akin_status try_encoder(const struct model_card *card, akin_error *err)
{
	struct text_encoder *encoder;
	akin_status st = text_encoder_open(&encoder, card->path, err);
	float *vector = st == AKIN_OK ? mem_calloc(card->dim, sizeof *vector) : NULL;

	if (st == AKIN_OK) st = vector ? text_encode(encoder, "a", 1, vector, err) : error_nomem(err);
	mem_free(vector);
	text_encoder_close(encoder);
	return st;
}

/* Run once on grey: a model whose output has another size than its card says is found now, not in the first index. */
static akin_status try_picture(const struct model_card *card, akin_error *err)
{
	struct embedder e = { 0 };
	struct infer_slot *slot = NULL;
	struct embedding got = { 0 };
	akin_status st = embedder_open(&e, card, INFER_LATENCY, 1, NULL, err);

	if (st == AKIN_OK) st = infer_slot_create(&slot, e.session, err);
	if (st == AKIN_OK) {
		memset(infer_slot_input(slot), 127, (size_t)card->recipe.width * card->recipe.height * 3);
		st = infer_slot_run(slot, err);
	}
	if (st == AKIN_OK) st = embed_collect(&e, slot, &got, err);
	embedding_deinit(&got);
	infer_slot_destroy(slot);
	embedder_close(&e);
	return st;
}

static akin_status try_tower(const struct model_card *card, akin_error *err)
{
	static const char sentence[] = "a photo of a cat";
	struct text_tower *tower = NULL;
	float *vector = mem_alloc(card->dim * sizeof *vector);
	akin_status st = vector ? text_tower_open(&tower, card, 1, NULL, err) : error_nomem(err);

	if (st == AKIN_OK)
		st = error_note(err, text_tower_encode(tower, sentence, sizeof sentence - 1, vector, err), "its text tower");
	text_tower_close(tower);
	mem_free(vector);
	return st;
}

static akin_status verify_card(const struct model_card *card, akin_error *err)
{
	struct labels labels = { 0 };
	char *path = model_card_path_of(card, card->labels);
	akin_status st = model_card_verify_files(card, err);

	if (st == AKIN_OK && path) st = labels_read(&labels, path, err);
	labels_deinit(&labels);
	mem_free(path);
	if (st != AKIN_OK) return st;
	if (card->kind == CARD_TEXT) return try_encoder(card, err);
	st = try_picture(card, err);
	return st == AKIN_OK && model_card_has_text(card) ? try_tower(card, err) : st;
}

akin_status akin_model_verify(const char *name_or_card, const char *models_dir, akin_error *err)
{
	struct model_card card;
	akin_status st = models_find(name_or_card, models_dir, &card, err);

	error_clear(st == AKIN_OK ? err : NULL);
	if (st == AKIN_OK) st = error_note(err, verify_card(&card, err), "model %s", card.name);
	model_card_deinit(&card);
	return st;
}

akin_status akin_model_review(const char *card_path,
                              void (*on_mistake)(void *user, const char *member, const char *what, const char *example),
                              void *user, akin_error *err)
{
	akin_status st = model_card_review(card_path, on_mistake, user, err);

	if (st == AKIN_OK) error_clear(err);
	return st;
}

static akin_status copy_file(const char *from, const char *to, akin_error *err)
{
	struct fs_map map;
	akin_status st = fs_map_open(&map, from, err);
	char *dir = fs_dirname(to);

	if (st == AKIN_OK) st = dir ? fs_mkdirs(dir, err) : error_nomem(err);
	if (st == AKIN_OK) st = fs_write(to, map.bytes, map.n, err);
	fs_map_close(&map);
	mem_free(dir);
	return st;
}

static akin_status copy_named(const struct model_card *card, const char *name, const char *to, akin_error *err)
{
	char *from = model_card_path_of(card, name), *path = fs_join(to, name);
	akin_status st = from && path ? copy_file(from, path, err) : error_nomem(err);

	mem_free(from);
	mem_free(path);
	return st;
}

static bool has_sum(const struct model_card *card, const char *name)
{
	for (size_t i = 0; i < card->n_files; i++)
		if (!strcmp(card->files[i].name, name)) return true;
	return false;
}

/* The files first, the card last: a folder without a card is no model, so a crash in between leaves nothing half there. */
static akin_status copy_model(const struct model_card *card, const char *to, akin_error *err)
{
	akin_status st = AKIN_OK;

	for (size_t i = 0; i < card->n_files && st == AKIN_OK; i++) st = copy_named(card, card->files[i].name, to, err);
	if (st == AKIN_OK && card->labels && !has_sum(card, card->labels)) st = copy_named(card, card->labels, to, err);
	if (st == AKIN_OK) {
		char *path = fs_join(to, "card.json");
		st = path ? copy_file(card->path, path, err) : error_nomem(err);
		mem_free(path);
	}
	return st;
}

akin_status akin_model_add(const char *card_path, akin_error *err)
{
	struct model_card card;
	char *base = fs_xdg("DATA"), *models = base ? fs_join(base, "models") : NULL, *to = NULL;
	akin_status st = model_card_read(&card, card_path, err);

	if (st != AKIN_OK) goto out;
	error_clear(err);
	if (!models) {
		st = error_set(err, AKIN_ERR_INVALID, "neither XDG_DATA_HOME nor HOME is set: there is no folder for models");
		goto out;
	}
	if ((st = verify_card(&card, err)) != AKIN_OK) goto out;
	if (!(to = fs_join(models, card.name))) st = error_nomem(err);
	else st = copy_model(&card, to, err);
out:
	model_card_deinit(&card);
	mem_free(to);
	mem_free(models);
	mem_free(base);
	return error_note(err, st, "adding the model %s", card_path);
}
