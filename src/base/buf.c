/* base/buf.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

void buf_deinit(struct buf *buf)
{
	mem_free(buf->data);
	*buf = BUF_EMPTY;
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->failed = false;
	if (buf->data) buf->data[0] = '\0';
}

void *buf_reserve(struct buf *buf, size_t n)
{
	size_t wanted = buf->capacity ? buf->capacity : 64;
	char *moved;

	if (n > SIZE_MAX / 4 - buf->len) {
		buf->failed = true;
		return NULL;
	}
	while (wanted < buf->len + n + 1) wanted *= 2;
	if (wanted > buf->capacity) {
		moved = mem_realloc(buf->data, wanted);
		if (!moved) {
			buf->failed = true;
			return NULL;
		}
		buf->data = moved;
		buf->capacity = wanted;
	}
	return buf->data + buf->len;
}

void buf_add(struct buf *buf, const void *bytes, size_t n)
{
	char *to = buf_reserve(buf, n);

	if (!to) return;
	if (n) memcpy(to, bytes, n);
	buf->len += n;
	buf->data[buf->len] = '\0';
}

void buf_puts(struct buf *buf, const char *s)
{
	buf_add(buf, s, strlen(s));
}

void buf_printf(struct buf *buf, const char *fmt, ...)
{
	va_list args;
	int n;
	char *to;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n < 0 || !(to = buf_reserve(buf, (size_t)n))) {
		buf->failed = true;
		return;
	}
	va_start(args, fmt);
	vsnprintf(to, (size_t)n + 1, fmt, args);
	va_end(args);
	buf->len += (size_t)n;
}

char *buf_take(struct buf *buf)
{
	char *data;

	if (!buf->failed && !buf->data) buf_add(buf, "", 0);
	if (buf->failed) {
		buf_deinit(buf);
		return NULL;
	}
	data = buf->data;
	*buf = BUF_EMPTY;
	return data;
}
