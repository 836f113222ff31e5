/* engine/filter.c - which pictures a search or a list may show.
 * SPDX-License-Identifier: Apache-2.0 */
#include "akin/filter.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "engine/engine.h"
#include "search/filter.h"

akin_status akin_filter_check(const char *filter, size_t *at, akin_error *err)
{
	struct filter *parsed;
	akin_status st;

	error_clear(err);
	st = filter_parse(&parsed, filter, clock_unix(), at, err);
	mem_free(parsed);
	return st;
}

akin_status akin_filter_ids(akin_library *lib, const char *filter, akin_id **ids, size_t *n, akin_error *err)
{
	struct filter *parsed;
	akin_status st;

	*ids = NULL;
	*n = 0;
	error_clear(err);
	if ((st = filter_parse(&parsed, filter, clock_unix(), NULL, err)) != AKIN_OK) return st;
	st = store_filter_ids(lib->store, parsed, ids, n, err);
	mem_free(parsed);
	return st;
}

void akin_ids_free(akin_id *ids)
{
	mem_free(ids);
}

/* Both ascending; what is in both stays in `a`. */
static size_t intersect(int64_t *a, size_t n_a, const int64_t *b, size_t n_b)
{
	size_t n = 0;

	for (size_t i = 0, j = 0; i < n_a && j < n_b;) {
		if (a[i] < b[j]) i++;
		else if (a[i] > b[j]) j++;
		else a[n++] = a[i++], j++;
	}
	return n;
}

akin_status filter_allowed(struct akin_library *lib, const char *in, const char *filter, int64_t **ids, size_t *n, akin_error *err)
{
	int64_t *fitting = NULL;
	size_t n_fitting = 0;
	akin_status st = AKIN_OK;

	*ids = NULL;
	*n = 0;
	if (in) st = store_picture_ids(lib->store, in, ids, n, err);
	if (st == AKIN_OK && filter) st = akin_filter_ids(lib, filter, &fitting, &n_fitting, err);
	if (st == AKIN_OK && filter && in) {
		*n = intersect(*ids, *n, fitting, n_fitting);
	} else if (st == AKIN_OK && filter) {
		*ids = fitting;
		*n = n_fitting;
		fitting = NULL;
	}
	mem_free(fitting);
	/* NULL would mean that all are allowed. */
	if (st == AKIN_OK && !*ids && !(*ids = mem_alloc(sizeof **ids))) st = error_nomem(err);
	if (st != AKIN_OK) {
		mem_free(*ids);
		*ids = NULL;
		*n = 0;
	}
	return st;
}
