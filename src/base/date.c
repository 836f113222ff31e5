/* base/date.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/date.h"

int date_month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

bool date_valid(const struct date *d)
{
	return d->year >= 1 && d->year <= 9999 && d->month >= 1 && d->month <= 12 && d->day >= 1 &&
	       d->day <= date_month_days(d->year, d->month) && d->hour >= 0 && d->hour < 24 && d->minute >= 0 &&
	       d->minute < 60 && d->second >= 0 && d->second <= 60;
}

/* Years are counted from March, so that the leap day is the last one: 400 of them have 146,097 days. */
int64_t date_seconds(const struct date *d)
{
	int64_t year = d->year - (d->month <= 2), era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
	int64_t of_year = (153 * (d->month + (d->month > 2 ? -3 : 9)) + 2) / 5 + d->day - 1;
	int64_t day = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;

	return ((day * 24 + d->hour) * 60 + d->minute) * 60 + d->second;
}

struct date date_of(int64_t seconds)
{
	int64_t day = seconds / 86400, rest = seconds % 86400;
	int64_t era, of_era, year, of_year, month;

	if (rest < 0) rest += 86400, day--;
	day += 719468;
	era = (day >= 0 ? day : day - 146096) / 146097;
	of_era = day - era * 146097;
	year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	of_year = of_era - (365 * year + year / 4 - year / 100);
	month = (5 * of_year + 2) / 153;
	return (struct date){ .year = (int)(year + era * 400 + (month >= 10)), .month = (int)(month + (month < 10 ? 3 : -9)),
		              .day = (int)(of_year - (153 * month + 2) / 5 + 1), .hour = (int)(rest / 3600),
		              .minute = (int)(rest / 60 % 60), .second = (int)(rest % 60) };
}

struct reader {
	const char *p, *end;
};

static bool digits(struct reader *r, int n, int *out)
{
	if (r->end - r->p < n) return false;
	*out = 0;
	for (; n--; r->p++) {
		if (*r->p < '0' || *r->p > '9') return false;
		*out = *out * 10 + (*r->p - '0');
	}
	return true;
}

static bool one_of(struct reader *r, const char *set)
{
	if (r->p == r->end) return false;
	for (; *set; set++)
		if (*r->p == *set) return r->p++, true;
	return false;
}

static bool read_zone(struct reader *r, int *minutes)
{
	int sign, hour, minute = 0;

	*minutes = 0;
	if (one_of(r, "Zz")) return true;
	sign = r->p < r->end && *r->p == '-' ? -1 : 1;
	if (!one_of(r, "+-") || !digits(r, 2, &hour)) return false;
	if (r->p < r->end && (!(one_of(r, ":"), digits(r, 2, &minute)) || minute > 59)) return false;
	*minutes = sign * (hour * 60 + minute);
	return hour <= 14;
}

static bool read_time(struct reader *r, struct date *d)
{
	int ignored;

	if (!digits(r, 2, &d->hour) || !one_of(r, ":") || !digits(r, 2, &d->minute)) return false;
	if (!one_of(r, ":")) return true;
	if (!digits(r, 2, &d->second)) return false;
	if (one_of(r, ".,"))
		while (digits(r, 1, &ignored));
	return true;
}

bool date_read(const char *text, size_t n, struct date *d, bool *has_zone, int *zone_minutes)
{
	struct reader r = { text, text + n };

	*d = (struct date){ 0 };
	*has_zone = false;
	*zone_minutes = 0;
	if (!digits(&r, 4, &d->year) || !one_of(&r, ":-/") || !digits(&r, 2, &d->month) || !one_of(&r, ":-/") ||
	    !digits(&r, 2, &d->day))
		return false;
	if (r.p < r.end) {
		if (!one_of(&r, " Tt") || !read_time(&r, d)) return false;
		if (r.p < r.end && !(*has_zone = read_zone(&r, zone_minutes))) return false;
	}
	return r.p == r.end && date_valid(d);
}
