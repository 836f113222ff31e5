/* cli/cmd_help.c - akin help: the settings table in all its forms.
 * SPDX-License-Identifier: Apache-2.0 */
#include "common/help.h"

#include "cli/cli.h"

struct values {
	int markdown, man;
};

static const struct option options[] = {
	{ .name = "markdown", .type = OPTION_FLAG, .at = offsetof(struct values, markdown),
	  .help = "every command as one Markdown page" },
	{ .name = "man", .type = OPTION_FLAG, .at = offsetof(struct values, man), .help = "as a man page" },
};

static const struct example examples[] = {
	{ "akin help search", "the same as akin search --help" },
	{ "akin help --man search | man -l -", "as a man page" },
};

static int run(struct cli *cli, const struct parsed *parsed)
{
	const struct values *v = parsed->values;
	const struct command *command = parsed->n_args ? options_command(cli->program, parsed->args[0]) : NULL;

	if (parsed->n_args && !command) {
		struct nearest nearest = { .word = parsed->args[0] };

		for (size_t i = 0; i < cli->program->n_commands; i++)
			nearest_try(&nearest, cli->program->commands[i]->name);
		if (nearest.best) say("unknown command '%s'; did you mean '%s'?", parsed->args[0], nearest.best);
		else say("unknown command '%s'", parsed->args[0]);
		return EXIT_USAGE;
	}
	if (v->markdown) help_markdown(cli->program, stdout);
	else if (v->man) help_man(cli->program, command, AKIN_VERSION, stdout);
	else if (command) help_command(cli->program, command, stdout, cli->color);
	else help_program(cli->program, stdout, cli->color);
	return EXIT_DONE;
}

const struct command command_help = {
	.name = "help",
	.summary = "show help",
	.arguments = "[COMMAND]",
	.max_args = 1,
	.about = "Shows what akin or one of its commands does.",
	.options = options,
	.n_options = COUNT(options),
	.examples = examples,
	.n_examples = COUNT(examples),
	.values_bytes = sizeof(struct values),
	.run = run,
};
