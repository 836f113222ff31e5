/* vecfile/hdf5.h - the part of HDF5 that files of vectors use, read only: named arrays of two dimensions below the
 * root, of integers and floats, contiguous, compact, or in chunks that may be shuffled and deflated; and text
 * attributes of the root. Why not libhdf5: docs/decisions/0002-own-hdf5-reader.md. Section numbers are those of the
 * HDF5 File Format Specification 3.0. SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_VECFILE_HDF5_H
#define AKIN_VECFILE_HDF5_H

#include "vecfile/vectors.h"

bool hdf5_is(const uint8_t *bytes, size_t n);
akin_status hdf5_parse(struct vectors *v, const uint8_t *bytes, size_t n, enum vectors_part part, akin_error *err);

/* ---- for hdf5_chunks.c ---- */

enum { HDF5_MAX_FILTERS = 4, HDF5_DEFLATE = 1, HDF5_SHUFFLE = 2, HDF5_FLETCHER32 = 3 };
#define HDF5_NOWHERE UINT64_MAX

struct hdf5_file {
	const uint8_t *bytes;
	size_t n;
	uint64_t base;       /* what addresses count from */
	uint64_t root;       /* address of the root's object header */
	unsigned visits;     /* structures looked at: a file whose parts point in circles ends here */
};

/* An array of the file, as its object header describes it. */
struct hdf5_array {
	uint64_t rows, cols;
	unsigned rank;
	enum vectors_item item;
	size_t item_bytes;
	bool big_endian, has_type;
	unsigned layout;             /* 0 compact, 1 contiguous, 2 chunked, 9: none seen */
	uint64_t address, bytes;     /* compact: place in the file */
	uint64_t chunk_rows, chunk_cols;
	unsigned n_filters;
	uint16_t filters[HDF5_MAX_FILTERS]; /* in the order of writing */
};

/* n bytes at an address, NULL when they are not all in the file. */
const uint8_t *hdf5_at(const struct hdf5_file *f, uint64_t address, uint64_t n);
uint64_t hdf5_number(const uint8_t *p, size_t bytes);
/* False when the budget of visits is spent. */
bool hdf5_visit(struct hdf5_file *f);
/* Unpack every chunk into *out (mem_free), rows x cols items without gaps. */
akin_status hdf5_unpack(struct hdf5_file *f, const struct hdf5_array *a, uint8_t **out, akin_error *err);

#endif
