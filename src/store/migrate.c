/* store/migrate.c - from an empty file or an older schema to today's, in one transaction.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include "store/schema.sql.h"
#include "store/schema2.sql.h"

enum { APPLICATION_ID = 0x616b696e };

/* A new schema appends its step here; schema.sql stays what version 1 was. */
const char *const migrate_steps[STORE_SCHEMA] = { sql_schema, sql_schema2 };

akin_status migrate_identify(struct store *store, unsigned newest, unsigned *version, akin_error *err)
{
	int64_t application = 0, schema = 0, tables = 0;
	akin_status st;
	struct query q;

	*version = 0;
	query_open(&q, store, "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)"
	                      " FROM pragma_application_id, pragma_user_version");
	if (query_next(&q)) {
		application = sqlite3_column_int64(q.stmt, 0);
		schema = sqlite3_column_int64(q.stmt, 1);
		tables = sqlite3_column_int64(q.stmt, 2);
	}
	if ((st = query_close(&q, err)) != AKIN_OK) return st;
	if (!application && !schema && !tables) return AKIN_OK;
	if (application != APPLICATION_ID || schema < 1 || !tables)
		return error_set(err, AKIN_ERR_CORRUPT, "%s is an SQLite file, but not a store of akin", store->path);
	if (schema > newest)
		return error_set(err, AKIN_ERR_UNSUPPORTED, "%s was written by a newer akin: it has schema %lld, not %u",
		                 store->path, (long long)schema, newest);
	*version = (unsigned)schema;
	return AKIN_OK;
}

akin_status migrate(struct store *store, const char *const *steps, unsigned n_steps, akin_error *err)
{
	sqlite3 *db = store->write.db;
	akin_status st = AKIN_OK;
	char set_version[64];
	unsigned version;
	int rc;

	/* Asked again under the lock: another process may just have done it. */
	rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (rc != SQLITE_OK) return conn_error(&store->write, rc, err);
	if ((st = migrate_identify(store, n_steps, &version, err)) != AKIN_OK) goto out;
	for (unsigned v = version; v < n_steps && rc == SQLITE_OK; v++) rc = sqlite3_exec(db, steps[v], NULL, NULL, NULL);
	/* Names, folders and labels are known to older versions. */
	if (rc == SQLITE_OK && version == 1) st = store_keywords_rebuild(store, err);
	if (st != AKIN_OK) goto out;
	sqlite3_snprintf(sizeof set_version, set_version, "PRAGMA user_version = %u", n_steps);
	if (rc == SQLITE_OK) rc = sqlite3_exec(db, set_version, NULL, NULL, NULL);
	if (rc == SQLITE_OK) rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	if (rc != SQLITE_OK) st = conn_error(&store->write, rc, err);
out:
	/* When even that fails, closing the connection undoes it: a failed migration fails the open. */
	if (st != AKIN_OK) sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return error_note(err, st, "bringing the tables up to date");
}
