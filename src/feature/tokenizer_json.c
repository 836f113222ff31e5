/* feature/tokenizer_json.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "feature/tokenizer_json.h"

#include <stdio.h>
#include <string.h>

static akin_status say(struct reader *r, akin_status st, const char *member, const char *what)
{
	const char *dot = r->path[0] && member[0] ? "." : "";

	return error_set(r->err, st, "\"%s%s%s\" %s", r->path, dot, member, what);
}

void reader_wrong(struct reader *r, const char *member, const char *what)
{
	if (r->st == AKIN_OK) r->st = say(r, AKIN_ERR_FORMAT, member, what);
}

void reader_unknown(struct reader *r, const char *member, const char *what)
{
	if (r->st == AKIN_OK) r->st = say(r, AKIN_ERR_UNSUPPORTED, member, what);
}

void reader_fail(struct reader *r, const char *member, akin_status st)
{
	if (r->st != AKIN_OK || st == AKIN_OK) return;
	r->st = st;
	if (st != AKIN_ERR_NOMEM)
		error_note(r->err, st, "\"%s%s%s\"", r->path, r->path[0] && member[0] ? "." : "", member);
}

size_t reader_enter(struct reader *r, const char *member)
{
	const size_t at = strlen(r->path);

	snprintf(r->path + at, sizeof r->path - at, "%s%s", at ? "." : "", member);
	return at;
}

size_t reader_enter_item(struct reader *r, size_t i)
{
	const size_t at = strlen(r->path);

	snprintf(r->path + at, sizeof r->path - at, "[%zu]", i);
	return at;
}

void reader_leave(struct reader *r, size_t entered)
{
	r->path[entered] = '\0';
}

bool reader_has_only(struct reader *r, const json_t *object, const char *const *members)
{
	const char *name;
	json_t *value;

	if (r->st != AKIN_OK) return false;
	if (!json_is_object(object)) {
		reader_wrong(r, "", "must be an object");
		return false;
	}
	json_object_foreach((json_t *)object, name, value)
	{
		size_t i = 0;

		while (members[i] && strcmp(members[i], name) != 0) i++;
		if (members[i]) continue;
		reader_unknown(r, name, "is not known to akin");
		return false;
	}
	return true;
}

static const json_t *member_of(struct reader *r, const json_t *object, const char *member, bool required)
{
	const json_t *value = json_object_get(object, member);

	if (r->st != AKIN_OK) return NULL;
	if (value && !json_is_null(value)) return value;
	if (required) reader_wrong(r, member, "is missing");
	return NULL;
}

const char *reader_text(struct reader *r, const json_t *object, const char *member, bool required, size_t *bytes)
{
	const json_t *value = member_of(r, object, member, required);

	if (bytes) *bytes = 0;
	if (!value) return NULL;
	if (!json_is_string(value)) {
		reader_wrong(r, member, "must be a text");
		return NULL;
	}
	if (bytes) *bytes = json_string_length(value);
	return json_string_value(value);
}

bool reader_flag(struct reader *r, const json_t *object, const char *member, int missing)
{
	const json_t *value = member_of(r, object, member, missing == FLAG_REQUIRED);

	if (!value) return missing > 0;
	if (!json_is_boolean(value)) reader_wrong(r, member, "must be true or false");
	return json_is_true(value);
}

json_int_t reader_number(struct reader *r, const json_t *object, const char *member, json_int_t min, json_int_t max,
			 json_int_t missing)
{
	const json_t *value = member_of(r, object, member, missing < min);
	char what[96];

	if (!value) return missing < min ? min : missing;
	if (json_is_integer(value) && json_integer_value(value) >= min && json_integer_value(value) <= max)
		return json_integer_value(value);
	snprintf(what, sizeof what, "must be a whole number from %lld to %lld", (long long)min, (long long)max);
	reader_wrong(r, member, what);
	return min;
}

int reader_choice(struct reader *r, const json_t *object, const char *member, const char *const *names, int missing)
{
	const json_t *value = member_of(r, object, member, missing < 0);

	if (!value) return missing < 0 ? 0 : missing;
	for (int i = 0; names[i]; i++)
		if (json_is_string(value) && !strcmp(json_string_value(value), names[i])) return i;
	reader_unknown(r, member, "has a value that akin does not know");
	return 0;
}
