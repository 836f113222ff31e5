/* types/vector.h - what vectors are made of and how they are compared.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_TYPES_VECTOR_H
#define AKIN_TYPES_VECTOR_H

#include <stddef.h>
#include <stdint.h>

/* Distances: smaller is nearer, for every metric. Values are written to files: never renumber. */
enum metric {
	METRIC_L2 = 1,      /* squared Euclidean distance */
	METRIC_IP = 2,      /* minus the inner product */
	METRIC_COSINE = 3,  /* 1 - cosine, 0..2; a zero vector is at distance 1 from everything */
	METRIC_HAMMING = 4  /* differing bits */
};

enum element {
	ELEMENT_F32 = 1,
	ELEMENT_F16 = 2,    /* IEEE binary16 */
	ELEMENT_I8 = 3,
	ELEMENT_U8 = 4,
	ELEMENT_BITS = 5    /* packed, least significant bit first; dim is a number of bits, rows start on a byte */
};

/* Bytes of one vector. */
static inline size_t element_row_bytes(enum element element, size_t dim)
{
	switch (element) {
	case ELEMENT_F32: return 4 * dim;
	case ELEMENT_F16: return 2 * dim;
	case ELEMENT_BITS: return (dim + 7) / 8;
	default: return dim;
	}
}

#endif
