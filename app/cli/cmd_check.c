/* cli/cmd_check.c - akin check: does the library agree with itself?
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "common/text.h"

struct values {
	int deep;
};

static const struct option options[] = {
	{ .name = "deep", .type = OPTION_FLAG, .at = offsetof(struct values, deep),
	  .help = "also reread every file and compare every vector" },
};

static const struct example examples[] = {
	{ "akin check", "seconds: is anything damaged?" },
	{ "akin check --deep", "every byte: checksums, files on the disk, vectors of store and index" },
};

static void put_finding(void *user, const char *finding)
{
	(void)user;
	text_put_visible(stdout, finding);
	putchar('\n');
}

static int run(struct cli *cli, const struct parsed *parsed)
{
	const struct values *v = parsed->values;
	akin_library *lib = NULL;
	akin_error err = { .status = AKIN_OK };
	akin_status st;
	char number[TEXT_NUMBER];
	uint64_t n = 0;

	if (cli_open(cli, NULL, 0, &lib) != AKIN_OK) return EXIT_FAILED;
	st = akin_library_check(lib, v->deep, put_finding, NULL, &n, &err);
	akin_library_close(lib);
	if (st != AKIN_OK) return cli_fail(&err);
	if (!n) cli_note(cli, "the library is sound");
	else cli_note(cli, "findings: %s; akin rebuild makes the indexes anew", text_number(n, number));
	return n ? EXIT_FAILED : EXIT_DONE;
}

const struct command command_check = {
	.name = "check",
	.summary = "verify the library",
	.arguments = "",
	.about = "Compares store, features and indexes with one another and prints one sentence for each thing that "
	         "is wrong. Exit status 3 when there is any.",
	.options = options,
	.n_options = COUNT(options),
	.examples = examples,
	.n_examples = COUNT(examples),
	.values_bytes = sizeof(struct values),
	.run = run,
};
