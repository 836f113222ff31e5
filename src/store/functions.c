/* store/functions.c - what SQL needs of akin to compare texts and places. Registered with every connection; the schema uses
 * none of them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/fold.h"
#include "types/filter.h"

static bool is_inside(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* FILTER_ANY and FILTER_ONE against whole characters. Only the last FILTER_ANY is gone back to: what follows it decides, so
 * the time is at most the product of the lengths. */
bool text_matches(const char *pattern, const char *text, size_t n)
{
	const char *end = text + n, *again_pattern = NULL, *again_text = NULL;

	for (;;) {
		if (*pattern == FILTER_ANY) {
			again_pattern = ++pattern;
			again_text = text;
		} else if (text < end && *pattern == FILTER_ONE) {
			pattern++;
			do text++;
			while (text < end && is_inside(*text));
		} else if (text < end && *pattern == *text) {
			pattern++;
			text++;
		} else if (text == end && !*pattern) {
			return true;
		} else if (again_pattern && again_text < end) {
			do again_text++;
			while (again_text < end && is_inside(*again_text));
			pattern = again_pattern;
			text = again_text;
		} else {
			return false;
		}
	}
}

/* The place of a folder's last part in a path: name is what is behind. */
static size_t name_at(const char *path, size_t n)
{
	while (n && path[n - 1] != '/') n--;
	return n;
}

/* "2024" or "Holidays/2024": some folder, or folders in a row, of the path are called so. */
static bool folder_matches(enum filter_match match, const char *pattern, const char *path, size_t n)
{
	const size_t wanted = strlen(pattern);
	size_t parts = 1;

	if (!(n = name_at(path, n))) return false;
	n--; /* the slash before the name */
	for (size_t i = 0; i < wanted; i++) parts += pattern[i] == '/';
	for (size_t from = 0; from < n; from++) {
		size_t to = from, left = parts;

		if (from && path[from - 1] != '/') continue;
		while (to < n && (path[to] != '/' || --left)) to++;
		if (match == MATCH_PATTERN ? text_matches(pattern, path + from, to - from)
		                           : to - from == wanted && !memcmp(path + from, pattern, wanted))
			return true;
	}
	return false;
}

/* "tabby cat|tabby<tab>cat|kitten": one of these names, in the plural too. */
static bool label_matches(enum filter_match match, const char *pattern, const char *names)
{
	const size_t n = strlen(pattern), singular = n > 1 && pattern[n - 1] == 's' ? n - 1 : n;

	for (size_t len; *names; names += len + (names[len] != '\0')) {
		len = strcspn(names, "|\t");
		if (match == MATCH_PATTERN ? text_matches(pattern, names, len)
		                           : (len == n || len == singular) && !memcmp(names, pattern, len))
			return true;
	}
	return false;
}

static bool matches(enum filter_field field, enum filter_match match, const char *pattern, const char *text, size_t n)
{
	const size_t from = field == FIELD_NAME ? name_at(text, n) : 0;

	if (field == FIELD_FOLDER) return folder_matches(match, pattern, text, n);
	if (field == FIELD_LABEL) return label_matches(match, pattern, text);
	text += from;
	n -= from;
	switch (match) {
	case MATCH_EQUAL: return n == strlen(pattern) && !memcmp(text, pattern, n);
	case MATCH_PATTERN: return text_matches(pattern, text, n);
	default: return strstr(text, pattern) != NULL;
	}
}

/* akin_matches(enum filter_field, enum filter_match, folded pattern, text): 0 or 1; 0 for NULL. */
static void sql_matches(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	struct buf *folded = sqlite3_user_data(ctx);
	const char *pattern = (const char *)sqlite3_value_text(argv[2]), *text = (const char *)sqlite3_value_blob(argv[3]);

	(void)argc;
	if (!pattern || !text) {
		sqlite3_result_int(ctx, 0);
		return;
	}
	buf_clear(folded);
	buf_add(folded, "", 0);
	fold_text(text, (size_t)sqlite3_value_bytes(argv[3]), folded);
	if (folded->failed) sqlite3_result_error_nomem(ctx);
	else sqlite3_result_int(ctx, matches((enum filter_field)sqlite3_value_int(argv[0]),
	                                     (enum filter_match)sqlite3_value_int(argv[1]), pattern, folded->data, folded->len));
}

/* akin_kilometres(latitude, longitude, latitude, longitude) on a sphere; NULL when one is unknown. */
static void sql_kilometres(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	double v[4];

	for (int i = 0; i < argc; i++) {
		if (sqlite3_value_type(argv[i]) == SQLITE_NULL) return;
		v[i] = sqlite3_value_double(argv[i]);
	}
	sqlite3_result_double(ctx, kilometres_between(v[0], v[1], v[2], v[3]));
}

double kilometres_between(double latitude1, double longitude1, double latitude2, double longitude2)
{
	const double earth = 6371.0088, radian = 3.14159265358979323846 / 180;
	double a = sin((latitude2 - latitude1) * radian / 2), b = sin((longitude2 - longitude1) * radian / 2);
	double h = a * a + cos(latitude1 * radian) * cos(latitude2 * radian) * b * b;

	return 2 * earth * asin(sqrt(fmin(h, 1)));
}

/* akin_name(path), akin_folder(path): what is behind the last slash, and before. */
static void sql_name(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	const char *path = (const char *)sqlite3_value_blob(argv[0]);
	const size_t n = (size_t)sqlite3_value_bytes(argv[0]), at = path ? name_at(path, n) : 0;

	(void)argc;
	if (path) sqlite3_result_text64(ctx, path + at, n - at, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static void sql_folder(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	const char *path = (const char *)sqlite3_value_blob(argv[0]);

	(void)argc;
	if (path) sqlite3_result_text64(ctx, path, name_at(path, (size_t)sqlite3_value_bytes(argv[0])), SQLITE_TRANSIENT, SQLITE_UTF8);
}

int functions_register(struct conn *conn)
{
	const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
	int rc = sqlite3_create_function_v2(conn->db, "akin_matches", 4, flags, &conn->folded, sql_matches, NULL, NULL, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_create_function_v2(conn->db, "akin_kilometres", 4, flags, NULL, sql_kilometres, NULL, NULL, NULL);
	if (rc == SQLITE_OK) rc = sqlite3_create_function_v2(conn->db, "akin_name", 1, flags, NULL, sql_name, NULL, NULL, NULL);
	if (rc == SQLITE_OK) rc = sqlite3_create_function_v2(conn->db, "akin_folder", 1, flags, NULL, sql_folder, NULL, NULL, NULL);
	return rc;
}
