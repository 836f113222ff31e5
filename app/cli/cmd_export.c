/* cli/cmd_export.c - akin export: vectors and paths for other programs.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "common/text.h"

struct values {
	const char *npy, *list;
};

static const struct option options[] = {
	{ .name = "npy", .type = OPTION_FILE, .metavar = "FILE", .at = offsetof(struct values, npy),
	  .help = "write the vectors: a NumPy array of float32, one row a picture" },
	{ .name = "list", .type = OPTION_FILE, .metavar = "FILE", .at = offsetof(struct values, list),
	  .help = "write what the rows are: a path a line, or id,path,width,height when FILE ends in .csv" },
};

static const struct example examples[] = {
	{ "akin export --npy vectors.npy --list pictures.csv", "row i of the array belongs to row i of the list" },
	{ "akin export --list paths.txt", "only the paths" },
};

static int run(struct cli *cli, const struct parsed *parsed)
{
	const struct values *v = parsed->values;
	akin_library *lib = NULL;
	akin_error err = { .status = AKIN_OK };
	akin_status st;
	char number[TEXT_NUMBER];
	uint64_t n = 0;

	if (!v->npy && !v->list) return cli_misuse(parsed, "export needs --npy FILE, --list FILE or both");
	if (cli_open(cli, NULL, AKIN_OPEN_READONLY, &lib) != AKIN_OK) return EXIT_FAILED;
	st = akin_library_export(lib, v->npy, v->list, &n, &err);
	akin_library_close(lib);
	if (st != AKIN_OK) return cli_fail(&err);
	cli_note(cli, n == 1 ? "%s row written" : "%s rows written", text_number(n, number));
	return n ? EXIT_DONE : EXIT_NOTHING;
}

const struct command command_export = {
	.name = "export",
	.summary = "write vectors and paths for other programs",
	.arguments = "",
	.about = "Writes the vectors of the library's model and the paths they belong to. Both files are written "
	         "whole or not at all.",
	.options = options,
	.n_options = COUNT(options),
	.examples = examples,
	.n_examples = COUNT(examples),
	.values_bytes = sizeof(struct values),
	.run = run,
};
