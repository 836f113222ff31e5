/* feature/alignment.h: memory that runs out anywhere is an error, and nothing is lost.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "feature/alignment.h"

static akin_status use(void *unused)
{
	const float v[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	float out[12] = { 0 }, gate;
	struct alignment *a;
	akin_error err;
	akin_status st = alignment_open(&a, TESTS_DIR "/data/alignment", &err);

	(void)unused;
	CHECK(st == AKIN_OK || !a);
	if (st == AKIN_OK) st = alignment_picture(a, v, out, &err);
	if (st == AKIN_OK) st = alignment_classes(a, v, out, &err);
	if (st == AKIN_OK) st = alignment_text(a, v, 4, out, &err);
	if (st == AKIN_OK) st = alignment_gate(a, v, 4, &gate, &err);
	CHECK(st == AKIN_OK || st == AKIN_ERR_NOMEM, "%s\n", err.text);
	alignment_close(a);
	return st;
}

TEST(every_failing_allocation_is_survived)
{
	fault_loop(FAULT_ALLOC, 1000, use, NULL);
}

TEST_MAIN(cmocka_unit_test(every_failing_allocation_is_survived))
