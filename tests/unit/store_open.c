/* store/: opening what is and what is not a store, older and newer schemas, folders that cannot be written.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "store/internal.h"

static akin_error err;

static struct store *opened(const char *path, enum store_mode mode)
{
	struct store *s;

	CHECK_OK(store_open(&s, path, mode, &err), &err);
	return s;
}

static void refused(const char *path, enum store_mode mode, akin_status wanted)
{
	struct store *s;

	CHECK_STATUS(store_open(&s, path, mode, &err), wanted);
	CHECK(!s && strstr(err.text, path), "the sentence does not name the file: %s\n", err.text);
}

static void run_sql(const char *path, const char *sql)
{
	sqlite3 *db;

	CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	CHECK(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s\n", sqlite3_errmsg(db));
	sqlite3_close(db);
}

static void put_setting(struct store *s, const char *value)
{
	CHECK_OK(store_begin(s, &err), &err);
	CHECK_OK(store_setting_put(s, "name", value, &err), &err);
	CHECK_OK(store_commit(s, &err), &err);
}

static bool setting_is(struct store *s, const char *wanted)
{
	char *value;
	bool same;

	CHECK_OK(store_setting_get(s, "name", &value, &err), &err);
	same = value ? wanted && !strcmp(value, wanted) : !wanted;
	mem_free(value);
	return same;
}

TEST(only_stores_are_opened)
{
	const char *text = test_path("text"), *other = test_path("other.db");
	const char *empty = test_path("empty"), *store = test_path("store");
	char noise[8192];

	for (size_t i = 0; i < sizeof noise; i++) noise[i] = (char)(i * 7);
	CHECK_OK(fs_write(text, noise, sizeof noise, &err), &err);
	CHECK_OK(fs_write(empty, "", 0, &err), &err);
	run_sql(other, "CREATE TABLE t (x)");
	for (enum store_mode mode = STORE_READ; mode <= STORE_CREATE; mode++) {
		refused(text, mode, AKIN_ERR_CORRUPT);
		refused(other, mode, AKIN_ERR_CORRUPT);
		refused(test_dir(), mode, AKIN_ERR_CORRUPT);
		if (mode != STORE_CREATE) refused(empty, mode, AKIN_ERR_CORRUPT);
		if (mode != STORE_CREATE) refused(store, mode, AKIN_ERR_NOT_FOUND);
	}
	/* A file that a killed process has just created. */
	store_close(opened(empty, STORE_CREATE));
	store_close(opened(empty, STORE_READ));
}

TEST(damage_is_found)
{
	const char *path = test_path("damaged");
	struct store *s = opened(path, STORE_CREATE);
	struct buf whole = BUF_EMPTY;
	akin_status st;

	put_setting(s, "value");
	store_close(s);
	CHECK_OK(fs_read(path, 1 << 24, &whole, &err), &err);
	for (size_t page = 1; page < whole.len / 8192; page++) memset(whole.data + page * 8192, 0x5a, 64);
	CHECK_OK(fs_write(path, whole.data, whole.len, &err), &err);
	buf_deinit(&whole);
	st = store_open(&s, path, STORE_WRITE, &err);
	CHECK(st == AKIN_ERR_CORRUPT && strstr(err.text, path), "%s: %s\n", akin_status_name(st), err.text);
}

TEST(a_hash_of_another_length_is_damage)
{
	const char *path = test_path("short hash");
	struct store_picture picture;
	struct store *s;

	store_close(opened(path, STORE_CREATE));
	run_sql(path, "PRAGMA ignore_check_constraints = ON;"
	              "INSERT INTO picture (id, hash, width, height, format, bytes, added_at, is_foreign)"
	              " VALUES (1, x'00', 1, 1, 'png', 1, 1, 1)");
	s = opened(path, STORE_READ);
	CHECK_STATUS(store_picture_get(s, 1, &picture, &err), AKIN_ERR_CORRUPT);
	CHECK(strstr(err.text, path) && strstr(err.text, "malformed"), "%s\n", err.text);
	store_close(s);
}

TEST(an_identity_lasts)
{
	const char *path = test_path("identity");
	uint8_t made[16], read[16], other[16];
	struct store *s = opened(path, STORE_CREATE);

	store_identity(s, made);
	store_close(s);
	s = opened(path, STORE_READ);
	store_identity(s, read);
	CHECK_STATUS(store_begin(s, &err), AKIN_ERR_INVALID);
	store_close(s);
	s = opened(test_path("identity2"), STORE_CREATE);
	store_identity(s, other);
	store_close(s);
	CHECK(!memcmp(made, read, 16) && memcmp(made, other, 16));
}

/* ---- migration to invented schemas ---- */

static const char *const invented[] = { "not run", "not run", "ALTER TABLE setting ADD COLUMN extra TEXT",
	                                "CREATE TABLE later (x INTEGER) STRICT" };

static int64_t version_of(struct store *s)
{
	int64_t version = -1;

	CHECK_OK(query_one(s, "PRAGMA user_version", 0, &version, &err), &err);
	return version;
}

static akin_status migrate_as_writer(struct store *s, const char *const *steps, unsigned n)
{
	akin_status st;

	atomic_store(&s->writer, thread_self());
	st = migrate(s, steps, n, &err);
	atomic_store(&s->writer, 0);
	return st;
}

TEST(an_older_schema_is_migrated_in_one_transaction)
{
	const char *const failing[] = { "not run", "not run", invented[2], "CREATE TABLE later (x); SELECT nonsense" };
	const char *path = test_path("older");
	struct store *s = opened(path, STORE_CREATE);
	int64_t n = 0;

	put_setting(s, "kept");
	CHECK(migrate_as_writer(s, failing, 4) != AKIN_OK);
	CHECK(version_of(s) == STORE_SCHEMA);
	CHECK_OK(query_one(s, "SELECT count(*) FROM pragma_table_info('setting')", 0, &n, &err), &err);
	CHECK(n == 2, "a failed migration left a column\n");
	s->write.failed = AKIN_OK;
	CHECK_OK(migrate_as_writer(s, invented, 4), &err);
	CHECK(version_of(s) == 4 && setting_is(s, "kept"));
	store_close(s);
	refused(path, STORE_READ, AKIN_ERR_UNSUPPORTED);
	refused(path, STORE_WRITE, AKIN_ERR_UNSUPPORTED);
	refused(path, STORE_CREATE, AKIN_ERR_UNSUPPORTED);
}

/* What version 1 was, with a picture in it. */
static void make_first_schema(const char *path)
{
	run_sql(path, "PRAGMA journal_mode = WAL");
	run_sql(path, migrate_steps[0]);
	run_sql(path, "PRAGMA user_version = 1; INSERT INTO setting VALUES ('name', 'value');"
	              "INSERT INTO picture VALUES (3, zeroblob(32), 640, 480, 'jpeg', 1000, 5, 0);"
	              "INSERT INTO file VALUES (CAST('/a/Cat.jpg' AS BLOB), 0, 3, 1000, 7, 1, 1, NULL, NULL)");
}

static int count_keyword(void *ctx, const struct store_keyword_hit *hit)
{
	*(size_t *)ctx += hit->picture_id == 3;
	return 0;
}

TEST(the_first_schema_becomes_todays_and_lacks_facts)
{
	const char *path = test_path("first");
	struct store *s;
	struct facts facts;
	int64_t *ids;
	size_t n;

	make_first_schema(path);
	refused(path, STORE_READ, AKIN_ERR_UNSUPPORTED);
	s = opened(path, STORE_WRITE);
	CHECK(version_of(s) == STORE_SCHEMA && setting_is(s, "value"));
	CHECK_OK(store_without_facts(s, &ids, &n, &err), &err);
	CHECK(n == 1 && ids[0] == 3);
	mem_free(ids);
	n = 0;
	CHECK_OK(store_keywords_search(s, "cat", KEYWORDS_ALL, 0, count_keyword, &n, &err), &err);
	CHECK(n == 1, "names are no keywords yet\n");
	CHECK_OK(store_facts_get(s, 3, &facts, &err), &err);
	CHECK(!facts.has_taken && !facts.has_palette && !facts.text[FACT_TITLE]);
	facts_deinit(&facts);
	store_close(s);
	store_close(opened(path, STORE_READ));
}

TEST(a_first_schema_that_cannot_be_migrated_stays_what_it_was)
{
	const char *path = test_path("first, in the way");
	struct store *s;
	sqlite3 *db;
	sqlite3_stmt *stmt;

	make_first_schema(path);
	run_sql(path, "CREATE TABLE tag (mine)");
	CHECK(store_open(&s, path, STORE_WRITE, &err) != AKIN_OK && strstr(err.text, path), "%s\n", err.text);
	CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	CHECK(sqlite3_prepare_v2(db, "SELECT (SELECT count(*) FROM pragma_table_info('picture')), user_version FROM pragma_user_version",
	                         -1, &stmt, NULL) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW);
	CHECK(sqlite3_column_int(stmt, 0) == 8 && sqlite3_column_int(stmt, 1) == 1);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
}

/* ---- without the right to write ---- */

static void as_nobody(const char *path, akin_status wanted)
{
	int how;
	pid_t child = fork();

	if (!child) {
		struct store *s;
		akin_status st;

		if (geteuid() == 0 && (setgid(65534) || setuid(65534))) _exit(77);
		st = store_open(&s, path, STORE_READ, &err);
		if (st != wanted) fprintf(stderr, "%s: %s\n", akin_status_name(st), err.text);
		if (st == AKIN_OK && !setting_is(s, "value")) st = AKIN_ERR_INTERNAL;
		store_close(s);
		if (st == AKIN_OK && store_open(&s, path, STORE_WRITE, &err) == AKIN_OK) st = AKIN_ERR_INTERNAL;
		_exit(st == wanted ? 0 : 1);
	}
	CHECK(waitpid(child, &how, 0) == child && WIFEXITED(how));
	if (WEXITSTATUS(how) == 77) skip();
	CHECK(WEXITSTATUS(how) == 0, "%s\n", path);
}

TEST(a_folder_without_write_permission_can_be_read)
{
	const char *dir = test_path("locked %?#"), *path = test_path("locked %?#/s"), *wal = test_path("locked %?#/s-wal");
	struct store *s;

	CHECK(chmod(test_dir(), 0755) == 0 && mkdir(dir, 0755) == 0);
	s = opened(path, STORE_CREATE);
	put_setting(s, "value");
	store_close(s);
	CHECK(chmod(path, 0444) == 0 && chmod(dir, 0555) == 0);
	as_nobody(path, AKIN_OK);
	CHECK(chmod(dir, 0755) == 0);
	CHECK_OK(fs_write(wal, "what a crash left", 17, &err), &err);
	CHECK(chmod(dir, 0555) == 0);
	as_nobody(path, AKIN_ERR_IO);
	CHECK(chmod(dir, 0755) == 0);
}

/* ---- threads ---- */

static void *read_setting(void *store)
{
	return (void *)(uintptr_t)(setting_is(store, "old") ? 1 : 2);
}

TEST(other_threads_read_what_was_committed)
{
	struct store *s = opened(test_path("threads"), STORE_CREATE);
	pthread_t thread;
	void *saw = NULL;

	put_setting(s, "old");
	CHECK_OK(store_begin(s, &err), &err);
	CHECK_OK(store_setting_put(s, "name", "new", &err), &err);
	CHECK(setting_is(s, "new"), "the writer must see its own change\n");
	CHECK(pthread_create(&thread, NULL, read_setting, s) == 0 && pthread_join(thread, &saw) == 0);
	CHECK(saw == (void *)1, "another thread must not\n");
	CHECK_OK(store_commit(s, &err), &err);
	CHECK(setting_is(s, "new"));
	store_close(s);
}

TEST(reads_between_begin_and_end_see_one_state)
{
	const char *path = test_path("snapshot");
	struct store *s = opened(path, STORE_CREATE), *other = opened(path, STORE_WRITE);

	put_setting(s, "old");
	CHECK_OK(store_read_begin(s, &err), &err);
	CHECK(setting_is(s, "old"));
	put_setting(other, "new");
	CHECK(setting_is(s, "old"));
	put_setting(s, "newer"); /* the same thread may write meanwhile */
	CHECK(setting_is(s, "old"));
	store_read_end(s);
	CHECK(setting_is(s, "newer"));
	store_close(other);
	store_close(s);
}

TEST(a_failed_write_spoils_its_transaction)
{
	struct store *s = opened(test_path("spoilt"), STORE_CREATE);
	const struct store_label label = { 0, 0.5f };

	CHECK_OK(store_begin(s, &err), &err);
	CHECK_OK(store_setting_put(s, "name", "value", &err), &err);
	CHECK_STATUS(store_labels_put(s, 1, 1, &label, 1, &err), AKIN_ERR_INVALID); /* there is no picture 1 */
	CHECK_STATUS(store_setting_put(s, "name", "again", &err), AKIN_ERR_INVALID);
	CHECK_STATUS(store_commit(s, &err), AKIN_ERR_INVALID);
	CHECK(setting_is(s, NULL));
	put_setting(s, "later");
	CHECK(setting_is(s, "later"));
	store_close(s);
}

static void join_finding(void *ctx, const char *finding)
{
	CHECK(finding[0]);
	buf_printf(ctx, "%s\n", finding);
}

TEST(the_check_finds_each_broken_promise)
{
	static const struct {
		const char *sql, *says;
	} harms[] = {
		{ "INSERT INTO feature VALUES (9, 1, 1, 1, x'00000000')", "S2: change 9" },
		{ "UPDATE state SET generation = 9; INSERT INTO removal VALUES (1, 1, 7);"
		  "INSERT INTO feature VALUES (1, 1, 1, 1, x'00000000')", "S2: number 1" },
		{ "DELETE FROM file", "S3: picture 1" },
		{ "UPDATE sqlite_sequence SET seq = 0 WHERE name = 'picture'", "S4: a picture" },
		{ "UPDATE state SET generation = 9; INSERT INTO removal VALUES (1, 1, 1)", "S4: picture 1" },
		{ "UPDATE state SET generation = 9; INSERT INTO feature VALUES (1, 1, 1, 1, x'0000')", "has 2 bytes" },
		{ "UPDATE file SET path = x'2f6100'", "zero byte" },
		{ "UPDATE file SET picture_id = 5", "refers to a missing" },
		{ "UPDATE file SET path = x'2f62'", "the keywords of picture 1" },
		{ "PRAGMA foreign_keys = OFF; DELETE FROM file; DELETE FROM picture", "keywords of picture 1, which" },
	};

	for (size_t i = 0; i < COUNT(harms); i++) {
		const char *path;
		struct store *s;
		char name[16];
		struct buf all = BUF_EMPTY;

		snprintf(name, sizeof name, "harm%d", (int)i);
		store_close(opened(path = test_path(name), STORE_CREATE));
		run_sql(path, "INSERT INTO model VALUES (1, zeroblob(32), 'm', 1, 1);"
		              "INSERT INTO picture (id, hash, width, height, format, bytes, added_at, is_foreign)"
		              " VALUES (1, zeroblob(32), 1, 1, 'png', 1, 1, 0);"
		              "INSERT INTO file VALUES (x'2f61', 0, 1, 1, 1, 1, 1, NULL, NULL)");
		s = opened(path, STORE_WRITE);
		CHECK_OK(store_begin(s, &err), &err);
		CHECK_OK(store_keywords_rebuild(s, &err), &err);
		CHECK_OK(store_commit(s, &err), &err);
		CHECK_OK(store_check(s, true, join_finding, &all, &err), &err);
		CHECK(!all.len, "%s\n", all.data);
		store_close(s);
		run_sql(path, harms[i].sql);
		s = opened(path, STORE_WRITE);
		CHECK_OK(store_check(s, false, join_finding, &all, &err), &err);
		CHECK(all.len && strstr(all.data, harms[i].says), "harm %zu: %s\n", i, all.data);
		store_close(s);
		buf_deinit(&all);
	}
}

TEST_MAIN(cmocka_unit_test(only_stores_are_opened), cmocka_unit_test(damage_is_found), cmocka_unit_test(an_identity_lasts),
          cmocka_unit_test(a_hash_of_another_length_is_damage),
          cmocka_unit_test(an_older_schema_is_migrated_in_one_transaction),
          cmocka_unit_test(the_first_schema_becomes_todays_and_lacks_facts),
          cmocka_unit_test(a_first_schema_that_cannot_be_migrated_stays_what_it_was),
          cmocka_unit_test(a_folder_without_write_permission_can_be_read),
          cmocka_unit_test(other_threads_read_what_was_committed),
          cmocka_unit_test(reads_between_begin_and_end_see_one_state), cmocka_unit_test(a_failed_write_spoils_its_transaction),
          cmocka_unit_test(the_check_finds_each_broken_promise))
