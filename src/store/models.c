/* store/models.c - models and the names of their classes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"

void store_model_deinit(struct store_model *model)
{
	mem_free(model->name);
	*model = (struct store_model){ 0 };
}

void store_models_free(struct store_model *models, size_t n)
{
	for (size_t i = 0; i < n; i++) store_model_deinit(&models[i]);
	mem_free(models);
}

#define MODEL_COLUMNS "id, name, hash, dim, metric"

static void read_model(struct query *q, struct store_model *out)
{
	*out = (struct store_model){ .id = sqlite3_column_int64(q->stmt, 0),
		                     .dim = (unsigned)sqlite3_column_int64(q->stmt, 3),
		                     .metric = (enum metric)sqlite3_column_int(q->stmt, 4) };
	query_column_hash(q, 2, out->hash);
	if (!(out->name = mem_strdup(query_column_text(q, 1)))) q->rc = SQLITE_NOMEM;
}

static akin_status close_model(struct query *q, struct store_model *out, akin_error *err)
{
	akin_status st = query_close(q, err);

	if (st != AKIN_OK) store_model_deinit(out);
	return st;
}

akin_status store_model_ensure(struct store *store, const char *name, const uint8_t hash[HASH_BYTES], unsigned dim,
                               enum metric metric, int64_t *model_id, akin_error *err)
{
	struct store_model known = { 0 };
	struct query q;
	akin_status st;

	assert(store_is_writing(store));
	*model_id = 0;
	query_open(&q, store, "SELECT " MODEL_COLUMNS " FROM model WHERE hash = ?1");
	query_bytes(&q, 1, hash, HASH_BYTES);
	if (query_next(&q)) read_model(&q, &known);
	if ((st = close_model(&q, &known, err)) != AKIN_OK) return st;
	if (known.id && (known.dim != dim || known.metric != metric))
		st = error_set(err, AKIN_ERR_INVALID, "model %s is known with %u dimensions and metric %d, not %u and %d",
		               known.name, known.dim, known.metric, dim, metric);
	else *model_id = known.id;
	if (st == AKIN_OK && !known.id) {
		query_open(&q, store, "INSERT INTO model (name, hash, dim, metric) VALUES (?1, ?2, ?3, ?4) RETURNING id");
		query_text(&q, 1, name);
		query_bytes(&q, 2, hash, HASH_BYTES);
		query_int(&q, 3, dim);
		query_int(&q, 4, metric);
		if (query_next(&q)) *model_id = sqlite3_column_int64(q.stmt, 0);
		query_next(&q);
		st = query_close(&q, err);
	}
	store_model_deinit(&known);
	return st;
}

akin_status store_model_get(struct store *store, int64_t model_id, struct store_model *out, akin_error *err)
{
	struct query q;
	akin_status st;

	*out = (struct store_model){ 0 };
	query_open(&q, store, "SELECT " MODEL_COLUMNS " FROM model WHERE id = ?1");
	query_int(&q, 1, model_id);
	if (query_next(&q)) read_model(&q, out);
	if ((st = close_model(&q, out, err)) != AKIN_OK || out->id) return st;
	return error_set(err, AKIN_ERR_NOT_FOUND, "no model has id %lld", (long long)model_id);
}

akin_status store_model_find(struct store *store, const char *name, struct store_model *out, akin_error *err)
{
	struct query q;
	akin_status st;

	*out = (struct store_model){ 0 };
	query_open(&q, store, "SELECT " MODEL_COLUMNS " FROM model WHERE name = ?1 ORDER BY id DESC LIMIT 1");
	query_text(&q, 1, name);
	if (query_next(&q)) read_model(&q, out);
	if ((st = close_model(&q, out, err)) != AKIN_OK || out->id) return st;
	return error_set(err, AKIN_ERR_NOT_FOUND, "no vectors of a model \"%s\" are stored", name);
}

akin_status store_models(struct store *store, struct store_model **out, size_t *n, akin_error *err)
{
	size_t capacity = 0;
	struct query q;
	akin_status st;

	*out = NULL;
	*n = 0;
	query_open(&q, store, "SELECT " MODEL_COLUMNS " FROM model ORDER BY id");
	while (query_next(&q)) {
		void *grown = mem_grow(*out, &capacity, *n, sizeof **out);

		if (!grown) {
			q.rc = SQLITE_NOMEM;
			break;
		}
		*out = grown;
		read_model(&q, &(*out)[(*n)++]);
	}
	if ((st = query_close(&q, err)) != AKIN_OK) {
		store_models_free(*out, *n);
		*out = NULL;
		*n = 0;
	}
	return st;
}

static akin_status put_class(struct store *store, int64_t model_id, size_t index, const char *names, akin_error *err)
{
	const char *tab = strchr(names, '\t');
	struct query q;

	query_open(&q, store, "INSERT INTO class (model_id, class_index, name, name_zh)"
	                      " VALUES (?1, ?2, CAST(?3 AS TEXT), ?4)");
	query_int(&q, 1, model_id);
	query_int(&q, 2, (int64_t)index);
	query_bytes(&q, 3, names, tab ? (size_t)(tab - names) : strlen(names));
	query_text(&q, 4, tab ? tab + 1 : "");
	query_next(&q);
	return query_close(&q, err);
}

/* Names that change are keywords of pictures. */
static akin_status touch_pictures(struct store *store, int64_t model_id, akin_error *err)
{
	int64_t *ids = NULL;
	size_t n = 0;
	struct query q;
	akin_status st;

	query_open(&q, store, "SELECT DISTINCT picture_id FROM label WHERE model_id = ?1");
	query_int(&q, 1, model_id);
	st = query_ids(&q, &ids, &n, err);
	for (size_t i = 0; st == AKIN_OK && i < n; i++) st = keywords_touch(store, ids[i], err);
	mem_free(ids);
	return st;
}

akin_status store_classes_put(struct store *store, int64_t model_id, const char *const *names, size_t n, akin_error *err)
{
	struct store_model model;
	akin_status st;

	assert(store_is_writing(store));
	if ((st = store_model_get(store, model_id, &model, err)) != AKIN_OK) return st;
	store_model_deinit(&model);
	st = query_run(store, "DELETE FROM class WHERE model_id = ?1", model_id, err);
	for (size_t i = 0; st == AKIN_OK && i < n; i++) st = put_class(store, model_id, i, names[i], err);
	return st == AKIN_OK ? touch_pictures(store, model_id, err) : st;
}
