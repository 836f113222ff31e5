/* search/filter_values.c - numbers with units, dates, distances, colours.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/date.h"
#include "base/str.h"
#include "search/filter.h"
#include "types/facts.h"

struct unit {
	const char *name;
	double factor;
};

static bool equal(struct slice_of_text s, const char *word)
{
	char copy[32];

	if (s.n >= sizeof copy || s.n != strlen(word)) return false;
	memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	return str_equal_nocase(copy, word);
}

/* A number, then one of the units (in any case) or nothing. *half: of the last digit's unit. */
static bool number_with_unit(struct slice_of_text s, const struct unit *units, size_t n_units, double *value, double *half)
{
	size_t digits = 0, fraction = 0;
	double factor = 1;
	bool point = false, known;
	char copy[32];

	if (digits < s.n && (s.p[0] == '-' || s.p[0] == '+')) digits++;
	for (; digits < s.n && ((s.p[digits] >= '0' && s.p[digits] <= '9') || (s.p[digits] == '.' && !point)); digits++) {
		fraction += point;
		point |= s.p[digits] == '.';
	}
	if (!digits || digits >= sizeof copy) return false;
	memcpy(copy, s.p, digits);
	copy[digits] = '\0';
	known = digits == s.n;
	for (size_t i = 0; i < n_units && !known; i++) {
		known = equal((struct slice_of_text){ s.p + digits, s.n - digits }, units[i].name);
		if (known) factor = units[i].factor;
	}
	if (!known || !str_to_double(copy[0] == '+' ? copy + 1 : copy, -1e15, 1e15, value)) return false;
	*value *= factor;
	*half = 0.5 * factor * pow(10, -(double)fraction);
	return true;
}

bool value_number(struct slice_of_text s, enum filter_field field, struct value_range *out)
{
	static const struct unit bytes[] = { { "B", 1 },      { "kB", 1e3 },         { "k", 1e3 },           { "MB", 1e6 },
		                             { "M", 1e6 },    { "GB", 1e9 },         { "G", 1e9 },           { "KiB", 1024 },
		                             { "MiB", 1 << 20 }, { "GiB", 1 << 30 } };
	static const struct unit pixels[] = { { "MP", 1 } }, sides[] = { { "px", 1 } }, metres[] = { { "m", 1 }, { "km", 1e3 } };
	static const struct {
		const struct unit *units;
		size_t n;
	} of[FIELD_NUMBERS] = { [FIELD_BYTES] = { bytes, COUNT(bytes) }, [FIELD_PIXELS] = { pixels, 1 },
		                [FIELD_WIDTH] = { sides, 1 }, [FIELD_HEIGHT] = { sides, 1 }, [FIELD_ALTITUDE] = { metres, 2 } };
	double value, half;

	if (!number_with_unit(s, of[field].units, of[field].n, &value, &half)) return false;
	if (field == FIELD_PIXELS) value *= 1e6, half *= 1e6;
	/* What is counted one by one is compared as it is written. */
	else if (field != FIELD_ALTITUDE && !(field == FIELD_BYTES && half > 0.5)) half = 0;
	*out = (struct value_range){ value, value, half, false };
	return true;
}

/* ---- time ---- */

/* Of the camera's clock nothing but what it shows counts; files and libraries have moments, which the machine's zone turns
 * into days. */
static double seconds_of(struct date d, enum filter_field field)
{
	struct tm tm = { .tm_year = d.year - 1900, .tm_mon = d.month - 1, .tm_mday = d.day, .tm_hour = d.hour,
		         .tm_min = d.minute, .tm_sec = d.second, .tm_isdst = -1 };

	return field == FIELD_TAKEN ? (double)date_seconds(&d) : (double)mktime(&tm);
}

static bool take_digits(struct slice_of_text *s, size_t n, int *out)
{
	if (s->n < n) return false;
	*out = 0;
	for (size_t i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9') return false;
		*out = *out * 10 + (s->p[i] - '0');
	}
	s->p += n;
	s->n -= n;
	return true;
}

static bool take_one(struct slice_of_text *s, const char *set)
{
	if (!s->n || !strchr(set, *s->p) || !*s->p) return false;
	s->p++;
	s->n--;
	return true;
}

/* 2023, 2023-05, 2023-05-04, and a time of day behind that, to the minute or second: *parts of them are given. */
static bool take_date(struct slice_of_text s, struct date *d, int *parts)
{
	int *const to[] = { &d->month, &d->day, &d->hour, &d->minute, &d->second };
	static const char *const before[] = { "-/", "-/", "Tt ", ":", ":" };

	*d = (struct date){ .month = 1, .day = 1 };
	if (!take_digits(&s, 4, &d->year)) return false;
	for (*parts = 1; s.n && *parts <= (int)COUNT(to); ++*parts)
		if (!take_one(&s, before[*parts - 1]) || !take_digits(&s, 2, to[*parts - 1])) return false;
	return !s.n && *parts != 4 && date_valid(d) && d->second < 60; /* "10" alone may be an hour or anything else */
}

static struct date after(struct date d, int parts)
{
	static const int seconds[] = { 86400, 3600, 60, 1 };

	if (parts == 1) return (struct date){ .year = d.year + 1, .month = 1, .day = 1 };
	if (parts == 2) return (struct date){ .year = d.year + d.month / 12, .month = d.month % 12 + 1, .day = 1 };
	return date_of(date_seconds(&d) + seconds[parts - 3]);
}

static struct date day_of(int64_t now, int days_before)
{
	time_t t = (time_t)now;
	struct tm tm = { 0 };
	struct date today, day;

	localtime_r(&t, &tm);
	today = (struct date){ .year = tm.tm_year + 1900, .month = tm.tm_mon + 1, .day = tm.tm_mday };
	day = date_of(date_seconds(&today) - 86400 * days_before);
	return day;
}

bool value_time(struct slice_of_text s, enum filter_field field, int64_t now, struct value_range *out)
{
	struct date d;
	int parts = 3;

	if (equal(s, "today")) d = day_of(now, 0);
	else if (equal(s, "yesterday")) d = day_of(now, 1);
	else if (!take_date(s, &d, &parts)) return false;
	*out = (struct value_range){ seconds_of(d, field), seconds_of(after(d, parts), field), 0, true };
	return true;
}

/* ---- others ---- */

bool value_distance(struct slice_of_text s, double *kilometres)
{
	static const struct unit units[] = { { "km", 1 }, { "m", 1e-3 }, { "mi", 1.609344 } };
	double half;

	return number_with_unit(s, units, COUNT(units), kilometres, &half) && *kilometres >= 0;
}

bool value_degrees(struct slice_of_text s, double most, double *out)
{
	double half;

	return number_with_unit(s, NULL, 0, out, &half) && fabs(*out) <= most;
}

bool value_probability(struct slice_of_text s, double *out)
{
	static const struct unit units[] = { { "%", 0.01 } };
	double half;

	return number_with_unit(s, units, 1, out, &half) && *out >= 0 && *out <= 1;
}

unsigned value_colour(struct slice_of_text s)
{
	static const char *const names[COLOURS] = { "black", "grey", "white", "red", "orange", "yellow", "green", "blue",
		                                    "purple", "pink", "brown" };

	for (unsigned i = 0; i < COLOURS; i++)
		if (equal(s, names[i])) return 1u << i;
	return equal(s, "gray") ? 1u << COLOUR_GREY : equal(s, "violet") ? 1u << COLOUR_PURPLE : 0;
}
