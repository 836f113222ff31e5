/* vectors.c - nearest neighbours of vectors in a file, with akin's vector engine alone.
 *
 *   cc examples/vectors.c $(pkg-config --cflags --libs akin) -o vectors
 *   ./vectors features.npy query.npy
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include <akin/akin.h>

/* All vectors of a file as floats. */
static akin_status load(const char *path, akin_vectors_part part, float **rows, akin_vectors_info *info,
			akin_error *err)
{
	akin_vectors *file;
	akin_status st = akin_vectors_open(&file, path, part, err);

	if (st != AKIN_OK) return st;
	akin_vectors_get_info(file, info);
	*rows = malloc(info->count * info->dim * sizeof **rows);
	st = akin_vectors_read(file, 0, info->count, AKIN_ELEMENT_F32, *rows, err);
	akin_vectors_close(file);
	return st;
}

int main(int argc, char **argv)
{
	float *base = NULL, *queries = NULL;
	akin_vectors_info info, asked;
	akin_index *index = NULL;
	akin_neighbour hits[10];
	akin_error err;
	size_t n;

	if (argc != 3) return fprintf(stderr, "usage: vectors BASE QUERIES\n"), 2;
	if (load(argv[1], AKIN_VECTORS_BASE, &base, &info, &err) != AKIN_OK) goto fail;
	if (load(argv[2], AKIN_VECTORS_QUERIES, &queries, &asked, &err) != AKIN_OK) goto fail;
	if (asked.dim != info.dim) return fprintf(stderr, "vectors: %zu and %zu dimensions\n", info.dim, asked.dim), 3;
	/* AUTO: exact while there are few, else the kind that is fastest for these vectors. */
	if (akin_index_create(&index, &(akin_index_spec){ .dim = info.dim }, &err) != AKIN_OK) goto fail;
	if (akin_index_add(index, NULL, base, info.count, 0, &err) != AKIN_OK) goto fail;
	for (size_t q = 0; q < asked.count; q++) {
		if (akin_index_search(index, queries + q * info.dim, &(akin_index_ask){ .k = 10 }, hits, &n, &err) !=
		    AKIN_OK)
			goto fail;
		for (size_t i = 0; i < n; i++)
			printf("%lld (%g)%c", (long long)hits[i].id, (double)hits[i].distance, i + 1 < n ? ' ' : '\n');
	}
	akin_index_destroy(index);
	free(base);
	free(queries);
	return 0;
fail:
	fprintf(stderr, "vectors: %s\n", err.text);
	return 3;
}
