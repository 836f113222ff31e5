/* base/buf.h - bytes that grow. A failed append leaves the buffer as it was and sets `failed`, so that a run of appends
 * needs one check at the end.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_BASE_BUF_H
#define AKIN_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

struct buf {
	char *data; /* always terminated by a 0 beyond `len` once anything was appended */
	size_t len, capacity;
	bool failed;
};

#define BUF_EMPTY ((struct buf){ 0 })

void buf_deinit(struct buf *buf);
void buf_clear(struct buf *buf);
void buf_add(struct buf *buf, const void *bytes, size_t n);
void buf_puts(struct buf *buf, const char *s);
void buf_printf(struct buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Make room for n more bytes and return where they go, NULL when there is no memory. */
void *buf_reserve(struct buf *buf, size_t n);
/* The bytes become the caller's (mem_free); the buffer is empty again. NULL when an append failed. */
char *buf_take(struct buf *buf);

#endif
