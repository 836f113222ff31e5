/* store/tags.c - what the user calls pictures. "Holiday" and "holiday" are one tag; it is shown as it was written first.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <assert.h>
#include <string.h>

#include <utf8proc.h>

#include "base/alloc.h"
#include "base/fold.h"

enum { TAG_MAX_BYTES = 200 };

static akin_status check_tag(const char *name, akin_error *err)
{
	const size_t n = strlen(name);
	const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)name;
	utf8proc_int32_t c;

	if (!n || n > TAG_MAX_BYTES)
		return error_set(err, AKIN_ERR_INVALID, "a tag has 1 to %d bytes, not %zu", TAG_MAX_BYTES, n);
	if (name[0] == ' ' || name[n - 1] == ' ')
		return error_set(err, AKIN_ERR_INVALID, "a tag neither begins nor ends with a blank: \"%s\"", name);
	for (utf8proc_ssize_t used; *p; p += used) {
		used = utf8proc_iterate(p, -1, &c);
		if (used <= 0) return error_set(err, AKIN_ERR_INVALID, "the tag \"%s\" is not UTF-8", name);
		if (c < 0x20 || (c >= 0x7f && c < 0xa0))
			return error_set(err, AKIN_ERR_INVALID, "a tag has no control characters");
	}
	return AKIN_OK;
}

/* The first spelling of a tag that exists already. */
static akin_status put_tag(struct store *store, int64_t id, const char *folded, const char *name, bool *changed, akin_error *err)
{
	struct query q;

	query_open(&q, store, "INSERT INTO tag (picture_id, folded, name)"
	                      " VALUES (?1, ?2, coalesce((SELECT name FROM tag WHERE folded = ?2 LIMIT 1), ?3))"
	                      " ON CONFLICT DO NOTHING");
	query_int(&q, 1, id);
	query_text(&q, 2, folded);
	query_text(&q, 3, name);
	query_next(&q);
	if (q.rc == SQLITE_DONE) *changed = sqlite3_changes(q.conn->db) > 0;
	return query_close(&q, err);
}

static akin_status delete_tag(struct store *store, int64_t id, const char *folded, bool *changed, akin_error *err)
{
	struct query q;

	query_open(&q, store, "DELETE FROM tag WHERE picture_id = ?1 AND folded = ?2");
	query_int(&q, 1, id);
	query_text(&q, 2, folded);
	query_next(&q);
	if (q.rc == SQLITE_DONE) *changed = sqlite3_changes(q.conn->db) > 0;
	return query_close(&q, err);
}

akin_status store_tag_set(struct store *store, int64_t picture_id, const char *name, bool present, bool *changed,
                          akin_error *err)
{
	int64_t known = 0;
	char *folded;
	akin_status st;

	assert(store_is_writing(store));
	*changed = false;
	if ((st = check_tag(name, err)) != AKIN_OK) return st;
	if ((st = query_one(store, "SELECT 1 FROM picture WHERE id = ?1", picture_id, &known, err)) != AKIN_OK) return st;
	if (!known) return error_set(err, AKIN_ERR_NOT_FOUND, "no picture has id %lld", (long long)picture_id);
	if (!(folded = fold_string(name))) return error_nomem(err);
	st = present ? put_tag(store, picture_id, folded, name, changed, err)
	             : delete_tag(store, picture_id, folded, changed, err);
	mem_free(folded);
	return st == AKIN_OK && *changed ? keywords_touch(store, picture_id, err) : st;
}

akin_status store_tags_of(struct store *store, int64_t picture_id, int (*each)(void *ctx, const char *name), void *ctx,
                          akin_error *err)
{
	struct query q;

	query_open(&q, store, "SELECT name FROM tag WHERE picture_id = ?1 ORDER BY folded");
	query_int(&q, 1, picture_id);
	while (query_next(&q)) {
		const char *name = query_column_text(&q, 0);

		if (q.rc != SQLITE_ROW || each(ctx, name)) break;
	}
	return query_close(&q, err);
}

akin_status store_tags(struct store *store, int (*each)(void *ctx, const char *name, uint64_t pictures), void *ctx,
                       akin_error *err)
{
	struct query q;

	query_open(&q, store, "SELECT min(name), count(*) FROM tag GROUP BY folded ORDER BY folded");
	while (query_next(&q)) {
		const char *name = query_column_text(&q, 0);

		if (q.rc != SQLITE_ROW || each(ctx, name, (uint64_t)sqlite3_column_int64(q.stmt, 1))) break;
	}
	return query_close(&q, err);
}
