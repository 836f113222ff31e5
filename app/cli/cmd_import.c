/* cli/cmd_import.c - akin import: vectors that another program made.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "common/text.h"

struct values {
	const char *npy, *list;
};

static const struct option options[] = {
	{ .name = "npy", .type = OPTION_FILE, .metavar = "FILE", .at = offsetof(struct values, npy),
	  .help = "the vectors: a NumPy array of float32 or float16, one row a picture" },
	{ .name = "list", .type = OPTION_FILE, .metavar = "FILE", .at = offsetof(struct values, list),
	  .help = "what the rows are: a path a line, or a CSV with a column named path" },
};

static const struct example examples[] = {
	{ "akin import -l clip.akin -m clip --npy vectors.npy --list paths.txt",
	  "a library of vectors made elsewhere; then akin search id:1" },
};

static int run(struct cli *cli, const struct parsed *parsed)
{
	const struct values *v = parsed->values;
	struct cli unnamed = *cli;
	akin_library *lib = NULL;
	akin_error err = { .status = AKIN_OK };
	akin_status st;
	char number[TEXT_NUMBER];
	uint64_t n = 0;

	if (!v->npy || !v->list || !cli->globals.model)
		return cli_misuse(parsed, "import needs --npy FILE, --list FILE and --model NAME");
	/* The model names who made the vectors; akin need not have it, so the library is opened without. */
	unnamed.globals.model = NULL;
	if (cli_open(&unnamed, NULL, AKIN_OPEN_CREATE, &lib) != AKIN_OK) return EXIT_FAILED;
	st = akin_library_import(lib, v->npy, v->list, cli->globals.model, &n, &err);
	akin_library_close(lib);
	if (st != AKIN_OK) return cli_fail(&err);
	cli_note(cli, n == 1 ? "%s vector imported" : "%s vectors imported", text_number(n, number));
	return EXIT_DONE;
}

const struct command command_import = {
	.name = "import",
	.summary = "read vectors that another program made",
	.arguments = "",
	.about = "Row i of the array is the vector of line i of the list. The files need not exist. --model names "
	         "what made the vectors; a name that akin does not know is remembered with the array's dimension.",
	.options = options,
	.n_options = COUNT(options),
	.examples = examples,
	.n_examples = COUNT(examples),
	.values_bytes = sizeof(struct values),
	.run = run,
};
