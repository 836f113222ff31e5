/* index/rows.h - the vectors of an index and their ids, in memory or in a mapped file.
 *   R1  rows lie one after another without gaps; row i belongs to ids[i]; ids are unique;
 *   R2  in a mapped file ids ascend, and a row is found by bisection; in memory a hash table finds it. Ids that are
 *       consecutive (`dense`) are found by subtraction.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_INDEX_ROWS_H
#define AKIN_INDEX_ROWS_H

#include "index/idmap.h"
#include "index/space.h"

struct rows {
	const int64_t *ids;
	const uint8_t *data;
	const float *scales; /* NULL unless the space is scaled */
	size_t count;
	bool mapped;         /* the three above belong to a file */
	bool dense;          /* row i has id ids[0] + i; never set wrongly, sometimes not set where it might be */
	size_t capacity;
	struct idmap map;
};

void rows_deinit(struct rows *rows);
/* Copy a mapped file's rows into memory. On any error all is as before. */
akin_status rows_own(struct rows *rows, const struct space *space, akin_error *err);
/* All n or none. */
akin_status rows_add(struct rows *rows, const struct space *space, const int64_t *ids, const void *from, size_t n,
                     akin_error *err);
bool rows_find(const struct rows *rows, int64_t id, size_t *row);
/* The last row takes the place of the removed one. Not for mapped rows. */
void rows_remove(struct rows *rows, const struct space *space, size_t row);
akin_status rows_check(const struct rows *rows, const struct space *space, bool deep, akin_error *err);
uint64_t rows_bytes(const struct rows *rows, const struct space *space);

static inline const void *rows_at(const struct rows *rows, const struct space *space, size_t row)
{
	return rows->data + row * space->row_bytes;
}

static inline const float *rows_scales(const struct rows *rows, size_t row)
{
	return rows->scales ? rows->scales + row : NULL;
}

#endif
