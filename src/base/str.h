/* base/str.h - strings and numbers from outside.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_BASE_STR_H
#define AKIN_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Allocated as printf says; NULL when there is no memory. */
char *str_printf(const char *fmt, ...) PRINTF_LIKE(1, 2);
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
/* ASCII case only, whatever the locale. */
bool str_equal_nocase(const char *a, const char *b);
/* The whole string must be a number in the range; whatever the locale, the decimal point is '.'. */
bool str_to_i64(const char *s, int64_t min, int64_t max, int64_t *out);
bool str_to_double(const char *s, double min, double max, double *out);
void str_hex(const uint8_t *bytes, size_t n, char *out /* 2n + 1 */);

#endif
