/* base/fault.h - failures on demand, for tests.
 *
 * Allocation, write, fsync and rename pass through fault_hit(). A test arms the Nth call to fail and repeats with N+1
 * until a run meets no injected failure. Disarmed it costs one relaxed atomic load.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_BASE_FAULT_H
#define AKIN_BASE_FAULT_H

#include <stdbool.h>

enum fault_kind { FAULT_ALLOC = 1, FAULT_WRITE = 2, FAULT_SYNC = 4, FAULT_RENAME = 8, FAULT_ALL = 15 };

/* The nth (1 is the next) call of any of `kinds` fails, once; or from there on all of them when `persistent`. */
void fault_arm(unsigned kinds, long nth, bool persistent);
/* Returns whether an armed failure was met. */
bool fault_disarm(void);
/* True when this call must fail. */
bool fault_hit(enum fault_kind kind);

#endif
