/* engine/exchange.c - vectors out of a library and into it, as .npy and a list of paths.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/str.h"
#include "engine/engine.h"
#include "vecfile/csv.h"
#include "vecfile/npy.h"

/* ---- out ---- */

static akin_status list_line(struct akin_library *lib, struct fs_writer *list, akin_id id, bool csv, akin_error *err)
{
	struct buf line = BUF_EMPTY;
	akin_picture picture;
	akin_status st = akin_picture_get(lib, id, &picture, err);
	const char *path;

	if (st != AKIN_OK) return st;
	path = picture.n_paths ? picture.paths[0] : "";
	if (!csv && strchr(path, '\n')) {
		st = error_set(err, AKIN_ERR_INVALID, "a file name holds a line break: write the list as .csv (%s)", path);
	} else {
		if (csv) {
			buf_printf(&line, "%" PRId64 ",", id);
			csv_quote(&line, path);
			buf_printf(&line, ",%u,%u\n", picture.width, picture.height);
		} else {
			buf_printf(&line, "%s\n", path);
		}
		st = line.failed ? error_nomem(err) : fs_writer_put(list, line.data, line.len, err);
	}
	buf_deinit(&line);
	akin_picture_deinit(&picture);
	return st;
}

static akin_status export_rows(struct akin_library *lib, const int64_t *ids, size_t n, struct npy_writer *npy,
                               struct fs_writer *list, bool csv, akin_error *err)
{
	float *row = mem_alloc(lib->dim * sizeof *row);
	akin_status st = row ? AKIN_OK : error_nomem(err);

	if (st == AKIN_OK && list && csv) st = fs_writer_put(list, "id,path,width,height\n", 21, err);
	for (size_t i = 0; i < n && st == AKIN_OK; i++) {
		if (npy) {
			st = index_get(lib->vectors.index, ids[i], row, err);
			if (st == AKIN_OK) st = npy_writer_row(npy, row, err);
		}
		if (st == AKIN_OK && list) st = list_line(lib, list, ids[i], csv, err);
	}
	mem_free(row);
	return st;
}

akin_status akin_library_export(akin_library *lib, const char *npy_path, const char *list_path, uint64_t *n,
                                akin_error *err)
{
	struct npy_writer npy = { .file.fd = -1 };
	struct fs_writer list = { .fd = -1 };
	bool npy_open = false, list_open = false;
	int64_t *ids = NULL;
	size_t count = 0;
	akin_status st;

	*n = 0;
	error_clear(err);
	if (!npy_path && !list_path) return error_set(err, AKIN_ERR_INVALID, "nothing to write: give a file for vectors, paths or both");
	if ((st = vectors_refresh(lib, &lib->vectors, err)) != AKIN_OK) return st;
	pthread_rwlock_rdlock(&lib->lock);
	if ((st = index_ids(lib->vectors.index, &ids, &count, err)) != AKIN_OK) goto out;
	if (npy_path) {
		if ((st = npy_writer_begin(&npy, npy_path, NPY_F32, count, lib->dim, err)) != AKIN_OK) goto out;
		npy_open = true;
	}
	if (list_path) {
		if ((st = fs_writer_begin(&list, list_path, err)) != AKIN_OK) goto out;
		list_open = true;
	}
	st = export_rows(lib, ids, count, npy_path ? &npy : NULL, list_path ? &list : NULL,
	                 list_path && str_ends(list_path, ".csv"), err);
	if (st == AKIN_OK && npy_path) st = npy_writer_commit(&npy, err), npy_open = false;
	if (st == AKIN_OK && list_path) st = fs_writer_commit(&list, err), list_open = false;
	if (st == AKIN_OK) *n = count;
out:
	pthread_rwlock_unlock(&lib->lock);
	if (npy_open) npy_writer_abort(&npy);
	if (list_open) fs_writer_abort(&list);
	mem_free(ids);
	return st;
}

/* ---- in ---- */

/* Names of the rows, as text lines or as the column `path` of a CSV. */
struct names {
	struct csv csv;
	struct buf text;
	const char **name;
	size_t n, capacity;
};

static akin_status read_csv_names(struct names *names, const char *path, akin_error *err)
{
	size_t column;
	akin_status st = csv_read(&names->csv, path, err);

	if (st != AKIN_OK) return st;
	if ((column = csv_column(&names->csv, "path")) == names->csv.cols)
		return error_set(err, AKIN_ERR_FORMAT, "%s has no column \"path\"", path);
	names->n = names->csv.rows ? names->csv.rows - 1 : 0;
	if (!(names->name = mem_calloc(names->n, sizeof *names->name))) return error_nomem(err);
	for (size_t i = 0; i < names->n; i++) names->name[i] = csv_cell(&names->csv, i + 1, column);
	return AKIN_OK;
}

static akin_status read_names(struct names *names, const char *path, akin_error *err)
{
	akin_status st;

	*names = (struct names){ 0 };
	if (str_ends(path, ".csv")) return read_csv_names(names, path, err);
	if ((st = fs_read(path, UINT64_C(1) << 32, &names->text, err)) != AKIN_OK) return st;
	for (char *line = names->text.data, *next; line && *line; line = next) {
		const char **moved = mem_grow(names->name, &names->capacity, names->n, sizeof *moved);

		if (!moved) return error_nomem(err);
		names->name = moved;
		if ((next = strchr(line, '\n'))) *next++ = '\0';
		if (str_ends(line, "\r")) line[strlen(line) - 1] = '\0';
		names->name[names->n++] = line;
	}
	return AKIN_OK;
}

static void names_deinit(struct names *names)
{
	csv_deinit(&names->csv);
	buf_deinit(&names->text);
	mem_free(names->name);
}

struct import {
	struct akin_library *lib;
	const struct npy *npy;
	int64_t model_id;
	float *row;
};

/* The picture behind a name: one that the library has, or a foreign one made for it. */
static akin_status picture_for(struct import *in, const char *name, akin_id *id, akin_error *err)
{
	struct store_picture picture = { .foreign = true, .added_at = clock_unix() };
	static const struct file_stamp unread;
	struct buf identity = BUF_EMPTY;
	akin_error ignored;
	akin_status st = akin_picture_find(in->lib, name, id, &ignored);

	if (st != AKIN_ERR_NOT_FOUND) {
		if (st != AKIN_OK && err) *err = ignored;
		return st;
	}
	/* No content to hash: the name stands for it, under a prefix that no file begins with by accident. */
	buf_printf(&identity, "akin foreign picture\n%s", name);
	if (identity.failed) return error_nomem(err);
	hash_content(identity.data, identity.len, picture.hash);
	buf_deinit(&identity);
	if ((st = store_picture_put(in->lib->store, &picture, id, err)) != AKIN_OK) return st;
	return store_file_put(in->lib->store, name, *id, &unread, err);
}

static akin_status import_rows(struct import *in, const struct names *names, akin_error *err)
{
	const size_t dim = in->npy->cols;
	akin_status st = AKIN_OK;

	for (size_t i = 0; i < names->n && st == AKIN_OK; i++) {
		double norm = 0;
		akin_id id;

		npy_row_f32(in->npy, i, in->row);
		for (size_t j = 0; j < dim; j++) norm += (double)in->row[j] * in->row[j];
		if (!isfinite(norm))
			return error_set(err, AKIN_ERR_FORMAT, "row %zu (%s) holds a number that is not finite", i, names->name[i]);
		if (!names->name[i][0]) return error_set(err, AKIN_ERR_FORMAT, "row %zu has no name", i);
		st = picture_for(in, names->name[i], &id, err);
		if (st == AKIN_OK)
			st = store_feature_put(in->lib->store, id, in->model_id, STORE_F32, in->row, dim * sizeof *in->row, err);
	}
	return st;
}

/* An installed model's vectors may be brought by its name; any other name stands for itself. */
static akin_status identify_model(struct akin_library *lib, const char *name, size_t dim, uint8_t hash[HASH_BYTES],
                                  enum metric *metric, akin_error *err)
{
	struct model_card card;
	struct buf identity = BUF_EMPTY;
	akin_status st = AKIN_OK;

	*metric = METRIC_COSINE;
	if (models_find(name, lib->models_dir, &card, NULL) == AKIN_OK) {
		memcpy(hash, card.hash, HASH_BYTES);
		*metric = card.metric;
		if (card.dim != dim)
			st = error_set(err, AKIN_ERR_INVALID, "vectors of %s have %u numbers, these have %zu", name, card.dim, dim);
		model_card_deinit(&card);
		return st;
	}
	buf_printf(&identity, "akin foreign model\n%s\n%zu", name, dim);
	if (identity.failed) return error_nomem(err);
	hash_content(identity.data, identity.len, hash);
	buf_deinit(&identity);
	return AKIN_OK;
}

/* A library that had no vectors takes the model of the first ones it gets. */
static akin_status switch_model(struct akin_library *lib, const char *name, const uint8_t hash[HASH_BYTES], size_t dim,
                                enum metric metric, int64_t model_id, akin_error *err)
{
	char *copy = mem_strdup(name);
	akin_status st;

	if (!copy) return error_nomem(err);
	if ((st = store_setting_put(lib->store, "model", name, err)) != AKIN_OK) {
		mem_free(copy);
		return st;
	}
	mem_free(lib->model_name);
	lib->model_name = copy;
	lib->has_card = lib->has_card && !memcmp(lib->model_hash, hash, HASH_BYTES);
	memcpy(lib->model_hash, hash, HASH_BYTES);
	lib->dim = (unsigned)dim;
	lib->metric = metric;
	lib->model_id = model_id;
	vectors_forget(&lib->vectors);
	vectors_forget(&lib->texts);
	lib->texts.joint = NULL;
	return AKIN_OK;
}

static akin_status import_all(struct akin_library *lib, const struct npy *npy, const struct names *names, const char *model,
                              akin_error *err)
{
	struct import in = { .lib = lib, .npy = npy };
	uint8_t hash[HASH_BYTES];
	enum metric metric;
	akin_status st = identify_model(lib, model, npy->cols, hash, &metric, err);

	if (st != AKIN_OK) return st;
	if (!(in.row = mem_alloc(npy->cols * sizeof *in.row))) return error_nomem(err);
	if ((st = store_begin(lib->store, err)) != AKIN_OK) goto out;
	st = store_model_ensure(lib->store, model, hash, (unsigned)npy->cols, metric, &in.model_id, err);
	if (st == AKIN_OK) st = import_rows(&in, names, err);
	if (st == AKIN_OK && !lib->model_id) {
		pthread_rwlock_wrlock(&lib->lock);
		st = switch_model(lib, model, hash, npy->cols, metric, in.model_id, err);
		pthread_rwlock_unlock(&lib->lock);
	}
	if (st == AKIN_OK) st = store_commit(lib->store, err);
	else store_rollback(lib->store);
	if (st == AKIN_OK) st = vectors_save(lib, true, err);
out:
	mem_free(in.row);
	return st;
}

akin_status akin_library_import(akin_library *lib, const char *npy_path, const char *list_path, const char *model,
                                uint64_t *n, akin_error *err)
{
	struct npy npy;
	struct names names = { 0 };
	akin_status st = library_need_writable(lib, err);

	*n = 0;
	if (st != AKIN_OK) return st;
	error_clear(err);
	if ((st = npy_open(&npy, npy_path, err)) != AKIN_OK) return st;
	if ((st = read_names(&names, list_path, err)) != AKIN_OK) goto out;
	if (names.n != npy.rows)
		st = error_set(err, AKIN_ERR_INVALID, "%s has %zu rows, %s has %zu names", npy_path, npy.rows, list_path, names.n);
	else if (!npy.cols || npy.cols > INDEX_MAX_DIM)
		st = error_set(err, AKIN_ERR_INVALID, "%s has vectors of %zu numbers; 1 to %d are possible", npy_path, npy.cols,
		               INDEX_MAX_DIM);
	else st = import_all(lib, &npy, &names, model, err);
	if (st == AKIN_OK) *n = names.n;
out:
	names_deinit(&names);
	npy_close(&npy);
	return error_note(err, st, "importing");
}
