/* cli/cmd_remove.c - akin remove: forget pictures, files or folders.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "cli/cli.h"
#include "common/text.h"

struct values {
	int zero;
};

static const struct option options[] = {
	{ .name = "null", .letter = '0', .type = OPTION_FLAG, .at = offsetof(struct values, zero),
	  .help = "paths on standard input end with NUL" },
};

static const struct example examples[] = {
	{ "akin remove ~/Pictures/old", "forget a whole folder" },
	{ "akin remove id:1042 id:1043", "forget two pictures and all their files" },
	{ "akin list -0 --missing | akin remove -0", "forget what has vanished" },
};

static akin_status remove_all(akin_library *lib, const struct path_list *list, uint64_t *n, akin_error *err)
{
	akin_id *ids = must_zalloc(list->n * sizeof *ids);
	const char **paths = must_zalloc(list->n * sizeof *paths);
	size_t n_ids = 0, n_paths = 0;
	uint64_t by_path = 0;
	akin_status st = AKIN_OK;

	*n = 0;
	for (size_t i = 0; i < list->n; i++) {
		if (cli_is_id(list->items[i], &ids[n_ids])) n_ids++;
		else paths[n_paths++] = list->items[i];
	}
	if (n_ids) st = akin_library_remove_ids(lib, ids, n_ids, n, err);
	if (st == AKIN_OK && n_paths) st = akin_library_remove_paths(lib, paths, n_paths, &by_path, err);
	*n += by_path;
	free(ids);
	free(paths);
	return st;
}

static int run(struct cli *cli, const struct parsed *parsed)
{
	const struct values *v = parsed->values;
	struct path_list list;
	akin_library *lib = NULL;
	akin_error err = { .status = AKIN_OK };
	akin_status st = AKIN_OK;
	char number[TEXT_NUMBER];
	uint64_t n = 0;

	if (!parsed->n_args && !v->zero) return cli_misuse(parsed, "remove needs a path or id:N");
	if (!path_list_read(&list, parsed, v->zero) || cli_open(cli, NULL, 0, &lib) != AKIN_OK) {
		path_list_free(&list);
		return EXIT_FAILED;
	}
	st = remove_all(lib, &list, &n, &err);
	akin_library_close(lib);
	path_list_free(&list);
	if (st != AKIN_OK) {
		cli_fail(&err);
		return st == AKIN_ERR_NOT_FOUND ? EXIT_NOTHING : EXIT_FAILED;
	}
	cli_note(cli, n == 1 ? "%s entry removed" : "%s entries removed", text_number(n, number));
	return n ? EXIT_DONE : EXIT_NOTHING;
}

const struct command command_remove = {
	.name = "remove",
	.summary = "forget pictures; their files are not touched",
	.arguments = "PATH|id:N...",
	.max_args = SIZE_MAX,
	.about = "Forgets files, whole folders, or pictures by id. Nothing on the disk but the library changes; the "
	         "next akin index over the same folder brings them back. PATH - reads paths from standard input, one "
	         "a line.",
	.options = options,
	.n_options = COUNT(options),
	.examples = examples,
	.n_examples = COUNT(examples),
	.values_bytes = sizeof(struct values),
	.run = run,
};
