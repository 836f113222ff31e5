/* common/json.c - failures of jansson mean that there is no memory; they end the program.
 * SPDX-License-Identifier: Apache-2.0 */
#include "common/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/out.h"
#include "common/text.h"

static void set(json_t *object, const char *key, json_t *value)
{
	if (value && json_object_set_new(object, key, value) == 0) return;
	say("out of memory");
	exit(EXIT_FAILED);
}

void json_set_text(json_t *object, const char *key, const char *text)
{
	char *clean = text_to_utf8(text);

	set(object, key, json_string(clean));
	free(clean);
}

void json_set_path(json_t *object, const char *key, const char *path)
{
	char *bytes_key, *base64;

	json_set_text(object, key, path);
	if (text_is_utf8(path)) return;
	bytes_key = must_printf("%s_bytes", key);
	base64 = text_base64(path, strlen(path));
	set(object, bytes_key, json_string(base64));
	free(base64);
	free(bytes_key);
}

void json_set_real(json_t *object, const char *key, double value)
{
	set(object, key, isfinite(value) ? json_real(value) : json_null());
}

void json_set_count(json_t *object, const char *key, unsigned long long value)
{
	set(object, key, json_integer((json_int_t)value));
}

void json_put_line(FILE *out, json_t *value)
{
	json_dumpf(value, out, JSON_COMPACT | JSON_REAL_PRECISION(7));
	putc('\n', out);
	json_decref(value);
}
