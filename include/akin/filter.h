/* akin/filter.h - conditions on pictures, as text: "taken:2023 AND NOT label:truck". docs/filters.md has the language. The same
 * text goes with searches (akin_search_params.filter) and lists.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_FILTER_H
#define AKIN_FILTER_H

#include <stddef.h>

#include "akin/library.h"
#include "akin/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* AKIN_OK, or AKIN_ERR_INVALID with a sentence that names the column; *at (may be NULL) is then the byte of `filter` that it is
 * about. No library is needed. */
AKIN_API akin_status akin_filter_check(const char *filter, size_t *at, akin_error *err);

/* Ids of the library's pictures that fit, ascending, also of those whose files have vanished. *ids is the caller's; free it with
 * akin_ids_free. */
AKIN_API akin_status akin_filter_ids(akin_library *lib, const char *filter, akin_id **ids, size_t *n, akin_error *err);
AKIN_API void akin_ids_free(akin_id *ids);

#ifdef __cplusplus
}
#endif
#endif
