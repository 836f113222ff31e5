/* base/clock.h - time for measuring and for stamps.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_BASE_CLOCK_H
#define AKIN_BASE_CLOCK_H

#include <stdint.h>

double clock_seconds(void);    /* monotonic */
int64_t clock_unix(void);      /* seconds since 1970 */

#endif
