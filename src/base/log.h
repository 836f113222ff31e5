/* base/log.h - words for whoever watches: off unless AKIN_LOG is "debug", "info" or "warn"; goes to stderr.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_BASE_LOG_H
#define AKIN_BASE_LOG_H

#include "base/status.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_OFF };

void log_say(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
