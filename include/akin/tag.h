/* akin/tag.h - words that the user gives to pictures.
 *
 * Tags are compared without case and accents, as filters do, and shown as they were written first. They belong to the picture,
 * so that they stay when its files are moved or renamed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_TAG_H
#define AKIN_TAG_H

#include <stddef.h>
#include <stdint.h>

#include "akin/library.h"
#include "akin/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Give the tag (UTF-8, 1 to 200 bytes) to pictures, or take it away: all of them or, on failure, none. *n (may be NULL) is how many
 * did not have it, or had it. AKIN_ERR_NOT_FOUND names an id that the library does not know. */
AKIN_API akin_status akin_tag_add(akin_library *lib, const char *tag, const akin_id *ids, size_t n_ids, uint64_t *n,
                                  akin_error *err);
AKIN_API akin_status akin_tag_remove(akin_library *lib, const char *tag, const akin_id *ids, size_t n_ids, uint64_t *n,
                                     akin_error *err);
/* Every tag, in the order of their letters, with its number of pictures. A nonzero return of `each` ends the listing without
 * error. */
AKIN_API akin_status akin_tag_list(akin_library *lib, int (*each)(void *user, const char *tag, uint64_t pictures), void *user,
                                   akin_error *err);

#ifdef __cplusplus
}
#endif
#endif
