/* cli/main.c - the program: reads the command line, runs one command, turns its fate into an exit code.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <locale.h>
#include <signal.h>

#include "common/help.h"

static const struct option globals[] = {
	{ .name = "library", .letter = 'l', .type = OPTION_FOLDER, .metavar = "DIR", .env = "AKIN_LIBRARY",
	  .at = offsetof(struct globals, library),
	  .help = "the library; without it akin/default.akin in the data folder of XDG" },
	{ .name = "model", .letter = 'm', .type = OPTION_FILE, .metavar = "NAME", .env = "AKIN_MODEL",
	  .at = offsetof(struct globals, model),
	  .help = "name of a model or path of its card; without it the library's own, else the default one" },
	{ .name = "models", .type = OPTION_FOLDER, .metavar = "DIR", .env = "AKIN_MODELS",
	  .at = offsetof(struct globals, models), .help = "where the models lie" },
	{ .name = "threads", .type = OPTION_INT, .metavar = "N", .min = 0, .max = 1024,
	  .at = offsetof(struct globals, threads), .help = "threads for decoding and inference; 0 is one a core" },
	{ .name = "quiet", .letter = 'q', .type = OPTION_FLAG, .at = offsetof(struct globals, quiet),
	  .help = "no progress, no summary; only data and complaints" },
	{ .name = "no-color", .type = OPTION_FLAG, .at = offsetof(struct globals, no_color),
	  .help = "no colours; so does the variable NO_COLOR" },
	{ .name = "help", .letter = 'h', .type = OPTION_STOP, .at = offsetof(struct globals, help),
	  .help = "show help and do nothing else" },
	{ .name = "version", .letter = 'V', .type = OPTION_STOP, .at = offsetof(struct globals, version),
	  .help = "show the version and do nothing else" },
};

/* In the order of the help: the way of a picture through a library. */
static const struct command *const commands[] = {
	&command_index,   &command_search,  &command_list,       &command_info,    &command_tag,     &command_remove,
	&command_check,   &command_rebuild, &command_export,     &command_import,  &command_models,
	&command_eval,    &command_match,   &command_vectors, &command_help,    &command_completion,
	&command_version,
};

static const struct example examples[] = {
	{ "akin index ~/Pictures", "read every picture below; run it again and only changes are read" },
	{ "akin search beach.jpg", "the ten pictures most like beach.jpg, best first" },
	{ "akin search --preview -k 5 beach.jpg", "the five best, shown in the terminal" },
	{ "akin list", "what the library holds" },
};

const struct program akin_program = {
	.name = "akin",
	.summary = "find pictures that are akin to a picture",
	.about = "Data goes to standard output, words go to standard error. Exit status: 0 found or done, 1 nothing "
	         "found, 2 the command line is wrong, 3 it failed.\n\n"
	         "In --json output a path that is not UTF-8 has U+FFFD in place of the bytes that are not, and a "
	         "second member, path_bytes, that holds all of its bytes in base64.",
	.options = globals,
	.n_options = COUNT(globals),
	.commands = commands,
	.n_commands = COUNT(commands),
	.examples = examples,
	.n_examples = COUNT(examples),
};

static int run(struct cli *cli, const struct parsed *parsed)
{
	if (cli->globals.version) {
		printf("akin %s\n", akin_version());
		return EXIT_DONE;
	}
	if (cli->globals.help && parsed->command) {
		help_command(&akin_program, parsed->command, stdout, cli->color);
		return EXIT_DONE;
	}
	if (cli->globals.help) {
		help_program(&akin_program, stdout, cli->color);
		return EXIT_DONE;
	}
	if (!parsed->command) {
		help_short(&akin_program, stdout, cli->color);
		return EXIT_DONE;
	}
	return parsed->command->run(cli, parsed);
}

int main(int argc, char **argv)
{
	struct cli cli = { .program = &akin_program };
	struct parsed parsed;
	int code;

	/* Characters are the user's, numbers are not: a script reads 0.5, never 0,5. */
	setlocale(LC_CTYPE, "");
	/* `akin list | head` ends quietly, also below a parent that ignores SIGPIPE. */
	signal(SIGPIPE, SIG_DFL);
	if (!options_parse(&akin_program, argc, argv, &cli.globals, &parsed)) {
		say("%s", parsed.complaint);
		code = EXIT_USAGE;
	} else {
		cli.color = out_color(stdout, !cli.globals.no_color);
		code = out_finish(run(&cli, &parsed));
	}
	options_free(&akin_program, &cli.globals, &parsed);
	return code;
}
