/* feature/labels.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "feature/labels.h"

#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"

enum { LABELS_MAX_BYTES = 16 << 20, LABELS_MAX = 1000000 };

static akin_status parse_row(struct labels *labels, char *line, size_t *capacity, akin_error *err)
{
	char *wnid = strchr(line, '\t'), *names = wnid ? strchr(wnid + 1, '\t') : NULL;
	const char **moved;
	int64_t index;

	if (!names || !strchr(names + 1, '\t'))
		return error_set(err, AKIN_ERR_FORMAT, "row %zu of the labels needs four columns", labels->n + 1);
	*wnid = '\0';
	if (!str_to_i64(line, 0, LABELS_MAX, &index) || (size_t)index != labels->n)
		return error_set(err, AKIN_ERR_FORMAT, "row %zu of the labels must have the index %zu", labels->n + 1,
		                 labels->n);
	if (!(moved = mem_grow(labels->row, capacity, labels->n, sizeof *labels->row))) return error_nomem(err);
	labels->row = moved;
	labels->row[labels->n++] = names + 1;
	return AKIN_OK;
}

akin_status labels_parse(struct labels *labels, const char *bytes, size_t n, akin_error *err)
{
	size_t capacity = 0;
	akin_status st = AKIN_OK;
	char *next;

	*labels = (struct labels){ 0 };
	if (memchr(bytes, '\0', n)) return error_set(err, AKIN_ERR_FORMAT, "the labels hold a zero byte");
	if (!(labels->bytes = mem_alloc(n + 1))) return error_nomem(err);
	memcpy(labels->bytes, bytes, n);
	labels->bytes[n] = '\0';
	for (char *line = labels->bytes; st == AKIN_OK && line && *line; line = next) {
		size_t len;

		if ((next = strchr(line, '\n'))) *next++ = '\0';
		len = strlen(line);
		if (len && line[len - 1] == '\r') line[len - 1] = '\0';
		if (line == labels->bytes && str_starts(line, "index\t")) continue;
		st = parse_row(labels, line, &capacity, err);
	}
	if (st != AKIN_OK) labels_deinit(labels);
	return st;
}

akin_status labels_read(struct labels *labels, const char *path, akin_error *err)
{
	struct buf bytes = BUF_EMPTY;
	akin_status st = fs_read(path, LABELS_MAX_BYTES, &bytes, err);

	*labels = (struct labels){ 0 };
	if (st == AKIN_OK) st = error_note(err, labels_parse(labels, bytes.data, bytes.len, err), "%s", path);
	buf_deinit(&bytes);
	return st;
}

void labels_deinit(struct labels *labels)
{
	mem_free(labels->row);
	mem_free(labels->bytes);
	*labels = (struct labels){ 0 };
}
