/* cli/vectors_build.c - akin vectors build, add, remove.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/vectors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

/* What the index has become, on stderr. */
static void tell(struct cli *cli, const akin_index *index, const char *path, double seconds)
{
	char count[TEXT_NUMBER], bytes[TEXT_NUMBER];
	akin_index_stats s;

	akin_index_get_stats(index, &s);
	cli_note(cli, "%s: %s vectors of %zu dimensions, %s, %s, %s; %s, %.1f s", path, text_number(s.count, count),
		 s.dim, akin_index_kind_name(s.kind == AKIN_INDEX_AUTO ? AKIN_INDEX_FLAT : s.kind),
		 akin_metric_name(s.metric), akin_element_name(s.element), text_bytes(s.bytes, bytes), seconds);
}

/* --with-ids: one for each of n rows. */
static akin_status load_ids(const struct vectors_values *v, const char *path, size_t n, int64_t **ids, akin_error *err)
{
	size_t n_ids;
	akin_status st;

	*ids = NULL;
	if (!v->with_ids) return AKIN_OK;
	if ((st = vectors_load_ids(v->with_ids, ids, &n_ids, err)) != AKIN_OK || n_ids == n) return st;
	err->status = AKIN_ERR_INVALID;
	snprintf(err->text, sizeof err->text, "%s: %zu ids for the %zu vectors of %s", v->with_ids, n_ids, n, path);
	return err->status;
}

int vectors_build(struct cli *cli, const struct parsed *parsed)
{
	const struct vectors_values *v = parsed->values;
	const double start = vectors_seconds();
	const char *path;
	akin_vectors *file = NULL;
	akin_index *index = NULL;
	int64_t *ids = NULL;
	akin_vectors_info info;
	akin_index_spec spec;
	akin_error err;
	int code = EXIT_FAILED;

	if (parsed->n_args != 2) return cli_misuse(parsed, "build wants one file of vectors");
	if (!v->output) return cli_misuse(parsed, "build wants -o FILE, where the index goes");
	path = parsed->args[1];
	if (akin_vectors_open(&file, path, AKIN_VECTORS_BASE, &err) != AKIN_OK) goto fail;
	if (!vectors_spec(parsed, file, &spec)) {
		code = EXIT_USAGE;
		goto out;
	}
	akin_vectors_get_info(file, &info);
	if (load_ids(v, path, info.count, &ids, &err) != AKIN_OK) goto fail;
	if (akin_index_create(&index, &spec, &err) != AKIN_OK) goto fail;
	if (vectors_fill(cli, index, file, path, ids, false, false, &err) != AKIN_OK) goto fail;
	if (akin_index_save(index, v->output, &err) != AKIN_OK) goto fail;
	tell(cli, index, v->output, vectors_seconds() - start);
	code = EXIT_DONE;
	goto out;
fail:
	cli_fail(&err);
out:
	free(ids);
	akin_index_destroy(index);
	akin_vectors_close(file);
	return code;
}

int vectors_add(struct cli *cli, const struct parsed *parsed)
{
	const struct vectors_values *v = parsed->values;
	const double start = vectors_seconds();
	akin_vectors *file = NULL;
	akin_index *index = NULL;
	int64_t *ids = NULL;
	akin_vectors_info info;
	akin_error err;
	int code = EXIT_FAILED;

	if (parsed->n_args != 3) return cli_misuse(parsed, "add wants an index and a file of vectors");
	if (akin_index_open(&index, parsed->args[1], &err) != AKIN_OK) goto fail;
	if (akin_vectors_open(&file, parsed->args[2], AKIN_VECTORS_BASE, &err) != AKIN_OK) goto fail;
	akin_vectors_get_info(file, &info);
	if (v->update && !v->with_ids && !info.has_ids) {
		code = cli_misuse(parsed, "--update wants --with-ids FILE: which vectors are replaced");
		goto out;
	}
	if (load_ids(v, parsed->args[2], info.count, &ids, &err) != AKIN_OK) goto fail;
	if (vectors_fill(cli, index, file, parsed->args[2], ids, !ids && !info.has_ids, v->update, &err) != AKIN_OK)
		goto fail;
	if (akin_index_save(index, parsed->args[1], &err) != AKIN_OK) goto fail;
	tell(cli, index, parsed->args[1], vectors_seconds() - start);
	code = EXIT_DONE;
	goto out;
fail:
	cli_fail(&err);
out:
	free(ids);
	akin_index_destroy(index);
	akin_vectors_close(file);
	return code;
}

/* ---- remove ---- */

static bool is_id(const char *word, int64_t *id)
{
	char *end;

	errno = 0;
	*id = strtoll(word, &end, 10);
	return !errno && end != word && !*end && !strchr(" \t\n", word[0]);
}

/* Ids of the command line and of --with-ids. */
static int gather_ids(const struct parsed *parsed, int64_t **ids, size_t *n)
{
	const struct vectors_values *v = parsed->values;
	int64_t *more = NULL;
	size_t n_more = 0;
	akin_error err;
	int code = EXIT_DONE;

	if (v->with_ids && vectors_load_ids(v->with_ids, &more, &n_more, &err) != AKIN_OK) code = cli_fail(&err);
	*n = parsed->n_args - 2 + n_more;
	*ids = must_zalloc((*n + 1) * sizeof **ids);
	if (n_more) memcpy(*ids, more, n_more * sizeof *more);
	free(more);
	for (size_t i = 2; i < parsed->n_args && code == EXIT_DONE; i++)
		if (!is_id(parsed->args[i], &(*ids)[n_more + i - 2]))
			code = cli_misuse(parsed, "'%s' is no id: a whole number", parsed->args[i]);
	if (code == EXIT_DONE && !*n) code = cli_misuse(parsed, "remove wants ids, or --with-ids FILE");
	return code;
}

int vectors_remove(struct cli *cli, const struct parsed *parsed)
{
	akin_index *index = NULL;
	int64_t *ids = NULL;
	size_t n = 0, removed = 0;
	akin_error err;
	int code;

	if (parsed->n_args < 2) return cli_misuse(parsed, "remove wants an index");
	if ((code = gather_ids(parsed, &ids, &n)) != EXIT_DONE) goto out;
	if (akin_index_open(&index, parsed->args[1], &err) != AKIN_OK ||
	    akin_index_remove(index, ids, n, &removed, &err) != AKIN_OK ||
	    (removed && akin_index_save(index, parsed->args[1], &err) != AKIN_OK)) {
		code = cli_fail(&err);
		goto out;
	}
	cli_note(cli, "%zu of %zu vectors removed", removed, n);
	code = removed ? EXIT_DONE : EXIT_NOTHING;
out:
	free(ids);
	akin_index_destroy(index);
	return code;
}
