/* common/completion.c - words before the cursor decide what is offered; files are the shell's own business.
 * SPDX-License-Identifier: Apache-2.0 */
#include "common/completion.h"

#include <stdlib.h>
#include <string.h>

#include "common/help.h"

/* ---- bash ---- */

static void bash_words(const struct option *options, size_t n, FILE *out)
{
	for (size_t i = 0; i < n; i++) fprintf(out, " --%s", options[i].name);
}

/* "--in|-i|--library" of the options of one type, for a case label; false when there are none. */
static bool bash_label(const struct option *options, size_t n, enum option_type type, bool begun, FILE *out)
{
	for (size_t i = 0; i < n; i++) {
		if (options[i].type != type) continue;
		fprintf(out, "%s--%s", begun ? "|" : "", options[i].name);
		if (options[i].letter) fprintf(out, "|-%c", options[i].letter);
		begun = true;
	}
	return begun;
}

static void bash_case(const struct program *p, const enum option_type *types, size_t n_types, const char *action,
                      FILE *out)
{
	bool begun = false;

	fputs("\t", out);
	for (size_t t = 0; t < n_types; t++) {
		begun = bash_label(p->options, p->n_options, types[t], begun, out);
		for (size_t i = 0; i < p->n_commands; i++)
			begun = bash_label(p->commands[i]->options, p->commands[i]->n_options, types[t], begun, out);
	}
	/* A label that is never typed keeps the case valid when no option has the type. */
	fprintf(out, "%s) %s; return ;;\n", begun ? "" : "''", action);
}

static void bash(const struct program *p, FILE *out)
{
	static const enum option_type folders[] = { OPTION_FOLDER }, files[] = { OPTION_FILE };
	static const enum option_type others[] = { OPTION_INT, OPTION_REAL, OPTION_STRING, OPTION_LIST };

	fprintf(out,
	        "# bash completion of %s, made by `%s completion bash`\n"
	        "_%s()\n{\n"
	        "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= words= i\n"
	        "\tCOMPREPLY=()\n"
	        "\tcase $prev in\n",
	        p->name, p->name, p->name);
	bash_case(p, folders, COUNT(folders), "mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")", out);
	bash_case(p, files, COUNT(files), "mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")", out);
	bash_case(p, others, COUNT(others), ":", out);
	fputs("\tesac\n\tfor ((i = 1; i < COMP_CWORD; i++)); do\n\t\tcase ${COMP_WORDS[i]} in\n\t\t", out);
	for (size_t i = 0; i < p->n_commands; i++) fprintf(out, "%s%s", i ? "|" : "", p->commands[i]->name);
	fputs(") command=${COMP_WORDS[i]}; break ;;\n\t\tesac\n\tdone\n\tcase $command in\n\t'') words='", out);
	for (size_t i = 0; i < p->n_commands; i++) fprintf(out, "%s%s", i ? " " : "", p->commands[i]->name);
	bash_words(p->options, p->n_options, out);
	fputs("' ;;\n", out);
	for (size_t i = 0; i < p->n_commands; i++) {
		const struct command *c = p->commands[i];

		fprintf(out, "\t%s) words='%s", c->name, c->words ? c->words : "");
		bash_words(c->options, c->n_options, out);
		bash_words(p->options, p->n_options, out);
		fputs("' ;;\n", out);
	}
	fprintf(out,
	        "\tesac\n"
	        "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
	        "\t[ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	        "}\n"
	        "complete -o filenames -F _%s %s\n",
	        p->name, p->name);
}

/* ---- zsh ---- */

/* In _arguments and _describe, brackets and colons divide fields and quotes end the word. */
static void zsh_text(const char *s, FILE *out)
{
	for (; *s; s++) {
		if (*s == '\'') fputs("'\\''", out);
		else if (strchr("[]:\\", *s)) fprintf(out, "\\%c", *s);
		else putc(*s, out);
	}
}

static void zsh_option(const struct option *o, FILE *out)
{
	const char *action = o->type == OPTION_FOLDER ? "_files -/" : o->type == OPTION_FILE ? "_files" : "";

	for (int letter = 0; letter < (o->letter ? 2 : 1); letter++) {
		fputs(" \\\n\t\t\t'", out);
		if (o->type == OPTION_LIST) putc('*', out);
		if (letter) fprintf(out, "-%c", o->letter);
		else fprintf(out, "--%s", o->name);
		if (options_takes_value(o)) putc(letter ? '+' : '=', out);
		putc('[', out);
		zsh_text(o->help, out);
		putc(']', out);
		if (options_takes_value(o)) fprintf(out, ":%s:%s", o->metavar, action);
		putc('\'', out);
	}
}

static void zsh_arguments(const struct program *p, const struct command *c, FILE *out)
{
	fputs("_arguments -s", out);
	for (size_t i = 0; c && i < c->n_options; i++) zsh_option(&c->options[i], out);
	for (size_t i = 0; i < p->n_options; i++) zsh_option(&p->options[i], out);
}

static void zsh(const struct program *p, FILE *out)
{
	fprintf(out,
	        "#compdef %s\n# zsh completion of %s, made by `%s completion zsh`\n"
	        "_%s() {\n\tlocal curcontext=$curcontext state line\n\tlocal -A opt_args\n\tlocal -a commands=(\n",
	        p->name, p->name, p->name, p->name);
	for (size_t i = 0; i < p->n_commands; i++) {
		fprintf(out, "\t\t'%s:", p->commands[i]->name);
		zsh_text(p->commands[i]->summary, out);
		fputs("'\n", out);
	}
	fputs("\t)\n\t", out);
	zsh_arguments(p, NULL, out);
	fputs(" \\\n\t\t\t'1:command:->command' '*::argument:->argument' && return\n"
	      "\tcase $state in\n"
	      "\tcommand) _describe command commands ;;\n"
	      "\targument)\n\t\tcase $words[1] in\n",
	      out);
	for (size_t i = 0; i < p->n_commands; i++) {
		const struct command *c = p->commands[i];

		fprintf(out, "\t\t%s) ", c->name);
		zsh_arguments(p, c, out);
		if (c->words) fprintf(out, " \\\n\t\t\t'1:%s:(%s)' '*:file:_files' ;;\n", c->name, c->words);
		else if (c->max_args) fputs(" \\\n\t\t\t'*:file:_files' ;;\n", out);
		else fputs(" ;;\n", out);
	}
	fprintf(out, "\t\tesac ;;\n\tesac\n}\n_%s \"$@\"\n", p->name);
}

/* ---- fish ---- */

static void fish_text(const char *s, FILE *out)
{
	for (; *s; s++) {
		if (*s == '\'' || *s == '\\') putc('\\', out);
		putc(*s, out);
	}
}

static void fish_options(const struct program *p, const char *command, const struct option *options, size_t n,
                         FILE *out)
{
	for (size_t i = 0; i < n; i++) {
		const struct option *o = &options[i];

		fprintf(out, "complete -c %s", p->name);
		if (command) fprintf(out, " -n '__fish_seen_subcommand_from %s'", command);
		fprintf(out, " -l %s", o->name);
		if (o->letter) fprintf(out, " -s %c", o->letter);
		if (o->type == OPTION_FOLDER) fputs(" -x -a '(__fish_complete_directories)'", out);
		else if (o->type == OPTION_FILE) fputs(" -r", out);
		else if (options_takes_value(o)) fputs(" -x", out);
		fputs(" -d '", out);
		fish_text(o->help, out);
		fputs("'\n", out);
	}
}

static void fish(const struct program *p, FILE *out)
{
	fprintf(out, "# fish completion of %s, made by `%s completion fish`\n", p->name, p->name);
	for (size_t i = 0; i < p->n_commands; i++) {
		fprintf(out, "complete -c %s -f -n __fish_use_subcommand -a %s -d '", p->name, p->commands[i]->name);
		fish_text(p->commands[i]->summary, out);
		fputs("'\n", out);
	}
	fish_options(p, NULL, p->options, p->n_options, out);
	for (size_t i = 0; i < p->n_commands; i++) {
		const struct command *c = p->commands[i];

		if (c->words)
			fprintf(out, "complete -c %s -n '__fish_seen_subcommand_from %s' -a '%s'\n", p->name, c->name,
			        c->words);
		fish_options(p, c->name, c->options, c->n_options, out);
	}
}

bool completion_write(const struct program *p, const char *shell, FILE *out)
{
	if (!strcmp(shell, "bash")) bash(p, out);
	else if (!strcmp(shell, "zsh")) zsh(p, out);
	else if (!strcmp(shell, "fish")) fish(p, out);
	else return false;
	return true;
}
