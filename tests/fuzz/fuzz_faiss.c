/* fuzz: Faiss index files. Whatever is accepted can be read to its last item.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "vecfile/vectors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct vectors v;
	akin_error err;
	int64_t *whole;
	void *row;

	if (vectors_parse(&v, data, n, VECTORS_BASE, &err) != AKIN_OK) {
		if (!err.text[0] || v.data || v.ids || v.owned) abort();
		return 0;
	}
	row = mem_alloc(4 * vectors_dim(&v, vectors_element(&v)) + 1);
	whole = mem_calloc(v.cols + 1, sizeof *whole);
	for (size_t i = 0; row && whole && i < v.rows; i++) {
		if (vectors_read(&v, i, 1, vectors_element(&v), row, &err) != AKIN_OK) break;
		if (vectors_read_i64(&v, i, 1, whole, &err) == AKIN_OK) whole[0] += vectors_id(&v, i);
	}
	mem_free(whole);
	mem_free(row);
	vectors_close(&v);
	return 0;
}
