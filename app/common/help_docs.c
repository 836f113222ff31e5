/* common/help_docs.c - the settings table as Markdown and as man pages.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "common/help.h"
#include "common/text.h"

enum { MARKDOWN_WIDTH = 120 };

/* ---- Markdown ---- */

static void markdown_options(const struct option *options, size_t n, FILE *out)
{
	for (size_t i = 0; i < n; i++) {
		char *text = help_option_text(&options[i]);

		if (i == 0) fputs("\n| option | meaning |\n|---|---|\n", out);
		fputs("| `", out);
		help_option_names(&options[i], false, out);
		fprintf(out, "` | %s |\n", text);
		free(text);
	}
}

static void markdown_examples(const struct example *examples, size_t n, FILE *out)
{
	fputs("\n```sh\n", out);
	for (size_t i = 0; i < n; i++) {
		fputs("# ", out);
		text_put_wrapped(out, examples[i].meaning, 2, 2, MARKDOWN_WIDTH);
		fprintf(out, "%s\n", examples[i].line);
	}
	fputs("```\n", out);
}

void help_markdown(const struct program *p, FILE *out)
{
	fprintf(out,
	        "# Commands\n\nMade from the settings table by `%s help --markdown`; a test compares the two.\n\n",
		p->name);
	for (size_t i = 0; i < p->n_commands; i++) {
		const struct command *c = p->commands[i];

		fprintf(out, "* [`%s %s`](#%s-%s): %s\n", p->name, c->name, p->name, c->name, c->summary);
	}
	fputs("\n## Options of every command\n", out);
	markdown_options(p->options, p->n_options, out);
	putc('\n', out);
	text_put_wrapped(out, p->about, 0, 0, MARKDOWN_WIDTH);
	for (size_t i = 0; i < p->n_commands; i++) {
		const struct command *c = p->commands[i];

		fprintf(out, "\n## %s %s\n\n`%s %s%s%s%s`\n\n", p->name, c->name, p->name, c->name,
		        c->n_options ? " [OPTION]..." : "", c->arguments[0] ? " " : "", c->arguments);
		text_put_wrapped(out, c->about, 0, 0, MARKDOWN_WIDTH);
		markdown_options(c->options, c->n_options, out);
		markdown_examples(c->examples, c->n_examples, out);
	}
}

/* ---- man ---- */

/* Hyphens and backslashes as roff wants them; a line must not begin with a dot or a quote. */
static void roff(const char *s, FILE *out)
{
	bool line_start = true;

	for (; *s; s++) {
		if (line_start && (*s == '.' || *s == '\'')) fputs("\\&", out);
		line_start = *s == '\n';
		if (*s == '-') fputs("\\-", out);
		else if (*s == '\\') fputs("\\e", out);
		else if (*s == '\n' && s[1] == '\n') fputs("\n.PP", out);
		else putc(*s, out);
	}
}

static void man_options(const char *title, const struct option *options, size_t n, FILE *out)
{
	if (n) fprintf(out, ".SH %s\n", title);
	for (size_t i = 0; i < n; i++) {
		const struct option *o = &options[i];
		char *text = help_option_text(o);

		fputs(".TP\n", out);
		if (o->letter) fprintf(out, "\\fB\\-%c\\fR, ", o->letter);
		fputs("\\fB\\-\\-", out);
		roff(o->name, out);
		fputs("\\fR", out);
		if (options_takes_value(o)) fprintf(out, " \\fI%s\\fR", o->metavar);
		putc('\n', out);
		roff(text, out);
		putc('\n', out);
		free(text);
	}
}

static void man_examples(const struct example *examples, size_t n, FILE *out)
{
	fputs(".SH EXAMPLES\n", out);
	for (size_t i = 0; i < n; i++) {
		fputs(".TP\n\\fB", out);
		roff(examples[i].line, out);
		fputs("\\fR\n", out);
		roff(examples[i].meaning, out);
		putc('\n', out);
	}
}

static void man_program(const struct program *p, FILE *out)
{
	fprintf(out,
	        ".SH SYNOPSIS\n.B %s\n[\\fIOPTION\\fR]... \\fICOMMAND\\fR [\\fIARGUMENT\\fR]...\n.SH DESCRIPTION\n",
		p->name);
	roff(p->about, out);
	fputs("\n.SH COMMANDS\n", out);
	for (size_t i = 0; i < p->n_commands; i++) {
		fprintf(out, ".TP\n.BR %s\\-%s (1)\n", p->name, p->commands[i]->name);
		roff(p->commands[i]->summary, out);
		putc('\n', out);
	}
	man_options("OPTIONS", p->options, p->n_options, out);
	man_examples(p->examples, p->n_examples, out);
}

static void man_command(const struct program *p, const struct command *c, FILE *out)
{
	fprintf(out, ".SH SYNOPSIS\n.B %s %s\n%s\\fI", p->name, c->name, c->n_options ? "[\\fIOPTION\\fR]... " : "");
	roff(c->arguments, out);
	fputs("\\fR\n.SH DESCRIPTION\n", out);
	roff(c->about, out);
	putc('\n', out);
	man_options("OPTIONS", c->options, c->n_options, out);
	man_options("OPTIONS OF EVERY COMMAND", p->options, p->n_options, out);
	man_examples(c->examples, c->n_examples, out);
	fprintf(out, ".SH SEE ALSO\n.BR %s (1)\n", p->name);
}

void help_man(const struct program *p, const struct command *c, const char *version, FILE *out)
{
	char *name = c ? must_printf("%s-%s", p->name, c->name) : must_printf("%s", p->name);

	fprintf(out, ".TH \"%s\" 1 \"\" \"%s %s\" \"User Commands\"\n.SH NAME\n", name, p->name, version);
	roff(name, out);
	fputs(" \\- ", out);
	roff(c ? c->summary : p->summary, out);
	putc('\n', out);
	if (c) man_command(p, c, out);
	else man_program(p, out);
	free(name);
}
