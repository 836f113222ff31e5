/* store/check.c - counting, checking, compacting.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"

static akin_status count(struct store *store, const char *sql, int64_t id, uint64_t *out, akin_error *err)
{
	int64_t value = 0;
	akin_status st = query_one(store, sql, id, &value, err);

	*out = (uint64_t)value;
	return st;
}

static akin_status size_on_disk(struct store *store, uint64_t *bytes, akin_error *err)
{
	char *wal = str_printf("%s-wal", store->path);

	if (!wal) return error_nomem(err);
	*bytes = fs_size(store->path) + fs_size(wal);
	mem_free(wal);
	return AKIN_OK;
}

akin_status store_count(struct store *store, int64_t model_id, struct store_counts *out, akin_error *err)
{
	const struct {
		const char *sql;
		uint64_t *to;
	} counts[] = {
		{ "SELECT count(*) FROM picture WHERE is_foreign"
		  " OR EXISTS (SELECT 1 FROM file WHERE picture_id = picture.id AND state = 0)", &out->pictures },
		{ "SELECT count(*) FROM file WHERE state = 0", &out->files },
		{ "SELECT count(*) FROM file WHERE state = 1", &out->missing },
		{ "SELECT count(*) FROM file WHERE state = 2", &out->failed },
		{ "SELECT count(*) FROM feature WHERE model_id = ?1", &out->features },
	};
	akin_status st;

	*out = (struct store_counts){ .schema = STORE_SCHEMA }; /* nothing older stays open */
	if ((st = store_read_begin(store, err)) != AKIN_OK) return st;
	for (size_t i = 0; st == AKIN_OK && i < COUNT(counts); i++)
		st = count(store, counts[i].sql, model_id, counts[i].to, err);
	store_read_end(store);
	return st == AKIN_OK ? size_on_disk(store, &out->bytes, err) : st;
}

/* ---- checking: each statement's rows are the findings ---- */

#define ID_MAY_COME_AGAIN(table)                                                                                     \
	"SELECT 'S4: a " table " has an id that may be given again: ' || max(id) FROM " table                          \
	" HAVING max(id) > coalesce((SELECT seq FROM sqlite_sequence WHERE name = '" table "'), 0)"

static const char *const rules[] = {
	"SELECT 'table ' || \"table\" || ', row ' || coalesce(rowid, '?') || ': refers to a missing ' || parent"
	" FROM pragma_foreign_key_check",
	"SELECT 'S2: change ' || seq || ' is numbered above the generation ' || generation"
	" FROM (SELECT seq FROM feature UNION ALL SELECT seq FROM removal), state WHERE seq > generation",
	"SELECT 'S2: number ' || seq || ' is given to two changes' FROM feature JOIN removal USING (seq)",
	"SELECT 'S3: picture ' || id || ' has neither file nor feature' FROM picture WHERE NOT is_foreign"
	" AND NOT EXISTS (SELECT 1 FROM file WHERE picture_id = picture.id)"
	" AND NOT EXISTS (SELECT 1 FROM feature WHERE picture_id = picture.id)",
	ID_MAY_COME_AGAIN("picture"),
	ID_MAY_COME_AGAIN("model"),
	"SELECT 'S4: picture ' || picture_id || ' was removed and is there' FROM removal"
	" JOIN picture ON picture.id = picture_id",
	"SELECT 'the vector of picture ' || picture_id || ' by model ' || model_id || ' has ' || length(data) || ' bytes'"
	" FROM feature JOIN model ON model.id = model_id WHERE length(data) <> dim * iif(encoding = 1, 4, 2)",
	keywords_rows_that_lie,
	"SELECT 'a path is empty or holds a zero byte: ' || hex(path) FROM file WHERE path = x'' OR instr(path, x'00')",
};

static akin_status report(struct store *store, const char *sql, void (*each)(void *ctx, const char *finding), void *ctx,
                          akin_error *err)
{
	struct query q;

	query_open(&q, store, sql);
	while (query_next(&q)) {
		const char *finding = query_column_text(&q, 0);

		if (q.rc == SQLITE_ROW && strcmp(finding, "ok")) each(ctx, finding);
	}
	return query_close(&q, err);
}

akin_status store_check(struct store *store, bool deep, void (*each)(void *ctx, const char *finding), void *ctx,
                        akin_error *err)
{
	akin_status st;

	if ((st = store_read_begin(store, err)) != AKIN_OK) return st;
	st = report(store, deep ? "PRAGMA integrity_check" : "PRAGMA quick_check", each, ctx, err);
	for (size_t i = 0; st == AKIN_OK && i < COUNT(rules); i++) st = report(store, rules[i], each, ctx, err);
	store_read_end(store);
	/* Damage that stops the check is a finding, not a failure of the check. */
	if (st != AKIN_ERR_CORRUPT) return st;
	each(ctx, err ? err->text : "the file is damaged");
	error_clear(err);
	return AKIN_OK;
}

akin_status store_compact(struct store *store, akin_error *err)
{
	akin_status st;

	if (!store->write.db) return error_set(err, AKIN_ERR_INVALID, "%s is open for reading only", store->path);
	pthread_mutex_lock(&store->write_lock);
	atomic_store(&store->writer, thread_self());
	st = query_run(store, "VACUUM", 0, err);
	/* Readers may keep it from being emptied; then a later close does that. */
	if (st == AKIN_OK) st = query_run(store, "PRAGMA wal_checkpoint(TRUNCATE)", 0, err);
	store->write.failed = AKIN_OK;
	atomic_store(&store->writer, 0);
	pthread_mutex_unlock(&store->write_lock);
	return error_note(err, st, "compacting");
}
