/* base/fault.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/fault.h"

#include <stdatomic.h>

static atomic_uint armed_kinds;
static atomic_long remaining;
static atomic_bool keeps_failing;
static atomic_bool met;

void fault_arm(unsigned kinds, long nth, bool persistent)
{
	atomic_store(&met, false);
	atomic_store(&remaining, nth);
	atomic_store(&keeps_failing, persistent);
	atomic_store(&armed_kinds, kinds);
}

bool fault_disarm(void)
{
	atomic_store(&armed_kinds, 0);
	return atomic_load(&met);
}

bool fault_hit(enum fault_kind kind)
{
	long left;

	if (!(atomic_load_explicit(&armed_kinds, memory_order_relaxed) & (unsigned)kind)) return false;
	left = atomic_fetch_sub(&remaining, 1);
	if (left != 1 && !(left < 1 && atomic_load(&keeps_failing))) return false;
	atomic_store(&met, true);
	return true;
}
