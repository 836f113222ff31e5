/* engine/library.c - opening a library, and what is in it.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "akin/library.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "engine/engine.h"

char *library_path(const struct akin_library *lib, const char *name)
{
	return fs_join(lib->dir, name);
}

akin_status library_need_card(const struct akin_library *lib, akin_error *err)
{
	if (lib->has_card) return AKIN_OK;
	return error_set(err, AKIN_ERR_NOT_FOUND,
	                 "this library's vectors come from the model \"%s\", which is not installed: only stored pictures "
	                 "and vectors can be compared (`akin models` lists models)",
	                 lib->model_name);
}

akin_status library_need_writable(const struct akin_library *lib, akin_error *err)
{
	if (!(lib->flags & AKIN_OPEN_READONLY)) return AKIN_OK;
	return error_set(err, AKIN_ERR_INVALID, "the library %s was opened for reading only", lib->dir);
}

/* ---- opening ---- */

/* The model in force: the caller's, else the one that the library was made with, else the default. */
static akin_status choose_model(struct akin_library *lib, const char *wanted, akin_error *err)
{
	struct store_model stored = { 0 };
	char *remembered = NULL;
	akin_status st = AKIN_OK;
	const char *name;

	if ((st = store_setting_get(lib->store, "model", &remembered, err)) != AKIN_OK) return st;
	name = wanted ? wanted : remembered ? remembered : models_default_name;
	st = models_find(name, lib->models_dir, &lib->card, err);
	lib->has_card = st == AKIN_OK;
	if (lib->has_card && lib->card.kind != CARD_PICTURE)
		st = error_set(err, AKIN_ERR_INVALID, "the model \"%s\" reads text, not pictures", name);
	if (st == AKIN_OK) {
		lib->model_name = mem_strdup(lib->card.name);
		memcpy(lib->model_hash, lib->card.hash, HASH_BYTES);
		lib->dim = lib->card.dim;
		lib->metric = lib->card.metric;
	} else if (st == AKIN_ERR_NOT_FOUND && store_model_find(lib->store, name, &stored, NULL) == AKIN_OK) {
		st = AKIN_OK; /* foreign vectors, or a model that was removed since */
		lib->model_name = mem_strdup(stored.name);
		memcpy(lib->model_hash, stored.hash, HASH_BYTES);
		lib->dim = stored.dim;
		lib->metric = stored.metric;
	}
	if (st == AKIN_OK && !lib->model_name) st = error_nomem(err);
	store_model_deinit(&stored);
	mem_free(remembered);
	return st;
}

/* The store's id of the model in force, if the store has met it. */
static akin_status find_model_id(struct akin_library *lib, akin_error *err)
{
	struct store_model *models;
	size_t n;
	akin_status st = store_models(lib->store, &models, &n, err);

	lib->model_id = 0;
	if (st != AKIN_OK) return st;
	for (size_t i = 0; i < n; i++)
		if (!memcmp(models[i].hash, lib->model_hash, HASH_BYTES)) lib->model_id = models[i].id;
	store_models_free(models, n);
	return AKIN_OK;
}

/* Who reads a library of an older akin need not know that its tables have to change first. */
static bool bring_up_to_date(const char *path)
{
	struct store *store;
	bool done = store_open(&store, path, STORE_WRITE, NULL) == AKIN_OK;

	store_close(store);
	return done;
}

static akin_status open_store(struct akin_library *lib, akin_error *err)
{
	enum store_mode mode = lib->flags & AKIN_OPEN_READONLY ? STORE_READ
	                     : lib->flags & AKIN_OPEN_CREATE   ? STORE_CREATE
	                                                       : STORE_WRITE;
	char *path = library_path(lib, "store.sqlite"), *index = library_path(lib, "index");
	akin_status st = AKIN_OK;

	if (!path || !index) {
		st = error_nomem(err);
	} else if (!fs_exists(path) && mode != STORE_CREATE) {
		st = error_set(err, AKIN_ERR_NOT_FOUND, "there is no library at %s yet: `akin index FOLDER` makes one", lib->dir);
	} else {
		if (mode == STORE_CREATE) st = fs_mkdirs(index, err);
		if (st == AKIN_OK) st = store_open(&lib->store, path, mode, err);
		if (st == AKIN_ERR_UNSUPPORTED && mode == STORE_READ && bring_up_to_date(path))
			st = store_open(&lib->store, path, mode, err);
	}
	mem_free(path);
	mem_free(index);
	return st;
}

akin_status akin_library_open(akin_library **out, const char *dir, const akin_open_params *params, akin_error *err)
{
	static const akin_open_params defaults;
	akin_library *lib = mem_zalloc(sizeof *lib);
	akin_status st;

	*out = NULL;
	error_clear(err);
	if (!lib) return error_nomem(err);
	if (!params) params = &defaults;
	pthread_rwlock_init(&lib->lock, NULL);
	pthread_mutex_init(&lib->embed_lock, NULL);
	lib->flags = params->flags;
	lib->threads = params->threads;
	lib->limits = image_limits_or_default(NULL);
	lib->dir = fs_absolute(dir);
	lib->cache_dir = models_cache_dir(params->cache_dir);
	if (params->models_dir) lib->models_dir = mem_strdup(params->models_dir);
	if (!lib->dir || (params->models_dir && !lib->models_dir)) st = error_nomem(err);
	else st = open_store(lib, err);
	if (st == AKIN_OK) st = choose_model(lib, params->model, err);
	if (st == AKIN_OK) st = find_model_id(lib, err);
	if (st == AKIN_OK && lib->has_card) lib->alignment = models_find_alignment(lib->model_name, lib->models_dir);
	if (st == AKIN_OK) *out = lib;
	else akin_library_close(lib);
	return error_note(err, st, "opening the library");
}

void akin_library_close(akin_library *lib)
{
	if (!lib) return;
	infer_slot_destroy(lib->slot);
	embedder_close(&lib->embedder);
	vectors_forget(&lib->vectors);
	vectors_forget(&lib->texts);
	joint_close(&lib->joint);
	store_close(lib->store);
	model_card_deinit(&lib->card);
	pthread_rwlock_destroy(&lib->lock);
	pthread_mutex_destroy(&lib->embed_lock);
	mem_free(lib->alignment);
	mem_free(lib->model_name);
	mem_free(lib->models_dir);
	mem_free(lib->cache_dir);
	mem_free(lib->dir);
	mem_free(lib);
}

/* Names of the classes go into the store, so that labels can be told without the model. */
static akin_status store_class_names(struct akin_library *lib, akin_error *err)
{
	struct labels labels = { 0 };
	char *path = model_card_path_of(&lib->card, lib->card.labels);
	akin_status st = AKIN_OK;

	if (!lib->card.labels) return AKIN_OK;
	st = path ? labels_read(&labels, path, err) : error_nomem(err);
	if (st == AKIN_OK) st = store_classes_put(lib->store, lib->model_id, labels.row, labels.n, err);
	labels_deinit(&labels);
	mem_free(path);
	return st;
}

akin_status library_adopt_model(struct akin_library *lib, akin_error *err)
{
	bool is_new = lib->model_id == 0;
	akin_status st = store_model_ensure(lib->store, lib->model_name, lib->model_hash, lib->dim, lib->metric,
	                                    &lib->model_id, err);

	if (st == AKIN_OK) st = store_setting_put(lib->store, "model", lib->model_name, err);
	if (st == AKIN_OK && is_new && lib->has_card) st = store_class_names(lib, err);
	return st;
}

/* ---- what is in it ---- */

akin_status akin_library_get_info(akin_library *lib, akin_library_info *info, akin_error *err)
{
	struct store_counts counts;
	akin_status st;
	char *path;

	*info = (akin_library_info){ 0 };
	error_clear(err);
	if ((st = store_count(lib->store, lib->model_id, &counts, err)) != AKIN_OK) return st;
	if ((st = store_generation(lib->store, &info->generation, err)) != AKIN_OK) return st;
	info->dir = mem_strdup(lib->dir);
	info->model = mem_strdup(lib->model_name);
	path = vectors_path(lib, &lib->vectors);
	if (!info->dir || !info->model || !path) {
		akin_library_info_deinit(info);
		mem_free(path);
		return error_nomem(err);
	}
	info->pictures = counts.pictures;
	info->files = counts.files;
	info->missing_files = counts.missing;
	info->failed_files = counts.failed;
	info->features = counts.features;
	info->dim = lib->dim;
	info->store_bytes = counts.bytes;
	info->index_bytes = fs_size(path);
	info->schema = counts.schema;
	mem_free(path);
	return AKIN_OK;
}

void akin_library_info_deinit(akin_library_info *info)
{
	mem_free(info->dir);
	mem_free(info->model);
	*info = (akin_library_info){ 0 };
}

struct label_sink {
	akin_picture *picture;
	size_t capacity;
	bool failed;
};

/* The everyday name: what stands before the first '|' or tab. */
static char *first_name(const char *names)
{
	return str_printf("%.*s", (int)strcspn(names, "|\t"), names);
}

static int add_label(void *ctx, const struct store_named_label *label)
{
	struct label_sink *sink = ctx;
	akin_label *moved = mem_grow(sink->picture->labels, &sink->capacity, sink->picture->n_labels, sizeof *moved), *l;

	sink->failed = true;
	if (!moved) return 1;
	sink->picture->labels = moved;
	l = &moved[sink->picture->n_labels];
	*l = (akin_label){ first_name(label->name), first_name(label->name_zh), label->probability };
	sink->picture->n_labels++;
	sink->failed = !l->name || !l->name_zh;
	return sink->failed;
}

static akin_status fill_paths(struct akin_library *lib, akin_picture *out, akin_error *err)
{
	struct store_file *files;
	size_t n;
	akin_status st = store_files_of(lib->store, out->id, &files, &n, err);

	if (st != AKIN_OK) return st;
	if (!(out->paths = mem_calloc(n, sizeof *out->paths))) st = error_nomem(err);
	for (size_t i = 0; i < n && st == AKIN_OK; i++) {
		out->paths[out->n_paths++] = files[i].path;
		files[i].path = NULL;
		if (files[i].state == FILE_PRESENT) out->n_present++;
	}
	store_files_free(files, n);
	return st;
}

static int nothing(void *ctx, const struct store_feature *feature)
{
	(void)ctx;
	(void)feature;
	return 0;
}

akin_status akin_picture_get(akin_library *lib, akin_id id, akin_picture *out, akin_error *err)
{
	struct label_sink sink = { out, 0, false };
	struct store_picture stored;
	akin_status st;

	*out = (akin_picture){ .id = id };
	error_clear(err);
	if ((st = store_picture_get(lib->store, id, &stored, err)) != AKIN_OK) return st;
	out->width = stored.info.width;
	out->height = stored.info.height;
	out->bytes = stored.bytes;
	out->added_at = stored.added_at;
	str_hex(stored.hash, HASH_BYTES, out->hash);
	if (!(out->format = mem_strdup(stored.info.format))) st = error_nomem(err);
	else st = fill_paths(lib, out, err);
	if (st == AKIN_OK) st = store_labels_of(lib->store, id, add_label, &sink, err);
	if (st == AKIN_OK && sink.failed) st = error_nomem(err);
	if (st == AKIN_OK) st = facts_fill(lib, out, err);
	if (st == AKIN_OK && lib->model_id)
		out->has_vector = store_feature_get(lib->store, id, lib->model_id, nothing, NULL, NULL) == AKIN_OK;
	if (st != AKIN_OK) akin_picture_deinit(out);
	return st;
}

void akin_picture_deinit(akin_picture *picture)
{
	for (size_t i = 0; i < picture->n_paths; i++) mem_free(picture->paths[i]);
	for (size_t i = 0; i < picture->n_labels; i++) {
		mem_free(picture->labels[i].name);
		mem_free(picture->labels[i].name_zh);
	}
	mem_free(picture->paths);
	mem_free(picture->labels);
	mem_free(picture->format);
	facts_release(picture);
	*picture = (akin_picture){ 0 };
}

akin_status akin_picture_find(akin_library *lib, const char *path, akin_id *id, akin_error *err)
{
	struct store_file file = { 0 };
	char *whole = fs_absolute(path);
	akin_status st = whole ? store_file_by_path(lib->store, whole, &file, err) : error_nomem(err);

	*id = 0;
	if (st == AKIN_OK) *id = file.picture_id;
	/* Imported vectors keep the names they came with. */
	else if (st == AKIN_ERR_NOT_FOUND && (st = store_file_by_path(lib->store, path, &file, err)) == AKIN_OK)
		*id = file.picture_id;
	if (st == AKIN_ERR_NOT_FOUND) error_set(err, st, "the library does not know %s", path);
	if (st == AKIN_OK) error_clear(err);
	store_file_deinit(&file);
	mem_free(whole);
	return st;
}

struct lister {
	int (*each)(void *user, const akin_listed *file);
	void *user;
};

static int pass_on(void *ctx, const struct store_listed *file)
{
	const struct lister *lister = ctx;
	const akin_listed listed = {
		.id = file->picture_id, .path = file->path,
		.state = file->reason ? "failed" : file->state == FILE_MISSING ? "missing" : "present",
		.reason = file->reason, .width = file->info.width, .height = file->info.height,
		.format = file->info.format, .bytes = file->stamp.size,
	};

	return lister->each(lister->user, &listed);
}

akin_status akin_library_list(akin_library *lib, unsigned kinds, const char *in,
                              int (*each)(void *user, const akin_listed *file), void *user, akin_error *err)
{
	struct lister lister = { each, user };
	char *whole = in ? fs_absolute(in) : NULL;
	akin_status st;

	error_clear(err);
	if (in && !whole) return error_nomem(err);
	st = store_list(lib->store, kinds ? kinds : AKIN_LIST_PRESENT, whole, pass_on, &lister, err);
	mem_free(whole);
	return st;
}

/* ---- removing ---- */

akin_status akin_library_remove_ids(akin_library *lib, const akin_id *ids, size_t n_ids, uint64_t *n, akin_error *err)
{
	akin_status st = library_need_writable(lib, err);

	*n = 0;
	error_clear(st == AKIN_OK ? err : NULL);
	if (st != AKIN_OK || (st = store_begin(lib->store, err)) != AKIN_OK) return st;
	for (size_t i = 0; i < n_ids && st == AKIN_OK; i++) {
		st = store_picture_remove(lib->store, ids[i], err);
		if (st == AKIN_OK) ++*n;
		if (st == AKIN_ERR_NOT_FOUND) st = AKIN_OK;
	}
	if (st == AKIN_OK) st = store_commit(lib->store, err);
	else store_rollback(lib->store);
	if (st != AKIN_OK) *n = 0;
	return st == AKIN_OK ? vectors_save(lib, true, err) : st;
}

struct path_list {
	char **path;
	bool *failed;
	size_t n, capacity, flag_capacity;
	bool out_of_memory;
};

static int collect_path(void *ctx, const struct store_listed *file)
{
	struct path_list *list = ctx;
	char **moved = mem_grow(list->path, &list->capacity, list->n, sizeof *moved);
	bool *flags;

	list->out_of_memory = true;
	if (!moved) return 1;
	list->path = moved;
	if (!(flags = mem_grow(list->failed, &list->flag_capacity, list->n, sizeof *flags))) return 1;
	list->failed = flags;
	if (!(list->path[list->n] = mem_strdup(file->path))) return 1;
	list->failed[list->n++] = file->reason != NULL;
	list->out_of_memory = false;
	return 0;
}

static akin_status remove_below(struct akin_library *lib, const char *path, uint64_t *n, akin_error *err)
{
	struct path_list list = { 0 };
	akin_status st = store_list(lib->store, STORE_LIST_PRESENT | STORE_LIST_MISSING | STORE_LIST_FAILED, path,
	                            collect_path, &list, err);

	if (st == AKIN_OK && list.out_of_memory) st = error_nomem(err);
	for (size_t i = 0; i < list.n; i++) {
		if (st == AKIN_OK) {
			st = list.failed[i] ? store_failure_remove(lib->store, list.path[i], err)
			                    : store_file_remove(lib->store, list.path[i], err);
			if (st == AKIN_OK) ++*n;
		}
		mem_free(list.path[i]);
	}
	mem_free(list.path);
	mem_free(list.failed);
	return st;
}

akin_status akin_library_remove_paths(akin_library *lib, const char *const *paths, size_t n_paths, uint64_t *n,
                                      akin_error *err)
{
	akin_status st = library_need_writable(lib, err);

	*n = 0;
	if (st != AKIN_OK || (st = store_begin(lib->store, err)) != AKIN_OK) return st;
	error_clear(err);
	for (size_t i = 0; i < n_paths && st == AKIN_OK; i++) {
		char *whole = fs_absolute(paths[i]);
		uint64_t before = *n;

		st = whole ? remove_below(lib, whole, n, err) : error_nomem(err);
		if (st == AKIN_OK && *n == before) st = remove_below(lib, paths[i], n, err); /* imported names */
		mem_free(whole);
	}
	if (st == AKIN_OK) st = store_commit(lib->store, err);
	else store_rollback(lib->store);
	if (st != AKIN_OK) *n = 0;
	return st == AKIN_OK ? vectors_save(lib, true, err) : st;
}

/* ---- pixels ---- */

static akin_status read_picture_file(struct akin_library *lib, akin_id id, const char *path, struct buf *bytes,
                                     akin_error *err)
{
	akin_picture picture;
	akin_status st;

	if (path) return fs_read(path, lib->limits.max_bytes, bytes, err);
	if ((st = akin_picture_get(lib, id, &picture, err)) != AKIN_OK) return st;
	if (!picture.n_present)
		st = error_set(err, AKIN_ERR_NOT_FOUND, "picture %lld has no file that is present", (long long)id);
	else
		st = fs_read(picture.paths[0], lib->limits.max_bytes, bytes, err);
	akin_picture_deinit(&picture);
	return st;
}

static akin_status decode_small(struct akin_library *lib, akin_id id, const char *path, unsigned max_side,
                                struct picture *out, akin_error *err)
{
	struct buf bytes = BUF_EMPTY;
	akin_status st = image_init(err);

	*out = PICTURE_EMPTY;
	if (st == AKIN_OK) st = read_picture_file(lib, id, path, &bytes, err);
	if (st == AKIN_OK) st = image_decode(bytes.data, bytes.len, max_side, &lib->limits, out, err);
	buf_deinit(&bytes);
	return st;
}

akin_status akin_thumbnail_rgb(akin_library *lib, akin_id id, const char *path, unsigned max_side, unsigned char **rgb,
                               unsigned *width, unsigned *height, akin_error *err)
{
	struct picture picture;
	akin_status st = decode_small(lib, id, path, max_side, &picture, err);

	*rgb = NULL;
	*width = *height = 0;
	if (st != AKIN_OK) return st;
	*rgb = picture.rgb;
	*width = picture.width;
	*height = picture.height;
	return AKIN_OK;
}

akin_status akin_thumbnail(akin_library *lib, akin_id id, const char *path, unsigned max_side, const char *format,
                           unsigned char **bytes, size_t *n_bytes, akin_error *err)
{
	struct picture picture = PICTURE_EMPTY;
	struct buf encoded = BUF_EMPTY;
	bool png = !strcmp(format, "png");
	akin_status st;

	*bytes = NULL;
	*n_bytes = 0;
	error_clear(err);
	if (!png && strcmp(format, "jpeg") != 0)
		return error_set(err, AKIN_ERR_INVALID, "a thumbnail is \"png\" or \"jpeg\", not \"%s\"", format);
	if ((st = decode_small(lib, id, path, max_side, &picture, err)) == AKIN_OK)
		st = image_encode(&picture, png ? CODEC_PNG : CODEC_JPEG, &encoded, err);
	if (st == AKIN_OK) {
		*n_bytes = encoded.len;
		*bytes = (unsigned char *)buf_take(&encoded);
		if (!*bytes) st = error_nomem(err);
	}
	buf_deinit(&encoded);
	picture_deinit(&picture);
	return st;
}

void akin_bytes_free(void *bytes)
{
	mem_free(bytes);
}

int akin_is_picture_name(const char *name)
{
	return image_name_fits(name);
}
