/* common/json.h - jansson with file names that need not be UTF-8.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_COMMON_JSON_H
#define AKIN_COMMON_JSON_H

#include <stdio.h>

#include <jansson.h>

/* Set `key` to a path. JSON is UTF-8 and a path is not: bytes that are not are shown as U+FFFD, and only then a member
 * KEY_bytes gives the whole path in base64. */
void json_set_path(json_t *object, const char *key, const char *path);
void json_set_text(json_t *object, const char *key, const char *text);
/* A number, or null when it is not finite (JSON has no word for that). */
void json_set_real(json_t *object, const char *key, double value);
void json_set_count(json_t *object, const char *key, unsigned long long value);
/* Print on one line and free. */
void json_put_line(FILE *out, json_t *value);

#endif
