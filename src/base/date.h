/* base/date.h - dates of the Gregorian calendar to seconds and back, whatever the machine's zone.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_BASE_DATE_H
#define AKIN_BASE_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct date {
	int year, month, day, hour, minute, second;
};

/* A day that exists between the years 1 and 9999, a second below 61. */
bool date_valid(const struct date *date);
/* Seconds since 1970-01-01 of a clock that knows no zones. */
int64_t date_seconds(const struct date *date);
struct date date_of(int64_t seconds);
int date_month_days(int year, int month);

/* "2023-05-04T10:20:30", "2023:05:04 10:20:30" and the like, with fractions and a zone (Z, +02:00, -0330) or without; the time
 * may be missing. Anything else, also behind it, is refused. */
bool date_read(const char *text, size_t n, struct date *date, bool *has_zone, int *zone_minutes);

#endif
