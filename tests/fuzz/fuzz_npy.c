/* fuzz: .npy bytes. Whatever is accepted can be read to its last item.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "vecfile/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct npy npy;
	akin_error err;
	float *row;
	int64_t *whole;

	if (npy_parse(&npy, data, n, &err) != AKIN_OK) {
		if (!err.text[0] || npy.data) abort();
		return 0;
	}
	row = mem_calloc(npy.cols, sizeof *row);
	whole = mem_calloc(npy.cols, sizeof *whole);
	for (size_t i = 0; row && whole && i < npy.rows; i++) {
		npy_row_f32(&npy, i, row);
		npy_row_i64(&npy, i, whole);
	}
	mem_free(whole);
	mem_free(row);
	return 0;
}
