/* cli/cmd_rebuild.c - akin rebuild: make the indexes anew.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

static const struct example examples[] = {
	{ "akin rebuild", "throw the index files away and make them again; no picture is read" },
};

static int run(struct cli *cli, const struct parsed *parsed)
{
	akin_library *lib = NULL;
	akin_error err = { .status = AKIN_OK };
	akin_status st;

	(void)parsed;
	if (cli_open(cli, NULL, 0, &lib) != AKIN_OK) return EXIT_FAILED;
	st = akin_library_rebuild(lib, &err);
	akin_library_close(lib);
	if (st != AKIN_OK) return cli_fail(&err);
	cli_note(cli, "rebuilt");
	return EXIT_DONE;
}

const struct command command_rebuild = {
	.name = "rebuild",
	.summary = "make the indexes anew from the store",
	.arguments = "",
	.about = "The indexes are a cache of the store: nothing is lost when they are thrown away. Rebuilding also "
	         "compacts the store.",
	.examples = examples,
	.n_examples = COUNT(examples),
	.run = run,
};
