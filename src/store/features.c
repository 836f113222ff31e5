/* store/features.c - vectors, and the numbered log of their changes that keeps index files up to date.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"

static akin_status check_feature(struct store *store, int64_t picture_id, int64_t model_id, enum store_encoding encoding,
                                 size_t bytes, akin_error *err)
{
	size_t dim = 0, wanted;
	bool picture = false;
	struct query q;
	akin_status st;

	query_open(&q, store, "SELECT dim, EXISTS (SELECT 1 FROM picture WHERE id = ?2) FROM model WHERE id = ?1");
	query_int(&q, 1, model_id);
	query_int(&q, 2, picture_id);
	if (query_next(&q)) {
		dim = (size_t)sqlite3_column_int64(q.stmt, 0);
		picture = sqlite3_column_int(q.stmt, 1);
	}
	if ((st = query_close(&q, err)) != AKIN_OK) return st;
	if (!dim) return error_set(err, AKIN_ERR_NOT_FOUND, "no model has id %lld", (long long)model_id);
	if (!picture) return error_set(err, AKIN_ERR_NOT_FOUND, "no picture has id %lld", (long long)picture_id);
	wanted = dim * (encoding == STORE_F32 ? 4 : 2);
	if (bytes == wanted) return AKIN_OK;
	return error_set(err, AKIN_ERR_INVALID, "a vector of %zu dimensions has %zu bytes, not %zu", dim, wanted, bytes);
}

akin_status store_feature_put(struct store *store, int64_t picture_id, int64_t model_id, enum store_encoding encoding,
                              const void *data, size_t bytes, akin_error *err)
{
	struct query q;
	akin_status st;

	assert(store_is_writing(store) && (encoding == STORE_F32 || encoding == STORE_F16));
	if ((st = check_feature(store, picture_id, model_id, encoding, bytes, err)) != AKIN_OK) return st;
	/* REPLACE takes the old row away, under its old seq: who has seen that one meets the new one later. */
	query_open(&q, store, "REPLACE INTO feature (seq, picture_id, model_id, encoding, data)"
	                      " VALUES (?1, ?2, ?3, ?4, ?5)");
	query_int(&q, 1, (int64_t)++store->generation);
	query_int(&q, 2, picture_id);
	query_int(&q, 3, model_id);
	query_int(&q, 4, encoding);
	query_bytes(&q, 5, data, bytes);
	query_next(&q);
	return query_close(&q, err);
}

/* SQLite hands out addresses inside its pages, at any byte. A copy of 2.5 kB is nothing beside reading it (0.1 us). */
static const void *aligned(struct query *q, int column, void **room, size_t *room_bytes, size_t *bytes)
{
	const void *blob = sqlite3_column_blob(q->stmt, column);

	*bytes = (size_t)sqlite3_column_bytes(q->stmt, column);
	if (*bytes > *room_bytes) {
		mem_free(*room);
		*room_bytes = *bytes;
		if (!(*room = mem_aligned(*bytes))) *room_bytes = 0;
	}
	if (!blob || !*room) {
		q->rc = *bytes ? SQLITE_NOMEM : SQLITE_CORRUPT;
		return NULL;
	}
	return memcpy(*room, blob, *bytes);
}

/* Hands every row (seq, picture_id, encoding, data) to `each` and closes the query. */
static akin_status hand_out(struct query *q, int (*each)(void *ctx, const struct store_feature *feature), void *ctx,
                            bool *found, akin_error *err)
{
	size_t room_bytes = 0;
	void *room = NULL;
	akin_status st;

	*found = false;
	while (query_next(q)) {
		struct store_feature feature = { .seq = (uint64_t)sqlite3_column_int64(q->stmt, 0),
			                         .picture_id = sqlite3_column_int64(q->stmt, 1),
			                         .encoding = (enum store_encoding)sqlite3_column_int(q->stmt, 2) };

		*found = true;
		feature.data = aligned(q, 3, &room, &room_bytes, &feature.bytes);
		if (!feature.data || each(ctx, &feature)) break;
	}
	st = query_close(q, err);
	mem_free(room);
	return st;
}

akin_status store_features(struct store *store, int64_t model_id, uint64_t after,
                           int (*each)(void *ctx, const struct store_feature *feature), void *ctx, akin_error *err)
{
	struct query q;
	bool found;

	query_open(&q, store, "SELECT seq, picture_id, encoding, data FROM feature"
	                      " WHERE model_id = ?1 AND seq > ?2 ORDER BY seq");
	query_int(&q, 1, model_id);
	query_int(&q, 2, (int64_t)after);
	return hand_out(&q, each, ctx, &found, err);
}

akin_status store_feature_get(struct store *store, int64_t picture_id, int64_t model_id,
                              int (*each)(void *ctx, const struct store_feature *feature), void *ctx, akin_error *err)
{
	struct query q;
	akin_status st;
	bool found;

	query_open(&q, store, "SELECT seq, picture_id, encoding, data FROM feature"
	                      " WHERE picture_id = ?1 AND model_id = ?2");
	query_int(&q, 1, picture_id);
	query_int(&q, 2, model_id);
	if ((st = hand_out(&q, each, ctx, &found, err)) != AKIN_OK || found) return st;
	return error_set(err, AKIN_ERR_NOT_FOUND, "picture %lld has no vector of model %lld", (long long)picture_id,
	                 (long long)model_id);
}

akin_status store_removals(struct store *store, int64_t model_id, uint64_t after,
                           int (*each)(void *ctx, int64_t picture_id, uint64_t seq), void *ctx, akin_error *err)
{
	struct query q;

	query_open(&q, store, "SELECT picture_id, seq FROM removal WHERE model_id = ?1 AND seq > ?2 ORDER BY seq");
	query_int(&q, 1, model_id);
	query_int(&q, 2, (int64_t)after);
	while (query_next(&q))
		if (each(ctx, sqlite3_column_int64(q.stmt, 0), (uint64_t)sqlite3_column_int64(q.stmt, 1))) break;
	return query_close(&q, err);
}

akin_status store_without_feature(struct store *store, int64_t model_id, int64_t **ids, size_t *n, akin_error *err)
{
	struct query q;

	*ids = NULL;
	*n = 0;
	query_open(&q, store, "SELECT id FROM picture"
	                      " WHERE EXISTS (SELECT 1 FROM file WHERE picture_id = picture.id AND state = 0)"
	                      " AND NOT EXISTS (SELECT 1 FROM feature WHERE picture_id = picture.id AND model_id = ?1)"
	                      " ORDER BY id");
	query_int(&q, 1, model_id);
	return query_ids(&q, ids, n, err);
}

akin_status store_generation(struct store *store, uint64_t *generation, akin_error *err)
{
	int64_t value = 0;
	akin_status st;

	*generation = 0;
	if (store_is_writing(store)) {
		*generation = store->generation; /* the row is written by store_commit */
		return AKIN_OK;
	}
	st = query_one(store, "SELECT generation FROM state", 0, &value, err);
	if (st == AKIN_OK) *generation = (uint64_t)value;
	return st;
}
