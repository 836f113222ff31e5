/* store/files.c - paths: which picture each holds, or why none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

static void query_path(struct query *q, int at, const char *path)
{
	query_bytes(q, at, path, strlen(path));
}

static void query_stamp(struct query *q, int at, const struct file_stamp *stamp)
{
	query_int(q, at, (int64_t)stamp->size);
	query_int(q, at + 1, stamp->mtime_ns);
	query_int(q, at + 2, (int64_t)stamp->inode);
	query_int(q, at + 3, (int64_t)stamp->device);
}

static struct file_stamp column_stamp(struct query *q, int column)
{
	return (struct file_stamp){ .size = (uint64_t)sqlite3_column_int64(q->stmt, column),
		                    .mtime_ns = sqlite3_column_int64(q->stmt, column + 1),
		                    .inode = (uint64_t)sqlite3_column_int64(q->stmt, column + 2),
		                    .device = (uint64_t)sqlite3_column_int64(q->stmt, column + 3) };
}

/* ---- below a folder ----
 * ?1 is the folder without slashes at its end, so that "/" becomes "" and everything is below it. '0' is the byte after
 * '/': what lies below is the range from "folder/" to "folder0", which "folder-b" and "folder" itself are not in. */
#define FOLDER_ITSELF "path = ?1"
#define BELOW_FOLDER "path >= CAST(?1 || x'2f' AS BLOB) AND path < CAST(?1 || x'30' AS BLOB)"

static void query_folder(struct query *q, int at, const char *in)
{
	size_t n = strlen(in);

	while (n && in[n - 1] == '/') n--;
	query_bytes(q, at, in, n);
}

akin_status store_picture_ids(struct store *store, const char *in, int64_t **ids, size_t *n, akin_error *err)
{
	struct query q;

	*ids = NULL;
	*n = 0;
	if (in) {
		query_open(&q, store, "SELECT picture_id FROM file WHERE " FOLDER_ITSELF " AND state = 0"
		                      " UNION SELECT picture_id FROM file WHERE " BELOW_FOLDER " AND state = 0 ORDER BY 1");
		query_folder(&q, 1, in);
	} else {
		query_open(&q, store, "SELECT id FROM picture WHERE is_foreign"
		                      " OR EXISTS (SELECT 1 FROM file WHERE picture_id = picture.id AND state = 0) ORDER BY id");
	}
	return query_ids(&q, ids, n, err);
}

#define LISTED_COLUMNS "path, picture_id, state, size, mtime_ns, inode, device, status, reason, width, height, format"
#define LISTED_FROM " FROM file LEFT JOIN picture ON picture.id = picture_id WHERE (1 << state) & ?2"

akin_status store_list(struct store *store, unsigned kinds, const char *in,
                       int (*each)(void *ctx, const struct store_listed *file), void *ctx, akin_error *err)
{
	struct query q;

	if (in) {
		query_open(&q, store, "SELECT " LISTED_COLUMNS LISTED_FROM " AND " FOLDER_ITSELF
		                      " UNION ALL SELECT " LISTED_COLUMNS LISTED_FROM " AND " BELOW_FOLDER " ORDER BY path");
		query_folder(&q, 1, in);
	} else {
		query_open(&q, store, "SELECT " LISTED_COLUMNS LISTED_FROM " ORDER BY path");
	}
	query_int(&q, 2, kinds);
	while (query_next(&q)) {
		const bool failed = sqlite3_column_int(q.stmt, 2) == STATE_FAILED;
		struct store_listed file = {
			.picture_id = sqlite3_column_int64(q.stmt, 1),
			.path = query_column_text(&q, 0),
			.reason = failed ? query_column_text(&q, 8) : NULL,
			.state = failed ? FILE_PRESENT : (enum file_state)sqlite3_column_int(q.stmt, 2),
			.stamp = column_stamp(&q, 3),
			.info = { .width = (unsigned)sqlite3_column_int64(q.stmt, 9),
				  .height = (unsigned)sqlite3_column_int64(q.stmt, 10) },
			.status = sqlite3_column_int(q.stmt, 7),
		};

		snprintf(file.info.format, sizeof file.info.format, "%s", query_column_text(&q, 11));
		if (q.rc != SQLITE_ROW || each(ctx, &file)) break;
	}
	return query_close(&q, err);
}

/* ---- one file ---- */

void store_file_deinit(struct store_file *file)
{
	mem_free(file->path);
	*file = (struct store_file){ 0 };
}

void store_files_free(struct store_file *files, size_t n)
{
	for (size_t i = 0; i < n; i++) store_file_deinit(&files[i]);
	mem_free(files);
}

#define FILE_COLUMNS "picture_id, path, state, size, mtime_ns, inode, device"

static void read_file(struct query *q, struct store_file *out)
{
	*out = (struct store_file){ .picture_id = sqlite3_column_int64(q->stmt, 0),
		                    .path = mem_strdup(query_column_text(q, 1)),
		                    .state = (enum file_state)sqlite3_column_int(q->stmt, 2),
		                    .stamp = column_stamp(q, 3) };
	if (!out->path) q->rc = SQLITE_NOMEM;
}

static akin_status no_file(const char *path, akin_error *err)
{
	return error_set(err, AKIN_ERR_NOT_FOUND, "%s is not in the library", path);
}

akin_status store_file_by_path(struct store *store, const char *path, struct store_file *out, akin_error *err)
{
	struct query q;
	akin_status st;

	*out = (struct store_file){ 0 };
	query_open(&q, store, "SELECT " FILE_COLUMNS " FROM file WHERE path = ?1 AND state <> 2");
	query_path(&q, 1, path);
	if (query_next(&q)) read_file(&q, out);
	if ((st = query_close(&q, err)) != AKIN_OK) store_file_deinit(out);
	return st != AKIN_OK || out->path ? st : no_file(path, err);
}

akin_status store_files_of(struct store *store, int64_t picture_id, struct store_file **out, size_t *n, akin_error *err)
{
	size_t capacity = 0;
	struct query q;
	akin_status st;

	*out = NULL;
	*n = 0;
	query_open(&q, store, "SELECT " FILE_COLUMNS " FROM file WHERE picture_id = ?1 ORDER BY state, path");
	query_int(&q, 1, picture_id);
	while (query_next(&q)) {
		void *grown = mem_grow(*out, &capacity, *n, sizeof **out);

		if (!grown) {
			q.rc = SQLITE_NOMEM;
			break;
		}
		*out = grown;
		read_file(&q, &(*out)[(*n)++]);
	}
	if ((st = query_close(&q, err)) != AKIN_OK) {
		store_files_free(*out, *n);
		*out = NULL;
		*n = 0;
	}
	return st;
}

/* ---- writing ---- */

/* The row of a path, file or failure: *picture_id is 0 when there is none or it failed. */
static akin_status picture_at(struct store *store, const char *path, int64_t *picture_id, akin_error *err)
{
	struct query q;

	*picture_id = 0;
	query_open(&q, store, "SELECT picture_id FROM file WHERE path = ?1");
	query_path(&q, 1, path);
	if (query_next(&q)) *picture_id = sqlite3_column_int64(q.stmt, 0);
	return query_close(&q, err);
}

static akin_status delete_path(struct store *store, const char *path, akin_error *err)
{
	struct query q;

	query_open(&q, store, "DELETE FROM file WHERE path = ?1");
	query_path(&q, 1, path);
	query_next(&q);
	return query_close(&q, err);
}

/* A path of the picture has gone: it goes with its last one. */
static akin_status lose_file(struct store *store, int64_t picture_id, akin_error *err)
{
	akin_status st = keywords_touch(store, picture_id, err);

	return st == AKIN_OK ? picture_forget_if_fileless(store, picture_id, err) : st;
}

akin_status store_file_put(struct store *store, const char *path, int64_t picture_id, const struct file_stamp *stamp,
                           akin_error *err)
{
	int64_t before, known = 0;
	struct query q;
	akin_status st;

	assert(store_is_writing(store));
	if ((st = query_one(store, "SELECT 1 FROM picture WHERE id = ?1", picture_id, &known, err)) != AKIN_OK) return st;
	if (!known) return error_set(err, AKIN_ERR_NOT_FOUND, "no picture has id %lld", (long long)picture_id);
	if ((st = picture_at(store, path, &before, err)) != AKIN_OK) return st;
	query_open(&q, store, "REPLACE INTO file (path, state, picture_id, size, mtime_ns, inode, device)"
	                      " VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6)");
	query_path(&q, 1, path);
	query_int(&q, 2, picture_id);
	query_stamp(&q, 3, stamp);
	query_next(&q);
	if ((st = query_close(&q, err)) != AKIN_OK || (st = keywords_touch(store, picture_id, err)) != AKIN_OK) return st;
	return before && before != picture_id ? lose_file(store, before, err) : AKIN_OK;
}

akin_status store_file_move(struct store *store, const char *from, const char *to, const struct file_stamp *stamp,
                            akin_error *err)
{
	int64_t picture_id, replaced = 0;
	struct query q;
	akin_status st;

	assert(store_is_writing(store));
	if ((st = picture_at(store, from, &picture_id, err)) != AKIN_OK) return st;
	if (!picture_id) return no_file(from, err);
	if (strcmp(from, to)) {
		if ((st = picture_at(store, to, &replaced, err)) != AKIN_OK) return st;
		if ((st = delete_path(store, to, err)) != AKIN_OK) return st;
	}
	query_open(&q, store, "UPDATE file SET path = ?2, state = 0, size = ?3, mtime_ns = ?4, inode = ?5, device = ?6"
	                      " WHERE path = ?1");
	query_path(&q, 1, from);
	query_path(&q, 2, to);
	query_stamp(&q, 3, stamp);
	query_next(&q);
	if ((st = query_close(&q, err)) != AKIN_OK || (st = keywords_touch(store, picture_id, err)) != AKIN_OK) return st;
	return replaced ? lose_file(store, replaced, err) : AKIN_OK;
}

akin_status store_file_set_state(struct store *store, const char *path, enum file_state state, akin_error *err)
{
	bool found = false;
	struct query q;
	akin_status st;

	assert(store_is_writing(store) && (state == FILE_PRESENT || state == FILE_MISSING));
	query_open(&q, store, "UPDATE file SET state = ?2 WHERE path = ?1 AND state <> 2");
	query_path(&q, 1, path);
	query_int(&q, 2, state);
	query_next(&q);
	if (q.rc == SQLITE_DONE) found = sqlite3_changes(q.conn->db) > 0;
	st = query_close(&q, err);
	return st != AKIN_OK || found ? st : no_file(path, err);
}

akin_status store_file_remove(struct store *store, const char *path, akin_error *err)
{
	int64_t picture_id;
	akin_status st;

	assert(store_is_writing(store));
	if ((st = picture_at(store, path, &picture_id, err)) != AKIN_OK) return st;
	if (!picture_id) return no_file(path, err);
	if ((st = delete_path(store, path, err)) != AKIN_OK) return st;
	return lose_file(store, picture_id, err);
}

/* ---- failures ---- */

akin_status store_failure_put(struct store *store, const char *path, const struct file_stamp *stamp, akin_status status,
                              const char *reason, akin_error *err)
{
	int64_t before;
	struct query q;
	akin_status st;

	assert(store_is_writing(store));
	if ((st = picture_at(store, path, &before, err)) != AKIN_OK) return st;
	query_open(&q, store, "REPLACE INTO file (path, state, size, mtime_ns, inode, device, status, reason)"
	                      " VALUES (?1, 2, ?2, ?3, ?4, ?5, ?6, ?7)");
	query_path(&q, 1, path);
	query_stamp(&q, 2, stamp);
	query_int(&q, 6, status);
	query_text(&q, 7, reason);
	query_next(&q);
	if ((st = query_close(&q, err)) != AKIN_OK || !before) return st;
	return lose_file(store, before, err);
}

akin_status store_failure_remove(struct store *store, const char *path, akin_error *err)
{
	struct query q;

	assert(store_is_writing(store));
	query_open(&q, store, "DELETE FROM file WHERE path = ?1 AND state = 2");
	query_path(&q, 1, path);
	query_next(&q);
	return query_close(&q, err);
}
