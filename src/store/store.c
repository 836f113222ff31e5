/* store/store.c - the file: opening, closing, transactions, settings.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/str.h"

enum { BUSY_MS = 5000 };

/* ---- connections ---- */

/* A file from outside is not trusted: its views and triggers (akin has none) never run, its schema calls no functions
 * with side effects. No mmap: measured on 100,000 pictures it made the scan of all vectors 1.3 times as fast, but look-ups
 * 3.5 and joins 10 times as slow (mapped pages bypass the page cache), and an I/O error would be a SIGBUS. */
static const char settings[] = "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON;"
                               "PRAGMA synchronous = FULL; PRAGMA mmap_size = 0; PRAGMA cache_size = -16384;"
                               "PRAGMA journal_size_limit = 67108864";

static akin_status connect(struct conn *conn, const char *path, int flags, akin_error *err)
{
	int rc = sqlite3_open_v2(path, &conn->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_busy_timeout(conn->db, BUSY_MS);
		sqlite3_db_config(conn->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		sqlite3_db_config(conn->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
		sqlite3_db_config(conn->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
		rc = functions_register(conn);
		if (rc == SQLITE_OK) rc = tokenizer_register(conn);
		if (rc == SQLITE_OK) rc = sqlite3_exec(conn->db, settings, NULL, NULL, NULL);
	}
	return rc == SQLITE_OK ? AKIN_OK : conn_error(conn, rc, err);
}

/* WAL is remembered by the file; the page size must be chosen before it holds anything. 8 kB: three float16 vectors of
 * 1,280 dimensions fill one to 94 %. 4 kB holds one (the file was 1.44 times as large, writing 1.2 to 1.7 times as slow),
 * 16 kB is no smaller and wrote 1.1 to 1.6 times as slowly. */
static akin_status use_wal(struct store *store, bool fresh, akin_error *err)
{
	bool wal = false;
	struct query q;
	akin_status st;
	int rc = fresh ? sqlite3_exec(store->write.db, "PRAGMA page_size = 8192", NULL, NULL, NULL) : SQLITE_OK;

	if (rc != SQLITE_OK) return conn_error(&store->write, rc, err);
	query_open(&q, store, "PRAGMA journal_mode = WAL");
	if (query_next(&q)) wal = !strcmp(query_column_text(&q, 0), "wal");
	if ((st = query_close(&q, err)) != AKIN_OK || wal) return st;
	return error_set(err, AKIN_ERR_UNSUPPORTED, "%s must lie on a local file system: its folder has no shared memory",
	                 store->path);
}

static akin_status try_open_writer(struct store *store, akin_error *err)
{
	const int create = store->mode == STORE_CREATE ? SQLITE_OPEN_CREATE : 0;
	unsigned version;
	akin_status st;

	if ((st = connect(&store->write, store->path, SQLITE_OPEN_READWRITE | create, err)) != AKIN_OK) return st;
	if (sqlite3_db_readonly(store->write.db, "main") == 1)
		return error_set(err, AKIN_ERR_IO, "%s may be read, but not written", store->path);
	if ((st = migrate_identify(store, STORE_SCHEMA, &version, err)) != AKIN_OK) return st;
	if (!version && !create) return error_set(err, AKIN_ERR_CORRUPT, "%s is empty, not a store of akin", store->path);
	if ((st = use_wal(store, !version, err)) != AKIN_OK) return st;
	return version < STORE_SCHEMA ? migrate(store, migrate_steps, STORE_SCHEMA, err) : AKIN_OK;
}

/* Two processes that create a file at once would wait for one another to make it WAL: SQLite then gives one of them up
 * without waiting, and it has to come again. */
static akin_status open_writer(struct store *store, akin_error *err)
{
	const double until = clock_seconds() + (double)BUSY_MS / 1e3;
	akin_status st;

	while ((st = try_open_writer(store, err)) == AKIN_ERR_BUSY && clock_seconds() < until) {
		conn_close(&store->write);
		store->write.failed = AKIN_OK;
		sqlite3_sleep(10);
	}
	return st;
}

/* ---- reading without the right to write ----
 * A WAL database needs its -shm file even for reading. Where that cannot be made, the file alone is the whole truth if,
 * and only if, no -wal file holds more. */

static char *immutable_uri(const char *path)
{
	struct buf uri = BUF_EMPTY;

	buf_puts(&uri, "file:");
	for (const unsigned char *p = (const unsigned char *)path; *p; p++) {
		if (strchr("/._-", *p) || (*p >= '0' && *p <= '9') || ((*p | 32) >= 'a' && (*p | 32) <= 'z'))
			buf_add(&uri, p, 1);
		else buf_printf(&uri, "%%%02x", *p);
	}
	buf_puts(&uri, "?immutable=1");
	return buf_take(&uri);
}

static akin_status reopen_immutable(struct store *store, akin_error *err)
{
	akin_status st = AKIN_ERR_NOMEM;
	char *wal = str_printf("%s-wal", store->path), *uri = immutable_uri(store->path);

	if (!wal || !uri) {
		error_nomem(err);
	} else if (fs_size(wal)) {
		st = error_set(err, AKIN_ERR_IO, "%s holds changes that only who may write its folder can read", wal);
	} else {
		conn_close(&store->read);
		st = connect(&store->read, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, err);
	}
	mem_free(wal);
	mem_free(uri);
	return st;
}

static bool needs_shared_memory(struct store *store)
{
	const int rc = sqlite3_errcode(store->read.db) & 0xff;

	return rc == SQLITE_CANTOPEN || rc == SQLITE_READONLY;
}

static akin_status open_reader(struct store *store, akin_error *err)
{
	unsigned version;
	akin_status st = connect(&store->read, store->path, SQLITE_OPEN_READONLY, err);

	if (st == AKIN_ERR_IO && store->mode == STORE_READ && needs_shared_memory(store))
		st = reopen_immutable(store, err);
	if (st != AKIN_OK || (st = migrate_identify(store, STORE_SCHEMA, &version, err)) != AKIN_OK) return st;
	if (!version) return error_set(err, AKIN_ERR_CORRUPT, "%s is empty, not a store of akin", store->path);
	if (version < STORE_SCHEMA)
		return error_set(err, AKIN_ERR_UNSUPPORTED, "%s has the old schema %u: who may write it must open it once",
		                 store->path, version);
	return AKIN_OK;
}

static akin_status read_identity(struct store *store, akin_error *err)
{
	bool known = false;
	struct query q;
	akin_status st;

	query_open(&q, store, "SELECT identity FROM state");
	if (query_next(&q) && sqlite3_column_bytes(q.stmt, 0) == sizeof store->identity) {
		memcpy(store->identity, sqlite3_column_blob(q.stmt, 0), sizeof store->identity);
		known = true;
	}
	if ((st = query_close(&q, err)) != AKIN_OK || known) return st;
	return error_set(err, AKIN_ERR_CORRUPT, "%s is damaged: it has no identity", store->path);
}

static void init_locks(struct store *store)
{
	pthread_mutexattr_t recursive;

	pthread_mutexattr_init(&recursive);
	pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&store->read_lock, &recursive);
	pthread_mutex_init(&store->write_lock, NULL);
	pthread_mutexattr_destroy(&recursive);
}

akin_status store_open(struct store **out, const char *path, enum store_mode mode, akin_error *err)
{
	struct store *store;
	struct stat info;
	akin_status st = AKIN_OK;

	*out = NULL;
	if (stat(path, &info) != 0) {
		if (errno != ENOENT || mode != STORE_CREATE) return error_errno(err, errno, "cannot open %s", path);
	} else if (!S_ISREG(info.st_mode)) {
		return error_set(err, AKIN_ERR_CORRUPT, "%s is not a file", path);
	}
	if (!(store = mem_zalloc(sizeof *store))) return error_nomem(err);
	store->mode = mode;
	store->read.store = store->write.store = store;
	init_locks(store);
	if (!(store->path = mem_strdup(path))) st = error_nomem(err);
	if (st == AKIN_OK && mode != STORE_READ) {
		atomic_store(&store->writer, thread_self()); /* queries go to the writing connection */
		st = open_writer(store, err);
		atomic_store(&store->writer, 0);
	}
	if (st == AKIN_OK) st = open_reader(store, err);
	if (st == AKIN_OK) st = read_identity(store, err);
	if (st != AKIN_OK) {
		store_close(store);
		return st;
	}
	*out = store;
	return AKIN_OK;
}

void store_close(struct store *store)
{
	if (!store) return;
	assert(!atomic_load(&store->reader));
	if (store_is_writing(store)) store_rollback(store);
	/* The writer last: only it may fold the WAL into the file. */
	conn_close(&store->read);
	conn_close(&store->write);
	pthread_mutex_destroy(&store->read_lock);
	pthread_mutex_destroy(&store->write_lock);
	mem_free(store->put_ids);
	mem_free(store->touched);
	mem_free(store->path);
	mem_free(store);
}

void store_set_busy_ms(struct store *store, int busy_ms)
{
	pthread_mutex_lock(&store->write_lock);
	pthread_mutex_lock(&store->read_lock);
	sqlite3_busy_timeout(store->read.db, busy_ms);
	if (store->write.db) sqlite3_busy_timeout(store->write.db, busy_ms);
	pthread_mutex_unlock(&store->read_lock);
	pthread_mutex_unlock(&store->write_lock);
}

void store_identity(const struct store *store, uint8_t out[16])
{
	memcpy(out, store->identity, 16);
}

/* ---- write transactions ---- */

/* Undo what is open on the writing connection. Under an error SQLite often has done so itself. */
static akin_status undo(struct store *store, akin_error *err)
{
	store->write.failed = AKIN_OK;
	return sqlite3_get_autocommit(store->write.db) ? AKIN_OK : query_run(store, "ROLLBACK", 0, err);
}

static void end_writing(struct store *store)
{
	store->n_put = store->n_touched = 0;
	store->write.failed = AKIN_OK;
	atomic_store(&store->writer, 0);
	pthread_mutex_unlock(&store->write_lock);
}

akin_status store_begin(struct store *store, akin_error *err)
{
	int64_t generation = -1;
	struct query rollback;
	akin_status st;

	if (!store->write.db) return error_set(err, AKIN_ERR_INVALID, "%s is open for reading only", store->path);
	assert(!store_is_writing(store));
	pthread_mutex_lock(&store->write_lock);
	atomic_store(&store->writer, thread_self());
	/* Prepared ahead, so that undoing needs no memory. */
	query_open(&rollback, store, "ROLLBACK");
	if ((st = query_close(&rollback, err)) != AKIN_OK || (st = undo(store, err)) != AKIN_OK) goto fail;
	if ((st = query_run(store, "BEGIN IMMEDIATE", 0, err)) != AKIN_OK) goto fail;
	if ((st = query_one(store, "SELECT generation FROM state", 0, &generation, err)) == AKIN_OK && generation < 0)
		st = error_set(err, AKIN_ERR_CORRUPT, "%s is damaged: it has no generation", store->path);
	if (st != AKIN_OK) goto fail;
	store->generation = store->generation_at_begin = (uint64_t)generation;
	return AKIN_OK;
fail:
	undo(store, NULL);
	end_writing(store);
	return st;
}

/* When COMMIT fails at its fsync, the frames lie complete in the WAL, and a recovery after a crash would take them for
 * committed. A change overwrites the first of them; the rest then fails its checksums. It leaves things as they were, in
 * two steps, because SQLite does not write a row that is written anew as it is. */
static void bury_failed_commit(struct store *store)
{
	static const char sql[] = "UPDATE state SET generation = ?1";
	const int64_t generation = (int64_t)store->generation_at_begin;

	if (undo(store, NULL) != AKIN_OK || query_run(store, "BEGIN IMMEDIATE", 0, NULL) != AKIN_OK) return;
	if (query_run(store, sql, generation + 1, NULL) == AKIN_OK && query_run(store, sql, generation, NULL) == AKIN_OK)
		(void)query_run(store, "COMMIT", 0, NULL);
	undo(store, NULL);
}

akin_status store_commit(struct store *store, akin_error *err)
{
	akin_status st;

	assert(store_is_writing(store));
	st = picture_sweep(store, err);
	if (st == AKIN_OK) st = keywords_flush(store, err);
	if (st == AKIN_OK && store->generation != store->generation_at_begin)
		st = query_run(store, "UPDATE state SET generation = ?1", (int64_t)store->generation, err);
	if (st != AKIN_OK) undo(store, NULL);
	else if ((st = query_run(store, "COMMIT", 0, err)) != AKIN_OK) bury_failed_commit(store);
	end_writing(store);
	return st;
}

void store_rollback(struct store *store)
{
	assert(store_is_writing(store));
	undo(store, NULL);
	end_writing(store);
}

/* ---- read transactions ---- */

akin_status store_read_begin(struct store *store, akin_error *err)
{
	akin_status st = AKIN_OK;
	struct query commit;

	if (store_is_writing(store)) return AKIN_OK; /* its own transaction is one state already */
	pthread_mutex_lock(&store->read_lock);
	if (!store->read_depth) {
		query_open(&commit, store, "COMMIT"); /* prepared ahead, so that the end needs no memory */
		if ((st = query_close(&commit, err)) == AKIN_OK) st = query_run(store, "BEGIN", 0, err);
	}
	if (st != AKIN_OK) {
		pthread_mutex_unlock(&store->read_lock);
		return st;
	}
	store->read_depth++;
	atomic_store(&store->reader, thread_self());
	return AKIN_OK;
}

void store_read_end(struct store *store)
{
	struct query q;

	if (atomic_load(&store->reader) != thread_self()) return;
	if (!--store->read_depth) {
		atomic_store(&store->reader, 0);
		query_open_on(&q, &store->read, "COMMIT");
		query_next(&q);
		(void)query_close(&q, NULL); /* there is nothing to write, so nothing to fail */
	}
	pthread_mutex_unlock(&store->read_lock);
}

/* ---- settings ---- */

akin_status store_setting_put(struct store *store, const char *name, const char *value, akin_error *err)
{
	struct query q;

	assert(store_is_writing(store));
	query_open(&q, store, value ? "REPLACE INTO setting (name, value) VALUES (?1, ?2)"
	                            : "DELETE FROM setting WHERE name = ?1");
	query_text(&q, 1, name);
	if (value) query_text(&q, 2, value);
	query_next(&q);
	return query_close(&q, err);
}

akin_status store_setting_get(struct store *store, const char *name, char **value, akin_error *err)
{
	struct query q;

	*value = NULL;
	query_open(&q, store, "SELECT value FROM setting WHERE name = ?1");
	query_text(&q, 1, name);
	if (query_next(&q) && !(*value = mem_strdup(query_column_text(&q, 0)))) q.rc = SQLITE_NOMEM;
	return query_close(&q, err);
}
