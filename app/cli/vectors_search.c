/* cli/vectors_search.c - akin vectors search: nearest vectors of every query, as text, JSON lines or .npy.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/vectors.h"

#include <stdlib.h>

#include "common/json.h"
#include "common/text.h"

enum { TUNE_QUERIES = 200, MANY_TOTAL = 1 << 28 };

static void put_text(size_t query, const akin_neighbour *hits, size_t n)
{
	printf("%zu:", query);
	for (size_t i = 0; i < n; i++) printf("  %lld (%.7g)", (long long)hits[i].id, (double)hits[i].distance);
	putchar('\n');
}

static void put_json(size_t query, const akin_neighbour *hits, size_t n)
{
	json_t *object = json_object(), *ids = json_array(), *distances = json_array();

	for (size_t i = 0; i < n; i++) {
		json_array_append_new(ids, json_integer(hits[i].id));
		json_array_append_new(distances, json_real((double)hits[i].distance));
	}
	json_set_count(object, "query", query);
	json_object_set_new(object, "ids", ids);
	json_object_set_new(object, "distances", distances);
	json_put_line(stdout, object);
}

static int give(const struct vectors_values *v, const akin_neighbour *hits, const size_t *n_hits, size_t n)
{
	const size_t k = (size_t)v->k;
	size_t found = 0;
	akin_error err;

	if (akin_neighbours_write(hits, n_hits, n, k, v->ids, v->distances, &err) != AKIN_OK) return cli_fail(&err);
	for (size_t q = 0; q < n; q++) {
		found += n_hits[q];
		if (v->json) put_json(q, hits + q * k, n_hits[q]);
		else if (!v->ids && !v->distances) put_text(q, hits + q * k, n_hits[q]);
	}
	return found ? EXIT_DONE : EXIT_NOTHING;
}

/* Find the effort for --recall on the first queries, and say what it is. */
static akin_status tune(struct cli *cli, const struct vectors_values *v, akin_index *index,
			const struct row_block *queries, akin_error *err)
{
	const size_t n = queries->n < TUNE_QUERIES ? queries->n : TUNE_QUERIES;
	double reached;
	size_t effort;
	akin_status st = akin_index_tune(index, queries->rows, n, (size_t)v->k, v->recall,
					 (unsigned)cli->globals.threads, &effort, &reached, err);

	if (st == AKIN_ERR_LIMIT) cli_note(cli, "%s", err->text);
	if (st == AKIN_OK && effort) cli_note(cli, "effort %zu: recall %.4f on %zu queries", effort, reached, n);
	return st == AKIN_ERR_LIMIT ? AKIN_OK : st;
}

static int answer(struct cli *cli, const struct vectors_values *v, akin_index *index, const struct row_block *queries)
{
	const akin_index_ask ask = { .k = (size_t)v->k, .effort = (size_t)v->effort, .exact = v->exact,
		                     .threads = (unsigned)cli->globals.threads };
	size_t *n_hits = must_zalloc(queries->n * sizeof *n_hits);
	akin_neighbour *hits;
	char count[TEXT_NUMBER];
	double start;
	akin_error err;
	int code;

	if (ask.k > MANY_TOTAL / queries->n) {
		free(n_hits);
		say("%zu queries with %zu answers each are too many at once; --limit N takes the first N queries",
		    queries->n, ask.k);
		return EXIT_FAILED;
	}
	hits = must_zalloc(queries->n * ask.k * sizeof *hits);
	start = vectors_seconds();
	if (akin_index_search_many(index, queries->rows, queries->n, &ask, hits, n_hits, &err) != AKIN_OK) {
		code = cli_fail(&err);
	} else {
		const double seconds = vectors_seconds() - start;

		code = give(v, hits, n_hits, queries->n);
		cli_note(cli, "%s queries in %.3f s", text_number(queries->n, count), seconds);
	}
	free(hits);
	free(n_hits);
	return code;
}

int vectors_search(struct cli *cli, const struct parsed *parsed)
{
	const struct vectors_values *v = parsed->values;
	struct row_block queries = { .rows = NULL };
	akin_index *index = NULL;
	double seconds;
	akin_error err;
	int code;

	if (parsed->n_args != 3)
		return cli_misuse(parsed, "search wants an index or a file of vectors, and a file of queries");
	if ((v->effort > 0) + (v->recall > 0) + (v->exact != 0) > 1)
		return cli_misuse(parsed, "--effort, --recall and --exact exclude one another");
	if (vectors_open_any(cli, parsed, parsed->args[1], &index, &seconds, &err) != AKIN_OK ||
	    vectors_load_queries(parsed->args[2], index, (size_t)v->limit, &queries, &err) != AKIN_OK ||
	    (v->recall > 0 && tune(cli, v, index, &queries, &err) != AKIN_OK))
		code = cli_fail(&err);
	else code = answer(cli, v, index, &queries);
	row_block_deinit(&queries);
	akin_index_destroy(index);
	return code;
}
