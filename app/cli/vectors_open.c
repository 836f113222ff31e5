/* cli/vectors_open.c - files of vectors and indexes, as the actions of `akin vectors` want them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/vectors.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/progress.h"

enum { CHUNK_BYTES = 32 << 20, TRAIN_ROWS = 50000 };

double vectors_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- words of the command line ---- */

/* The number of a word among the names that an enum's name function gives, from `first` on; -1: unknown. */
static int by_name(const char *word, const char *(*name)(int), int first)
{
	for (int i = first; strcmp(name(i), "?") != 0; i++)
		if (!strcmp(word, name(i))) return i;
	return -1;
}

static const char *kind_name(int i)
{
	return akin_index_kind_name((akin_index_kind)i);
}

static const char *metric_name(int i)
{
	return akin_metric_name((akin_metric)i);
}

static const char *element_name(int i)
{
	return akin_element_name((akin_element)i);
}

static bool take_word(const struct parsed *parsed, const char *option, const char *word, const char *(*name)(int),
		      int first, int *value)
{
	char known[128] = "";

	if (!word) return true;
	if ((*value = by_name(word, name, first)) >= 0) return true;
	for (int i = first; strcmp(name(i), "?") != 0; i++) {
		const size_t n = strlen(known);

		snprintf(known + n, sizeof known - n, "%s%s", n ? ", " : "", name(i));
	}
	cli_misuse(parsed, "%s must be one of %s, not '%s'", option, known, word);
	return false;
}

bool vectors_spec(const struct parsed *parsed, const akin_vectors *file, akin_index_spec *spec)
{
	const struct vectors_values *v = parsed->values;
	int kind = AKIN_INDEX_AUTO, metric = AKIN_METRIC_DEFAULT, element = AKIN_ELEMENT_DEFAULT;
	akin_vectors_info info;

	if (!take_word(parsed, "--kind", v->kind, kind_name, AKIN_INDEX_AUTO, &kind)) return false;
	if (!take_word(parsed, "--metric", v->metric, metric_name, AKIN_METRIC_L2, &metric)) return false;
	if (!take_word(parsed, "--type", v->type, element_name, AKIN_ELEMENT_F32, &element)) return false;
	akin_vectors_get_info(file, &info);
	if (!metric && !element) metric = (int)info.metric;
	if (!element) element = metric == AKIN_METRIC_HAMMING ? AKIN_ELEMENT_BITS : (int)info.element;
	*spec = (akin_index_spec){ .kind = (akin_index_kind)kind, .metric = (akin_metric)metric,
		                   .element = (akin_element)element, .seed = (uint64_t)v->seed,
		                   .links = (size_t)v->links, .build_effort = (size_t)v->build_effort,
		                   .lists = (uint32_t)v->lists, .code_width = (uint32_t)v->code_width,
		                   .rerank = (uint32_t)v->rerank, .tables = (uint32_t)v->tables,
		                   .hash_bits = (uint32_t)v->hash_bits, .hash_width = (float)v->hash_width };
	spec->dim = akin_vectors_dim(file, spec->element);
	return true;
}

/* ---- rows ---- */

static size_t bytes_of(akin_element element, size_t dim)
{
	return element == AKIN_ELEMENT_BITS                                       ? (dim + 7) / 8
	       : element == AKIN_ELEMENT_F32 || element == AKIN_ELEMENT_F16 ? 4 * dim
	                                                                    : dim;
}

static akin_status complain(akin_error *err, akin_status status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static akin_status complain(akin_error *err, akin_status status, const char *fmt, ...)
{
	va_list args;

	err->status = status;
	va_start(args, fmt);
	vsnprintf(err->text, sizeof err->text, fmt, args);
	va_end(args);
	return status;
}

/* Put the file's name before the cause. */
static akin_status in_file(akin_error *err, akin_status status, const char *path)
{
	char *cause;

	if (status == AKIN_OK) return status;
	cause = must_printf("%s", err->text);
	snprintf(err->text, sizeof err->text, "%s: %s", path, cause);
	free(cause);
	return status;
}

akin_status vectors_load(const akin_vectors *file, const char *path, size_t first, size_t n, akin_element element,
			 size_t dim, struct row_block *block, akin_error *err)
{
	const size_t there = akin_vectors_dim(file, element);

	*block = (struct row_block){ .n = n, .dim = dim, .element = element };
	if (there != dim)
		return complain(err, AKIN_ERR_INVALID, "%s: vectors of %zu dimensions, but the index has %zu", path,
				there, dim);
	block->rows = must_zalloc(n * bytes_of(element, dim) + 1);
	return in_file(err, akin_vectors_read(file, first, n, element, block->rows, err), path);
}

void row_block_deinit(struct row_block *block)
{
	free(block->rows);
	*block = (struct row_block){ .rows = NULL };
}

akin_status vectors_load_queries(const char *path, const akin_index *index, size_t limit, struct row_block *block,
                                 akin_error *err)
{
	akin_vectors *file = NULL;
	akin_vectors_info info;
	akin_index_stats stats;
	akin_status st;

	*block = (struct row_block){ .rows = NULL };
	if ((st = akin_vectors_open(&file, path, AKIN_VECTORS_QUERIES, err)) != AKIN_OK) return st;
	akin_vectors_get_info(file, &info);
	akin_index_get_stats(index, &stats);
	if (!limit || limit > info.count) limit = info.count;
	if (!info.count) st = complain(err, AKIN_ERR_INVALID, "%s: no queries in it", path);
	else st = vectors_load(file, path, 0, limit, stats.element, stats.dim, block, err);
	akin_vectors_close(file);
	return st;
}

akin_status vectors_load_ids(const char *path, int64_t **ids, size_t *n, akin_error *err)
{
	akin_vectors *file = NULL;
	akin_vectors_info info;
	akin_status st;

	*ids = NULL;
	*n = 0;
	if ((st = akin_vectors_open(&file, path, AKIN_VECTORS_TRUTH, err)) != AKIN_OK) return st;
	akin_vectors_get_info(file, &info);
	*n = info.count * info.dim;
	*ids = must_zalloc(*n * sizeof **ids + 1);
	st = in_file(err, akin_vectors_read_integers(file, 0, info.count, *ids, err), path);
	akin_vectors_close(file);
	return st;
}

/* ---- filling ---- */

/* Rows at equal steps; what a kind learns from. A small index is flat or learns from what is added. */
static akin_status train(struct cli *cli, akin_index *index, const akin_vectors *file, const char *path,
			 akin_error *err)
{
	akin_index_stats stats;
	akin_vectors_info info;
	akin_status st = AKIN_OK;
	unsigned char *rows;
	size_t n, step;

	akin_index_get_stats(index, &stats);
	akin_vectors_get_info(file, &info);
	if (stats.count || stats.kind == AKIN_INDEX_FLAT || info.count <= AKIN_INDEX_AUTO_ROWS) return AKIN_OK;
	step = (info.count + TRAIN_ROWS - 1) / TRAIN_ROWS;
	n = info.count / step;
	rows = must_zalloc(n * stats.vector_bytes);
	for (size_t i = 0; i < n && st == AKIN_OK; i++)
		st = akin_vectors_read(file, i * step, 1, stats.element, rows + i * stats.vector_bytes, err);
	st = in_file(err, st, path);
	if (st == AKIN_OK) st = akin_index_train(index, rows, n, (unsigned)cli->globals.threads, err);
	free(rows);
	return st;
}

static akin_status fill_chunk(struct cli *cli, akin_index *index, const akin_vectors *file, const int64_t *ids,
			      size_t first, const struct row_block *block, bool numbered, bool update, akin_error *err)
{
	const unsigned threads = (unsigned)cli->globals.threads;
	int64_t *own = must_zalloc(block->n * sizeof *own);
	akin_status st;

	akin_vectors_read_ids(file, first, block->n, own);
	if (!ids) ids = own;
	else ids += first;
	if (update) st = akin_index_update(index, ids, block->rows, block->n, threads, err);
	else st = akin_index_add(index, numbered ? NULL : ids, block->rows, block->n, threads, err);
	free(own);
	return st;
}

akin_status vectors_fill(struct cli *cli, akin_index *index, const akin_vectors *file, const char *path,
			 const int64_t *ids, bool numbered, bool update, akin_error *err)
{
	struct progress progress = { .shown = false };
	const double start = vectors_seconds();
	akin_vectors_info info;
	akin_index_stats stats;
	akin_status st;
	size_t chunk;

	akin_vectors_get_info(file, &info);
	akin_index_get_stats(index, &stats);
	chunk = CHUNK_BYTES / stats.vector_bytes + 1;
	st = train(cli, index, file, path, err);
	for (size_t first = 0; first < info.count && st == AKIN_OK; first += chunk) {
		const size_t n = info.count - first < chunk ? info.count - first : chunk;
		const akin_progress now = { .found = info.count, .to_read = info.count, .done = first, .read = first,
			                    .walk_finished = 1, .seconds = vectors_seconds() - start };
		struct row_block block;

		if (!cli->globals.quiet) progress_show(&progress, &now);
		st = vectors_load(file, path, first, n, stats.element, stats.dim, &block, err);
		if (st == AKIN_OK)
			st =
			    in_file(err, fill_chunk(cli, index, file, ids, first, &block, numbered, update, err), path);
		row_block_deinit(&block);
	}
	progress_clear(&progress);
	return st;
}

/* ---- opening ---- */

bool vectors_is_index(const char *path)
{
	char first[7] = "";
	FILE *file = fopen(path, "rb");
	size_t n;

	if (!file) return false;
	n = fread(first, 1, sizeof first, file);
	fclose(file);
	return n == sizeof first && !memcmp(first, "AKINIDX", sizeof first);
}

akin_status vectors_open_any(struct cli *cli, const struct parsed *parsed, const char *path, akin_index **index,
                             double *seconds, akin_error *err)
{
	const double start = vectors_seconds();
	akin_vectors *file = NULL;
	akin_index_spec spec;
	akin_status st;

	*index = NULL;
	*seconds = 0;
	if (vectors_is_index(path)) {
		st = akin_index_open(index, path, err);
		*seconds = vectors_seconds() - start;
		return st;
	}
	if ((st = akin_vectors_open(&file, path, AKIN_VECTORS_BASE, err)) != AKIN_OK) return st;
	if (!vectors_spec(parsed, file, &spec)) {
		st = complain(err, AKIN_ERR_INVALID, "the options do not suit %s", path);
		goto out;
	}
	if (!((const struct vectors_values *)parsed->values)->kind) spec.kind = AKIN_INDEX_FLAT;
	if ((st = in_file(err, akin_index_create(index, &spec, err), path)) != AKIN_OK) goto out;
	st = vectors_fill(cli, *index, file, path, NULL, false, false, err);
	*seconds = vectors_seconds() - start;
out:
	if (st != AKIN_OK) {
		akin_index_destroy(*index);
		*index = NULL;
	}
	akin_vectors_close(file);
	return st;
}
