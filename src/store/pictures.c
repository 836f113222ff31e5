/* store/pictures.c - contents, whatever the files that hold them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

static akin_status no_picture(int64_t id, akin_error *err)
{
	return error_set(err, AKIN_ERR_NOT_FOUND, "no picture has id %lld", (long long)id);
}

akin_status store_picture_by_hash(struct store *store, const uint8_t hash[HASH_BYTES], int64_t *id, akin_error *err)
{
	struct query q;

	*id = 0;
	query_open(&q, store, "SELECT id FROM picture WHERE hash = ?1");
	query_bytes(&q, 1, hash, HASH_BYTES);
	if (query_next(&q)) *id = sqlite3_column_int64(q.stmt, 0);
	return query_close(&q, err);
}

akin_status store_picture_get(struct store *store, int64_t id, struct store_picture *out, akin_error *err)
{
	struct query q;
	akin_status st;

	*out = (struct store_picture){ 0 };
	query_open(&q, store, "SELECT hash, width, height, format, bytes, added_at, is_foreign FROM picture WHERE id = ?1");
	query_int(&q, 1, id);
	if (query_next(&q)) {
		out->id = id;
		query_column_hash(&q, 0, out->hash);
		out->info.width = (unsigned)sqlite3_column_int64(q.stmt, 1);
		out->info.height = (unsigned)sqlite3_column_int64(q.stmt, 2);
		snprintf(out->info.format, sizeof out->info.format, "%s", query_column_text(&q, 3));
		out->bytes = (uint64_t)sqlite3_column_int64(q.stmt, 4);
		out->added_at = sqlite3_column_int64(q.stmt, 5);
		out->foreign = sqlite3_column_int(q.stmt, 6) != 0;
	}
	if ((st = query_close(&q, err)) != AKIN_OK) return st;
	return out->id ? AKIN_OK : no_picture(id, err);
}

akin_status store_picture_put(struct store *store, const struct store_picture *picture, int64_t *id, akin_error *err)
{
	struct query q;
	akin_status st;
	void *grown;

	assert(store_is_writing(store));
	*id = 0;
	grown = mem_grow(store->put_ids, &store->put_capacity, store->n_put, sizeof *store->put_ids);
	if (!grown) return error_nomem(err);
	store->put_ids = grown;
	query_open(&q, store, "INSERT INTO picture (hash, width, height, format, bytes, added_at, is_foreign)"
	                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (hash) DO NOTHING RETURNING id");
	query_bytes(&q, 1, picture->hash, HASH_BYTES);
	query_int(&q, 2, picture->info.width);
	query_int(&q, 3, picture->info.height);
	query_text(&q, 4, picture->info.format);
	query_int(&q, 5, (int64_t)picture->bytes);
	query_int(&q, 6, picture->added_at);
	query_int(&q, 7, picture->foreign);
	if (query_next(&q)) *id = sqlite3_column_int64(q.stmt, 0);
	query_next(&q);
	if ((st = query_close(&q, err)) != AKIN_OK) return st;
	if (!*id) return error_set(err, AKIN_ERR_EXISTS, "a picture with this content is stored already");
	store->put_ids[store->n_put++] = *id;
	return keywords_touch(store, *id, err);
}

/* Each feature that goes gets its number in the log of removals. */
static akin_status forget_features(struct store *store, int64_t id, akin_error *err)
{
	struct query q;
	akin_status st;

	query_open(&q, store, "INSERT INTO removal (seq, model_id, picture_id)"
	                      " SELECT ?2 + row_number() OVER (ORDER BY model_id), model_id, picture_id FROM feature"
	                      " WHERE picture_id = ?1");
	query_int(&q, 1, id);
	query_int(&q, 2, (int64_t)store->generation);
	query_next(&q);
	if (q.rc == SQLITE_DONE) store->generation += (uint64_t)sqlite3_changes64(q.conn->db);
	if ((st = query_close(&q, err)) != AKIN_OK) return st;
	return query_run(store, "DELETE FROM feature WHERE picture_id = ?1", id, err);
}

akin_status picture_forget(struct store *store, int64_t id, akin_error *err)
{
	akin_status st = forget_features(store, id, err);

	if (st == AKIN_OK) st = query_run(store, "DELETE FROM label WHERE picture_id = ?1", id, err);
	if (st == AKIN_OK) st = query_run(store, "DELETE FROM tag WHERE picture_id = ?1", id, err);
	if (st == AKIN_OK) st = query_run(store, "DELETE FROM description WHERE picture_id = ?1", id, err);
	if (st == AKIN_OK) st = query_run(store, "DELETE FROM file WHERE picture_id = ?1", id, err);
	if (st == AKIN_OK) st = query_run(store, "DELETE FROM keyword WHERE rowid = ?1", id, err);
	if (st == AKIN_OK) st = query_run(store, "DELETE FROM picture WHERE id = ?1", id, err);
	return st;
}

akin_status picture_forget_if_fileless(struct store *store, int64_t id, akin_error *err)
{
	int64_t files = 0;
	akin_status st;

	if (store->keep_fileless) return AKIN_OK;
	st = query_one(store, "SELECT EXISTS (SELECT 1 FROM file WHERE picture_id = ?1)", id, &files, err);
	return st != AKIN_OK || files ? st : picture_forget(store, id, err);
}

void store_fileless_keep(struct store *store, bool keep)
{
	store->keep_fileless = keep;
}

akin_status store_fileless_remove(struct store *store, akin_error *err)
{
	int64_t id = 0;
	akin_status st;

	assert(store_is_writing(store));
	do {
		int64_t after = id;

		id = 0;
		st = query_one(store, "SELECT id FROM picture WHERE id > ?1 AND NOT is_foreign"
		                      " AND NOT EXISTS (SELECT 1 FROM file WHERE picture_id = picture.id) ORDER BY id LIMIT 1",
		               after, &id, err);
		if (st == AKIN_OK && id) st = picture_forget(store, id, err);
	} while (st == AKIN_OK && id);
	return st;
}

akin_status picture_sweep(struct store *store, akin_error *err)
{
	akin_status st = AKIN_OK;

	for (size_t i = 0; st == AKIN_OK && i < store->n_put; i++) {
		int64_t orphan = 0;

		st = query_one(store, "SELECT 1 FROM picture WHERE id = ?1 AND NOT is_foreign"
		                      " AND NOT EXISTS (SELECT 1 FROM file WHERE picture_id = ?1)"
		                      " AND NOT EXISTS (SELECT 1 FROM feature WHERE picture_id = ?1)",
		               store->put_ids[i], &orphan, err);
		if (st == AKIN_OK && orphan) st = picture_forget(store, store->put_ids[i], err);
	}
	return st;
}

akin_status store_picture_remove(struct store *store, int64_t id, akin_error *err)
{
	int64_t known = 0;
	akin_status st;

	assert(store_is_writing(store));
	if ((st = query_one(store, "SELECT 1 FROM picture WHERE id = ?1", id, &known, err)) != AKIN_OK) return st;
	return known ? picture_forget(store, id, err) : no_picture(id, err);
}
