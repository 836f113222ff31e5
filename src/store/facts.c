/* store/facts.c - what files tell of their pictures, in numbers and in texts.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"

enum { SWATCH_BYTES = 5 };

static void bind_palette(struct query *q, const struct facts *f, uint8_t packed[PALETTE_MAX * SWATCH_BYTES])
{
	int64_t colours = 0;

	if (!f->has_palette) return;
	for (unsigned i = 0; i < f->n_palette; i++) {
		const struct swatch *s = &f->palette[i];

		colours |= INT64_C(1) << s->colour;
		memcpy(packed + i * SWATCH_BYTES, (uint8_t[]){ s->colour, s->percent, s->rgb[0], s->rgb[1], s->rgb[2] }, SWATCH_BYTES);
	}
	query_int(q, 9, f->grey);
	query_int(q, 10, colours);
	query_bytes(q, 11, packed, f->n_palette * SWATCH_BYTES);
}

/* What only pixels tell stays when this time only the header was read. */
static akin_status put_numbers(struct store *store, int64_t id, const struct facts *f, akin_error *err)
{
	uint8_t packed[PALETTE_MAX * SWATCH_BYTES];
	struct query q;

	query_open(&q, store, "UPDATE picture SET facts = ?2, taken = ?3, zone = ?4, latitude = ?5, longitude = ?6,"
	                      " altitude = ?7, rating = ?8, grey = coalesce(?9, grey), colours = coalesce(?10, colours),"
	                      " palette = coalesce(?11, palette) WHERE id = ?1");
	query_int(&q, 1, id);
	query_int(&q, 2, STORE_FACTS);
	if (f->has_taken) query_int(&q, 3, f->taken);
	if (f->has_taken && f->has_zone) query_int(&q, 4, f->zone_minutes);
	if (f->has_place) query_double(&q, 5, f->latitude);
	if (f->has_place) query_double(&q, 6, f->longitude);
	if (f->has_place && f->has_altitude) query_double(&q, 7, f->altitude);
	if (f->has_rating) query_int(&q, 8, f->rating);
	bind_palette(&q, f, packed);
	query_next(&q);
	return query_close(&q, err);
}

static akin_status put_texts(struct store *store, int64_t id, const struct facts *f, akin_error *err)
{
	bool any = false;
	struct query q;

	for (int i = 0; i < FACT_TEXTS; i++) any = any || f->text[i];
	if (!any) return query_run(store, "DELETE FROM description WHERE picture_id = ?1", id, err);
	query_open(&q, store, "REPLACE INTO description (picture_id, make, model, lens, title, caption, creator, keywords,"
	                      " sidecar) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
	query_int(&q, 1, id);
	for (int i = 0; i < FACT_TEXTS; i++) query_text(&q, 2 + i, f->text[i]);
	query_next(&q);
	return query_close(&q, err);
}

akin_status store_facts_put(struct store *store, int64_t picture_id, const struct facts *facts, akin_error *err)
{
	int64_t known = 0;
	akin_status st;

	assert(store_is_writing(store));
	if ((st = query_one(store, "SELECT 1 FROM picture WHERE id = ?1", picture_id, &known, err)) != AKIN_OK) return st;
	if (!known) return error_set(err, AKIN_ERR_NOT_FOUND, "no picture has id %lld", (long long)picture_id);
	st = put_numbers(store, picture_id, facts, err);
	if (st == AKIN_OK) st = put_texts(store, picture_id, facts, err);
	return st == AKIN_OK ? keywords_touch(store, picture_id, err) : st;
}

static bool is_known(struct query *q, int column)
{
	return sqlite3_column_type(q->stmt, column) != SQLITE_NULL;
}

static void read_palette(struct query *q, int column, struct facts *f)
{
	const uint8_t *packed = sqlite3_column_blob(q->stmt, column);
	const int n = sqlite3_column_bytes(q->stmt, column) / SWATCH_BYTES;

	for (int i = 0; i < n && i < PALETTE_MAX; i++, packed += SWATCH_BYTES)
		if (packed[0] < COLOURS)
			f->palette[f->n_palette++] =
			        (struct swatch){ packed[0], packed[1], { packed[2], packed[3], packed[4] } };
}

static void read_facts(struct query *q, struct facts *f)
{
	sqlite3_stmt *s = q->stmt;

	f->has_taken = is_known(q, 0);
	f->taken = sqlite3_column_int64(s, 0);
	f->has_zone = is_known(q, 1);
	f->zone_minutes = sqlite3_column_int(s, 1);
	f->has_place = is_known(q, 2) && is_known(q, 3);
	f->latitude = sqlite3_column_double(s, 2);
	f->longitude = sqlite3_column_double(s, 3);
	f->has_altitude = is_known(q, 4);
	f->altitude = sqlite3_column_double(s, 4);
	f->has_rating = is_known(q, 5);
	f->rating = sqlite3_column_int(s, 5);
	f->has_palette = is_known(q, 6);
	f->grey = sqlite3_column_int(s, 6) != 0;
	read_palette(q, 7, f);
	for (int i = 0; i < FACT_TEXTS; i++)
		if (is_known(q, 8 + i) && !(f->text[i] = mem_strdup(query_column_text(q, 8 + i)))) q->rc = SQLITE_NOMEM;
}

akin_status store_facts_get(struct store *store, int64_t picture_id, struct facts *out, akin_error *err)
{
	struct query q;
	akin_status st;

	*out = (struct facts){ 0 };
	query_open(&q, store, "SELECT taken, zone, latitude, longitude, altitude, rating, grey, palette, make, model, lens,"
	                      " title, caption, creator, keywords, sidecar FROM picture"
	                      " LEFT JOIN description ON picture_id = id WHERE id = ?1");
	query_int(&q, 1, picture_id);
	if (query_next(&q)) read_facts(&q, out);
	if ((st = query_close(&q, err)) != AKIN_OK) facts_deinit(out);
	return st;
}

akin_status store_without_facts(struct store *store, int64_t **ids, size_t *n, akin_error *err)
{
	struct query q;

	*ids = NULL;
	*n = 0;
	query_open(&q, store, "SELECT id FROM picture WHERE facts < ?1 AND NOT is_foreign"
	                      " AND EXISTS (SELECT 1 FROM file WHERE picture_id = picture.id AND state = 0) ORDER BY id");
	query_int(&q, 1, STORE_FACTS);
	return query_ids(&q, ids, n, err);
}
