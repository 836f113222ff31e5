/* store/internal.h - what the files of store/ share: connections, cached statements, migration.
 *
 * A handle opened for writing has two connections. The thread between store_begin and store_commit works on `write` and
 * sees its own changes; all others read committed data through `read`, one at a time, and never wait for the writer.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_STORE_INTERNAL_H
#define AKIN_STORE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "store/store.h"

enum { STATE_FAILED = 2 }; /* beside enum file_state, in the table only */

struct conn {
	struct store *store;
	sqlite3 *db;
	struct statement *idle; /* prepared, waiting for their next use */
	size_t n_idle, capacity;
	akin_status failed;     /* of a write transaction: it must not commit any more */
	struct buf folded;      /* room for functions.c */
};

struct store {
	char *path;
	enum store_mode mode;
	uint8_t identity[16];
	struct conn read, write;
	pthread_mutex_t read_lock; /* recursive: callbacks may read */
	pthread_mutex_t write_lock;
	_Atomic uintptr_t writer, reader; /* the thread inside store_begin, store_read_begin; 0: none */
	unsigned read_depth;
	uint64_t generation, generation_at_begin; /* of the write transaction */
	int64_t *put_ids; /* pictures put by it, for S3 */
	size_t n_put, put_capacity;
	bool keep_fileless;
	int64_t *touched; /* pictures whose keywords must be made again before the commit */
	size_t n_touched, touched_capacity;
};

uintptr_t thread_self(void);
/* True in the thread that is between store_begin and store_commit. */
bool store_is_writing(struct store *store);

/* ---- query.c: one statement, from open to close ----
 *
 *   query_open(&q, store, "SELECT id FROM picture WHERE hash = ?1");
 *   query_bytes(&q, 1, hash, HASH_BYTES);
 *   while (query_next(&q)) ...sqlite3_column_int64(q.stmt, 0)...
 *   return query_close(&q, err);
 *
 * The first failure sticks, makes the rest do nothing and is reported by query_close. The SQL must be a literal: its
 * address is the key of the cache. Between open and close the connection belongs to the calling thread. */
struct query {
	struct conn *conn;
	sqlite3_stmt *stmt;
	const char *sql;
	int rc;
	bool once; /* not kept for the next time */
};
/* For SQL that is made for this one use. */
void query_open_once(struct query *q, struct store *store, const char *sql);
void query_open(struct query *q, struct store *store, const char *sql);
void query_open_on(struct query *q, struct conn *conn, const char *sql);
void query_int(struct query *q, int at, int64_t value);
void query_double(struct query *q, int at, double value);
void query_text(struct query *q, int at, const char *text);                /* NULL allowed */
void query_bytes(struct query *q, int at, const void *bytes, size_t n);    /* a BLOB, also when n == 0 */
bool query_next(struct query *q);
/* A column as a string, never NULL while the query has not failed. */
const char *query_column_text(struct query *q, int column);
/* A column of HASH_BYTES bytes; any other length is damage. */
void query_column_hash(struct query *q, int column, uint8_t out[HASH_BYTES]);
akin_status query_close(struct query *q, akin_error *err);
/* Run a statement without result; `id` is ?1 when the statement has parameters. */
akin_status query_run(struct store *store, const char *sql, int64_t id, akin_error *err);
/* *out is column 0 of the first row; unchanged when there is none. */
akin_status query_one(struct store *store, const char *sql, int64_t id, int64_t *out, akin_error *err);
/* Column 0 of every row of an open query, which it closes. */
akin_status query_ids(struct query *q, int64_t **ids, size_t *n, akin_error *err);
void conn_close(struct conn *conn);
/* The sentence for an SQLite result code. */
akin_status conn_error(struct conn *conn, int rc, akin_error *err);

/* ---- migrate.c ---- */
/* steps[v] leads from schema v to v + 1. */
akin_status migrate(struct store *store, const char *const *steps, unsigned n_steps, akin_error *err);
/* Is it akin's, and does this build know its schema? *version 0: an empty file. */
akin_status migrate_identify(struct store *store, unsigned newest, unsigned *version, akin_error *err);
extern const char *const migrate_steps[STORE_SCHEMA];

/* ---- functions.c ---- */
int functions_register(struct conn *conn); /* an SQLite result code */
/* A folded text against a pattern of struct filter. */
bool text_matches(const char *pattern, const char *text, size_t n);
double kilometres_between(double latitude1, double longitude1, double latitude2, double longitude2);

/* ---- tokenizer.c ---- */
enum { TOKEN_STEM = 0x1f, TOKEN_ALONE = 0x1e }; /* before tokens that are not words themselves */
int tokenizer_register(struct conn *conn); /* an SQLite result code */

/* ---- keywords.c ---- */
/* What the picture's keywords are made of has changed. */
akin_status keywords_touch(struct store *store, int64_t picture_id, akin_error *err);
akin_status keywords_flush(struct store *store, akin_error *err);
extern const char keywords_rows_that_lie[]; /* for store_check: a finding a row */

/* ---- pictures.c ---- */
akin_status picture_forget(struct store *store, int64_t id, akin_error *err);
akin_status picture_forget_if_fileless(struct store *store, int64_t id, akin_error *err);
/* S3 for the pictures put by this transaction. */
akin_status picture_sweep(struct store *store, akin_error *err);

/* ---- fault.c: for tests only, before anything else uses SQLite in the process ---- */
/* From here on SQLite's memory comes from base/alloc, and its writes and syncs ask base/fault. */
akin_status store_faults_install(akin_error *err);

#endif
