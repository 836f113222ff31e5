/* store/labels.c - what a model's classifier saw in a picture.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <assert.h>
#include <math.h>

static akin_status put_label(struct store *store, int64_t picture_id, int64_t model_id, const struct store_label *label,
                             akin_error *err)
{
	struct query q;

	if (!isfinite(label->probability))
		return error_set(err, AKIN_ERR_INVALID, "the probability of class %u is not a number", label->class_index);
	query_open(&q, store, "REPLACE INTO label (picture_id, model_id, class_index, probability)"
	                      " VALUES (?1, ?2, ?3, ?4)");
	query_int(&q, 1, picture_id);
	query_int(&q, 2, model_id);
	query_int(&q, 3, label->class_index);
	query_double(&q, 4, (double)label->probability);
	query_next(&q);
	return query_close(&q, err);
}

akin_status store_labels_put(struct store *store, int64_t picture_id, int64_t model_id, const struct store_label *labels,
                             size_t n, akin_error *err)
{
	struct query q;
	akin_status st;

	assert(store_is_writing(store));
	query_open(&q, store, "DELETE FROM label WHERE picture_id = ?1 AND model_id = ?2");
	query_int(&q, 1, picture_id);
	query_int(&q, 2, model_id);
	query_next(&q);
	st = query_close(&q, err);
	for (size_t i = 0; st == AKIN_OK && i < n; i++) st = put_label(store, picture_id, model_id, &labels[i], err);
	return st == AKIN_OK ? keywords_touch(store, picture_id, err) : st;
}

akin_status store_labels_of(struct store *store, int64_t picture_id,
                            int (*each)(void *ctx, const struct store_named_label *label), void *ctx, akin_error *err)
{
	struct query q;

	query_open(&q, store, "SELECT class_index, probability, name, name_zh FROM label"
	                      " LEFT JOIN class USING (model_id, class_index) WHERE picture_id = ?1"
	                      " ORDER BY probability DESC, model_id, class_index");
	query_int(&q, 1, picture_id);
	while (query_next(&q)) {
		struct store_named_label label = { .class_index = (unsigned)sqlite3_column_int64(q.stmt, 0),
			                           .probability = (float)sqlite3_column_double(q.stmt, 1),
			                           .name = query_column_text(&q, 2),
			                           .name_zh = query_column_text(&q, 3) };

		if (q.rc != SQLITE_ROW || each(ctx, &label)) break;
	}
	return query_close(&q, err);
}
