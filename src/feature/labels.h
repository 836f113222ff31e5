/* feature/labels.h - names of a classifier's classes, from a tab-separated file: index, wnid, en, zh [, en_broader,
 * zh_broader]; synonyms separated by '|', everyday name first; rows in class order from 0.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_FEATURE_LABELS_H
#define AKIN_FEATURE_LABELS_H

#include <stddef.h>

#include "base/status.h"

struct labels {
	char *bytes;
	const char **row; /* "en\tzh[\ten_broader\tzh_broader]" of each class */
	size_t n;
};

akin_status labels_read(struct labels *labels, const char *path, akin_error *err);
akin_status labels_parse(struct labels *labels, const char *bytes, size_t n, akin_error *err);
void labels_deinit(struct labels *labels);

#endif
