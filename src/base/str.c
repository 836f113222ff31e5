/* base/str.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

char *str_printf(const char *fmt, ...)
{
	va_list args;
	char *out;
	int n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n < 0 || !(out = mem_alloc((size_t)n + 1))) return NULL;
	va_start(args, fmt);
	vsnprintf(out, (size_t)n + 1, fmt, args);
	va_end(args);
	return out;
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_equal_nocase(const char *a, const char *b)
{
	while (*a && lower(*a) == lower(*b)) a++, b++;
	return lower(*a) == lower(*b);
}

bool str_to_i64(const char *s, int64_t min, int64_t max, int64_t *out)
{
	char *end;
	intmax_t value;

	if (*s != '-' && (*s < '0' || *s > '9')) return false;
	errno = 0;
	value = strtoimax(s, &end, 10);
	if (errno || *end || end == s || value < min || value > max) return false;
	*out = (int64_t)value;
	return true;
}

bool str_to_double(const char *s, double min, double max, double *out)
{
	char local[64];
	size_t n = strlen(s);
	const char *point = localeconv()->decimal_point;
	char *dot, *end;
	double value;

	/* Only digits, sign, point and exponent: strtod would also take "inf", "0x1p3" and the locale's comma. */
	if (!n || n >= sizeof local || strspn(s, "0123456789+-.eE") != n) return false;
	memcpy(local, s, n + 1);
	dot = strchr(local, '.');
	if (dot && point[0] && !point[1]) *dot = point[0];
	value = strtod(local, &end);
	if (end == local || *end || !isfinite(value) || value < min || value > max) return false;
	*out = value;
	return true;
}

void str_hex(const uint8_t *bytes, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * n] = '\0';
}
