/* cli/cmd_completion.c - akin completion: the settings table for a shell.
 * SPDX-License-Identifier: Apache-2.0 */
#include "common/completion.h"

#include "cli/cli.h"

static const struct example examples[] = {
	{ "source <(akin completion bash)", "complete akin in this bash; make install does it for all" },
	{ "akin completion fish > ~/.config/fish/completions/akin.fish", "complete akin in fish from now on" },
};

static int run(struct cli *cli, const struct parsed *parsed)
{
	if (completion_write(cli->program, parsed->args[0], stdout)) return EXIT_DONE;
	return cli_misuse(parsed, "completion knows bash, zsh and fish, not '%s'", parsed->args[0]);
}

const struct command command_completion = {
	.name = "completion",
	.summary = "write the completion script of a shell",
	.arguments = "bash|zsh|fish",
	.words = "bash zsh fish",
	.min_args = 1,
	.max_args = 1,
	.about = "Writes a script that lets the shell complete commands, options and files.",
	.examples = examples,
	.n_examples = COUNT(examples),
	.run = run,
};
