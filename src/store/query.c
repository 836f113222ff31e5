/* store/query.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <string.h>

#include "base/alloc.h"

struct statement {
	const char *sql;
	sqlite3_stmt *stmt;
};

uintptr_t thread_self(void)
{
	static _Thread_local char here;

	return (uintptr_t)&here;
}

bool store_is_writing(struct store *store)
{
	return atomic_load_explicit(&store->writer, memory_order_relaxed) == thread_self();
}

/* ---- the cache: a statement in use is not in it, so a query may run inside the callback of its like ---- */

static sqlite3_stmt *take_idle(struct conn *conn, const char *sql)
{
	for (size_t i = 0; i < conn->n_idle; i++) {
		if (conn->idle[i].sql == sql) {
			sqlite3_stmt *stmt = conn->idle[i].stmt;
			conn->idle[i] = conn->idle[--conn->n_idle];
			return stmt;
		}
	}
	return NULL;
}

static void give_back(struct conn *conn, const char *sql, sqlite3_stmt *stmt)
{
	void *grown = mem_grow(conn->idle, &conn->capacity, conn->n_idle, sizeof *conn->idle);

	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	if (!grown) {
		sqlite3_finalize(stmt);
		return;
	}
	conn->idle = grown;
	conn->idle[conn->n_idle++] = (struct statement){ sql, stmt };
}

void conn_close(struct conn *conn)
{
	while (conn->n_idle) sqlite3_finalize(conn->idle[--conn->n_idle].stmt);
	mem_free(conn->idle);
	conn->idle = NULL;
	conn->capacity = 0;
	sqlite3_close(conn->db);
	buf_deinit(&conn->folded);
	conn->db = NULL;
}

/* ---- one query ---- */

void query_open(struct query *q, struct store *store, const char *sql)
{
	query_open_on(q, store_is_writing(store) ? &store->write : &store->read, sql);
}

void query_open_on(struct query *q, struct conn *conn, const char *sql)
{
	*q = (struct query){ .conn = conn, .sql = sql };
	if (conn == &conn->store->read) pthread_mutex_lock(&conn->store->read_lock);
	if (conn->failed != AKIN_OK) q->rc = SQLITE_ABORT;
	else if (!(q->stmt = take_idle(conn, sql)))
		q->rc = sqlite3_prepare_v3(conn->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &q->stmt, NULL);
}

void query_open_once(struct query *q, struct store *store, const char *sql)
{
	struct conn *conn = store_is_writing(store) ? &store->write : &store->read;

	*q = (struct query){ .conn = conn, .sql = sql, .once = true };
	if (conn == &store->read) pthread_mutex_lock(&store->read_lock);
	if (conn->failed != AKIN_OK) q->rc = SQLITE_ABORT;
	else q->rc = sqlite3_prepare_v2(conn->db, sql, -1, &q->stmt, NULL);
}

static void keep(struct query *q, int rc)
{
	if (q->rc == SQLITE_OK) q->rc = rc;
}

void query_int(struct query *q, int at, int64_t value)
{
	if (q->rc == SQLITE_OK) keep(q, sqlite3_bind_int64(q->stmt, at, value));
}

void query_double(struct query *q, int at, double value)
{
	if (q->rc == SQLITE_OK) keep(q, sqlite3_bind_double(q->stmt, at, value));
}

void query_text(struct query *q, int at, const char *text)
{
	if (q->rc == SQLITE_OK)
		keep(q, sqlite3_bind_text64(q->stmt, at, text, text ? strlen(text) : 0, SQLITE_STATIC, SQLITE_UTF8));
}

void query_bytes(struct query *q, int at, const void *bytes, size_t n)
{
	if (q->rc == SQLITE_OK) keep(q, sqlite3_bind_blob64(q->stmt, at, n ? bytes : "", n, SQLITE_STATIC));
}

bool query_next(struct query *q)
{
	if (q->rc != SQLITE_OK && q->rc != SQLITE_ROW) return false;
	q->rc = sqlite3_step(q->stmt);
	return q->rc == SQLITE_ROW;
}

const char *query_column_text(struct query *q, int column)
{
	const char *text = (const char *)sqlite3_column_text(q->stmt, column);

	if (!text && sqlite3_column_type(q->stmt, column) != SQLITE_NULL) q->rc = SQLITE_NOMEM;
	return text ? text : "";
}

void query_column_hash(struct query *q, int column, uint8_t out[HASH_BYTES])
{
	if (sqlite3_column_bytes(q->stmt, column) == HASH_BYTES) memcpy(out, sqlite3_column_blob(q->stmt, column), HASH_BYTES);
	else q->rc = SQLITE_CORRUPT;
}

akin_status query_close(struct query *q, akin_error *err)
{
	akin_status st = AKIN_OK;

	if (q->rc != SQLITE_OK && q->rc != SQLITE_ROW && q->rc != SQLITE_DONE) st = conn_error(q->conn, q->rc, err);
	/* SQLite may have undone the transaction by itself, and a change of several statements may be half done. */
	if (st != AKIN_OK && q->conn == &q->conn->store->write && q->conn->failed == AKIN_OK) q->conn->failed = st;
	if (q->stmt && q->once) sqlite3_finalize(q->stmt);
	else if (q->stmt) give_back(q->conn, q->sql, q->stmt);
	if (q->conn == &q->conn->store->read) pthread_mutex_unlock(&q->conn->store->read_lock);
	return st;
}

akin_status query_run(struct store *store, const char *sql, int64_t id, akin_error *err)
{
	int64_t ignored;

	return query_one(store, sql, id, &ignored, err);
}

akin_status query_one(struct store *store, const char *sql, int64_t id, int64_t *out, akin_error *err)
{
	struct query q;

	query_open(&q, store, sql);
	if (q.rc == SQLITE_OK && sqlite3_bind_parameter_count(q.stmt)) query_int(&q, 1, id);
	if (query_next(&q)) *out = sqlite3_column_int64(q.stmt, 0);
	return query_close(&q, err);
}

akin_status query_ids(struct query *q, int64_t **ids, size_t *n, akin_error *err)
{
	size_t capacity = 0;
	akin_status st;

	while (query_next(q)) {
		void *grown = mem_grow(*ids, &capacity, *n, sizeof **ids);

		if (!grown) {
			q->rc = SQLITE_NOMEM;
			break;
		}
		*ids = grown;
		(*ids)[(*n)++] = sqlite3_column_int64(q->stmt, 0);
	}
	if ((st = query_close(q, err)) != AKIN_OK) {
		mem_free(*ids);
		*ids = NULL;
		*n = 0;
	}
	return st;
}

akin_status conn_error(struct conn *conn, int rc, akin_error *err)
{
	/* Some codes are akin's own: then SQLite's last message is about something else. */
	const bool its_own = conn->db && sqlite3_extended_errcode(conn->db) == rc;
	const char *path = conn->store->path, *why = its_own ? sqlite3_errmsg(conn->db) : sqlite3_errstr(rc);
	const int errno_value = conn->db ? sqlite3_system_errno(conn->db) : 0;

	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return error_set(err, AKIN_ERR_BUSY, "another akin process is writing to %s", path);
	case SQLITE_NOMEM: return error_nomem(err);
	case SQLITE_FULL: return error_set(err, AKIN_ERR_IO, "cannot write %s: no space left", path);
	case SQLITE_NOTADB: return error_set(err, AKIN_ERR_CORRUPT, "%s is not a store of akin", path);
	case SQLITE_CORRUPT: return error_set(err, AKIN_ERR_CORRUPT, "%s is damaged: %s", path, why);
	/* The SQL is fixed and tested: when it does not fit, the tables are others. */
	case SQLITE_ERROR: return error_set(err, AKIN_ERR_CORRUPT, "the tables of %s are not akin's: %s", path, why);
	case SQLITE_READONLY: return error_set(err, AKIN_ERR_IO, "%s or its folder cannot be written: %s", path, why);
	case SQLITE_CONSTRAINT: return error_set(err, AKIN_ERR_INVALID, "%s refuses a value: %s", path, why);
	case SQLITE_TOOBIG: return error_set(err, AKIN_ERR_LIMIT, "a value is too large for %s", path);
	case SQLITE_ABORT:
		return error_set(err, conn->failed != AKIN_OK ? conn->failed : AKIN_ERR_INTERNAL,
		                 "an earlier write to %s failed; everything since the last commit is undone", path);
	case SQLITE_IOERR:
		if (rc == SQLITE_IOERR_NOMEM) return error_nomem(err);
		if (rc == SQLITE_IOERR_CORRUPTFS) return error_set(err, AKIN_ERR_CORRUPT, "%s is damaged: %s", path, why);
		/* fall through */
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		if (errno_value) (void)error_errno(err, errno_value, "cannot open, read or write %s: %s", path, why);
		else (void)error_set(err, AKIN_ERR_IO, "cannot open, read or write %s: %s", path, why);
		if (err) err->status = AKIN_ERR_IO;
		return AKIN_ERR_IO;
	default: return error_set(err, AKIN_ERR_INTERNAL, "SQLite failed on %s: %s (%d)", path, why, rc);
	}
}
