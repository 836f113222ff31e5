/* cli/vectors.h - what the actions of `akin vectors` share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_CLI_VECTORS_H
#define AKIN_CLI_VECTORS_H

#include "cli/cli.h"

struct vectors_values {
	const char *output, *kind, *metric, *type, *with_ids, *ids, *distances, *truth, *svg, *format, *part;
	int64_t k, effort, seed, limit, links, build_effort, lists, code_width, rerank, tables, hash_bits;
	double recall, hash_width;
	int exact, json, update;
};

/* Every function that gives an exit code has said why when it is not EXIT_DONE. */

int vectors_build(struct cli *cli, const struct parsed *parsed);
int vectors_add(struct cli *cli, const struct parsed *parsed);
int vectors_remove(struct cli *cli, const struct parsed *parsed);
int vectors_search(struct cli *cli, const struct parsed *parsed);
int vectors_info(struct cli *cli, const struct parsed *parsed);
int vectors_check(struct cli *cli, const struct parsed *parsed);
int vectors_convert(struct cli *cli, const struct parsed *parsed);
int vectors_bench(struct cli *cli, const struct parsed *parsed);

/* ---- vectors_open.c ---- */

/* Rows as an index takes them, in memory. */
struct row_block {
	void *rows;
	size_t n, dim;
	akin_element element;
};

/* What --kind, --metric and --type say, with what the file says where they are silent. */
bool vectors_spec(const struct parsed *parsed, const akin_vectors *file, akin_index_spec *spec);
/* Whether the file is one of akin's own indexes, by its first bytes. */
bool vectors_is_index(const char *path);
/* An index file, or a file of vectors put into a flat index. *seconds is how long that took. */
akin_status vectors_open_any(struct cli *cli, const struct parsed *parsed, const char *path, akin_index **index,
                             double *seconds, akin_error *err);
/* Rows first .. first + n - 1; AKIN_ERR_INVALID when they have not `dim` dimensions. */
akin_status vectors_load(const akin_vectors *file, const char *path, size_t first, size_t n, akin_element element,
			 size_t dim, struct row_block *block, akin_error *err);
/* The queries in a file, for an index; at most `limit` of them unless that is 0. */
akin_status vectors_load_queries(const char *path, const akin_index *index, size_t limit, struct row_block *block,
                                 akin_error *err);
void row_block_deinit(struct row_block *block);

/* Put every row of the file into the index, with progress. `ids` NULL: the file's, or its row numbers. */
akin_status vectors_fill(struct cli *cli, akin_index *index, const akin_vectors *file, const char *path,
			 const int64_t *ids, bool numbered, bool update, akin_error *err);
/* Whole numbers of a file as one list; free() it. */
akin_status vectors_load_ids(const char *path, int64_t **ids, size_t *n, akin_error *err);

double vectors_seconds(void);

/* ---- vectors_svg.c ---- */

struct bench_point {
	size_t effort;
	double recall, qps, batch_qps, mean_us, p50_us, p99_us;
};
/* Recall against queries a second as a picture. False: said why. */
bool vectors_svg_write(const char *path, const char *title, size_t k, const struct bench_point *points, size_t n);

#endif
