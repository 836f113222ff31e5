/* base/status.h - writing errors: the place of failure sets the cause, each layer above prefixes what it was doing.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_BASE_STATUS_H
#define AKIN_BASE_STATUS_H

#include "akin/status.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define MUST_USE __attribute__((warn_unused_result))

/* Set the cause and return `status`, so that `return error_set(err, AKIN_ERR_IO, ...)` reads well. `err` may be NULL. */
akin_status error_set(akin_error *err, akin_status status, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The same with ": strerror(errno_value)" at the end. */
akin_status error_errno(akin_error *err, int errno_value, const char *fmt, ...) PRINTF_LIKE(3, 4);
akin_status error_nomem(akin_error *err);
/* Put "CONTEXT: " before the cause; does nothing on AKIN_OK. Returns `status`. */
akin_status error_note(akin_error *err, akin_status status, const char *fmt, ...) PRINTF_LIKE(3, 4);
void error_clear(akin_error *err);

#endif
