/* base/log.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum log_level threshold(void)
{
	const char *value = getenv("AKIN_LOG");

	if (!value) return LOG_OFF;
	if (!strcmp(value, "debug")) return LOG_DEBUG;
	if (!strcmp(value, "info")) return LOG_INFO;
	return !strcmp(value, "warn") ? LOG_WARN : LOG_OFF;
}

void log_say(enum log_level level, const char *fmt, ...)
{
	char line[1024];
	va_list args;

	if (level < threshold()) return;
	va_start(args, fmt);
	vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
	fprintf(stderr, "akin: %s\n", line);
}
