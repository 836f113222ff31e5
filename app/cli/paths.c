/* cli/paths.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024, PATHS_MAX_BYTES = 1 << 30 };

char *read_stdin(size_t max_bytes, size_t *n)
{
	size_t capacity = CHUNK, len = 0;
	char *bytes = must_zalloc(capacity + 1);

	*n = 0;
	for (;;) {
		ssize_t got = read(STDIN_FILENO, bytes + len, capacity - len);

		if (got < 0 && errno == EINTR) continue;
		if (got < 0 || len + (size_t)got > max_bytes) {
			if (got < 0) say("cannot read standard input: %s", strerror(errno));
			else say("standard input is longer than the limit of %zu bytes", max_bytes);
			free(bytes);
			return NULL;
		}
		if (got == 0) break;
		len += (size_t)got;
		if (len == capacity) {
			char *moved = realloc(bytes, 2 * capacity + 1);

			if (!moved) {
				say("out of memory");
				free(bytes);
				return NULL;
			}
			bytes = moved;
			capacity *= 2;
		}
	}
	bytes[len] = '\0';
	*n = len;
	return bytes;
}

static void add(struct path_list *list, const char *path)
{
	list->items = must_grow(list->items, list->n, sizeof *list->items);
	list->items[list->n++] = path;
}

static bool add_stdin(struct path_list *list, bool zero)
{
	size_t n;
	char *end;

	if (list->text) {
		say("standard input can be read only once");
		return false;
	}
	if (!(list->text = read_stdin(PATHS_MAX_BYTES, &n))) return false;
	for (char *p = list->text; p < list->text + n; p = end + 1) {
		end = memchr(p, zero ? '\0' : '\n', n - (size_t)(p - list->text));
		if (!end) end = list->text + n;
		*end = '\0';
		if (*p) add(list, p);
	}
	return true;
}

bool path_list_read(struct path_list *list, const struct parsed *parsed, bool zero)
{
	bool ok = true;

	*list = (struct path_list){ .n = 0 };
	for (size_t i = 0; ok && i < parsed->n_args; i++) {
		if (!strcmp(parsed->args[i], "-")) ok = add_stdin(list, zero);
		else add(list, parsed->args[i]);
	}
	if (ok && !parsed->n_args && zero) ok = add_stdin(list, zero);
	return ok;
}

void path_list_free(struct path_list *list)
{
	free(list->items);
	free(list->text);
	*list = (struct path_list){ .n = 0 };
}
