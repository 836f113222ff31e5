/* base/status.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {
	[AKIN_OK] = "ok",
	[AKIN_ERR_NOMEM] = "out of memory",
	[AKIN_ERR_IO] = "input/output error",
	[AKIN_ERR_INVALID] = "invalid argument",
	[AKIN_ERR_NOT_FOUND] = "not found",
	[AKIN_ERR_EXISTS] = "exists already",
	[AKIN_ERR_FORMAT] = "damaged or wrong format",
	[AKIN_ERR_UNSUPPORTED] = "not supported here",
	[AKIN_ERR_LIMIT] = "limit reached",
	[AKIN_ERR_BUSY] = "busy",
	[AKIN_ERR_CORRUPT] = "library corrupt",
	[AKIN_ERR_CANCELLED] = "cancelled",
	[AKIN_ERR_INTERNAL] = "internal error",
};

const char *akin_status_name(akin_status status)
{
	return (size_t)status < COUNT(names) && names[status] ? names[status] : "unknown status";
}

const char *akin_version(void)
{
	return AKIN_VERSION;
}

void error_clear(akin_error *err)
{
	if (!err) return;
	err->status = AKIN_OK;
	err->text[0] = '\0';
}

akin_status error_set(akin_error *err, akin_status status, const char *fmt, ...)
{
	va_list args;

	if (!err) return status;
	err->status = status;
	va_start(args, fmt);
	vsnprintf(err->text, sizeof err->text, fmt, args);
	va_end(args);
	return status;
}

static akin_status status_of_errno(int errno_value)
{
	switch (errno_value) {
	case ENOMEM: return AKIN_ERR_NOMEM;
	case ENOENT:
	case ENOTDIR: return AKIN_ERR_NOT_FOUND;
	case EEXIST: return AKIN_ERR_EXISTS;
	default: return AKIN_ERR_IO;
	}
}

akin_status error_errno(akin_error *err, int errno_value, const char *fmt, ...)
{
	akin_status status = status_of_errno(errno_value);
	char reason[128];
	va_list args;
	size_t used;

	if (!err) return status;
	err->status = status;
	va_start(args, fmt);
	vsnprintf(err->text, sizeof err->text, fmt, args);
	va_end(args);
	used = strlen(err->text);
	if (strerror_r(errno_value, reason, sizeof reason) != 0)
		snprintf(reason, sizeof reason, "error %d", errno_value);
	snprintf(err->text + used, sizeof err->text - used, ": %s", reason);
	return status;
}

akin_status error_nomem(akin_error *err)
{
	return error_set(err, AKIN_ERR_NOMEM, "out of memory");
}

akin_status error_note(akin_error *err, akin_status status, const char *fmt, ...)
{
	char cause[sizeof err->text];
	va_list args;
	size_t used;

	if (status == AKIN_OK || !err) return status;
	memcpy(cause, err->text, sizeof cause);
	va_start(args, fmt);
	vsnprintf(err->text, sizeof err->text, fmt, args);
	va_end(args);
	used = strlen(err->text);
	snprintf(err->text + used, sizeof err->text - used, ": %.*s", (int)(sizeof cause - 1), cause);
	err->status = status;
	return status;
}
