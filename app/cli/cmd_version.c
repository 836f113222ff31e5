/* cli/cmd_version.c - akin version.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

static const struct example examples[] = {
	{ "akin version", "the version of the program" },
};

static int run(struct cli *cli, const struct parsed *parsed)
{
	(void)cli;
	(void)parsed;
	printf("akin %s\n", akin_version());
	return EXIT_DONE;
}

const struct command command_version = {
	.name = "version",
	.summary = "show the version",
	.arguments = "",
	.about = "Shows the version of akin.",
	.examples = examples,
	.n_examples = COUNT(examples),
	.run = run,
};
