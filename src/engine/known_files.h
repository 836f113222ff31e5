/* engine/known_files.h - what the store knew of the files below some folders when indexing began: a map by path.
 * Filled by one thread; then find() may be called by several, and each entry's fields are written by one.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_ENGINE_KNOWN_FILES_H
#define AKIN_ENGINE_KNOWN_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "store/store.h"

struct known_file {
	char *path;
	char *reason;       /* of a remembered failure, else NULL */
	akin_status status; /* of that failure */
	int64_t picture_id;
	struct file_stamp stamp;
	bool missing;       /* marked so in the store */
	bool lacks_feature; /* its picture has no vector of the model in force */
	bool lacks_facts;   /* its picture's header was never read for them */
	bool seen;          /* met by the walk */
	bool gone;          /* not met, and not there */
};

struct known_files {
	struct known_file *file;
	size_t n, capacity;
	size_t *slot; /* open addressing: position + 1, 0 is free */
	size_t n_slots;
};

akin_status known_files_load(struct known_files *known, struct store *store, int64_t model_id, const char *const *roots,
                             size_t n_roots, akin_error *err);
void known_files_deinit(struct known_files *known);
struct known_file *known_files_find(const struct known_files *known, const char *path);
bool file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b);

#endif
