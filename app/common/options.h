/* common/options.h - the settings table: one row an option, one row a command.
 *
 * The rows are the only place where an option's name, type, range, default and help are written. The parser, --help,
 * the man pages, docs/commands.md and the shells' completions are made from them (help.h, completion.h).
 *
 * Grammar: --name=V, --name V, -n V, -nV, -abc for flags, options anywhere, "--" ends them, "-" is an argument. Names
 * are never abbreviated: a script that says --thr today would break when --three comes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_COMMON_OPTIONS_H
#define AKIN_COMMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_type {
	OPTION_FLAG,   /* int: 1 when given */
	OPTION_STOP,   /* int: a flag after which nothing else is read, as --help */
	OPTION_INT,    /* int64_t */
	OPTION_REAL,   /* double */
	OPTION_STRING, /* const char *: NULL when not given */
	OPTION_FILE,   /* the same, completed with files */
	OPTION_FOLDER, /* the same, completed with folders */
	OPTION_LIST    /* struct option_list: may be given several times */
};

struct option_list {
	const char **items;
	size_t n;
};

struct option {
	const char *name;
	char letter; /* 0: none */
	enum option_type type;
	const char *metavar;
	double min, max;    /* of INT and REAL */
	const char *preset; /* the default, as one would type it; NULL: none */
	const char *env;    /* environment variable asked when the option is not given; NULL: none */
	size_t at;          /* offsetof the value in the command's struct */
	const char *help;
};

struct example {
	const char *line, *meaning;
};

struct parsed;
struct cli; /* what the program hands to its commands; cli/cli.h */

struct command {
	const char *name, *summary;
	const char *arguments; /* as shown in the usage: "PICTURE"; "" for none */
	const char *words;     /* the first argument is one of these words; NULL: free */
	size_t min_args, max_args;
	const char *about; /* paragraphs divided by a blank line; lines are broken by the help */
	const struct option *options;
	size_t n_options;
	const struct example *examples;
	size_t n_examples;
	size_t values_bytes; /* of the struct that the options fill */
	int (*run)(struct cli *cli, const struct parsed *parsed);
};

struct program {
	const char *name, *summary, *about;
	const struct option *options; /* of every command */
	size_t n_options;
	const struct command *const *commands;
	size_t n_commands;
	const struct example *examples;
	size_t n_examples;
};

/* What the command line said. */
struct parsed {
	const struct command *command; /* NULL: none was named */
	void *values;                  /* the command's struct */
	const char **args;
	size_t n_args;
	bool stopped; /* an OPTION_STOP was met: args were not checked */
	char complaint[512];
};

/* Read argv[1..]; `globals` receives the program's options. False: parsed->complaint says what is wrong. Strings are
 * borrowed from argv, the environment and the table. */
bool options_parse(const struct program *program, int argc, char **argv, void *globals, struct parsed *parsed);
void options_free(const struct program *program, void *globals, struct parsed *parsed);

const struct command *options_command(const struct program *program, const char *name);
bool options_takes_value(const struct option *option);

/* The name nearest to `word` by edit distance, or one that it begins; NULL when none is near. */
struct nearest {
	const char *word, *best;
	size_t distance;
};
void nearest_try(struct nearest *nearest, const char *candidate);

#endif
