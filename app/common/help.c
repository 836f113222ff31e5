/* common/help.c - help in a terminal: 80 columns whatever the terminal's width, since lines of prose read best so.
 * SPDX-License-Identifier: Apache-2.0 */
#include "common/help.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

enum { WIDTH = 80, OPTION_COLUMN = 26, COMMAND_COLUMN = 14 };

struct style {
	const char *bold, *dim, *plain;
};

static struct style style_of(bool color)
{
	return color ? (struct style){ "\x1b[1m", "\x1b[2m", "\x1b[0m" } : (struct style){ "", "", "" };
}

void help_option_names(const struct option *o, bool align, FILE *out)
{
	if (o->letter) fprintf(out, "-%c, ", o->letter);
	else if (align) fputs("    ", out);
	fprintf(out, "--%s", o->name);
	if (options_takes_value(o)) fprintf(out, " %s", o->metavar);
}

static void put_number(double x, FILE *out)
{
	char digits[TEXT_NUMBER];

	if (x == floor(x) && x >= 0) fputs(text_number((uint64_t)x, digits), out);
	else fprintf(out, "%g", x);
}

static void put_details(const struct option *o, FILE *out)
{
	const char *divider = " (";

	if (o->type == OPTION_INT || o->type == OPTION_REAL) {
		fputs(divider, out);
		put_number(o->min, out);
		if (isinf(o->max)) {
			fputs(" or more", out);
		} else {
			fputs(" to ", out);
			put_number(o->max, out);
		}
		divider = "; ";
	}
	if (o->preset) fprintf(out, "%sdefault %s", divider, o->preset);
	if (o->preset) divider = "; ";
	if (o->env) fprintf(out, "%svariable %s", divider, o->env);
	if (o->env) divider = "; ";
	if (o->type == OPTION_LIST) fprintf(out, "%smay be repeated", divider);
	if (o->type == OPTION_LIST) divider = "; ";
	if (divider[0] == ';') putc(')', out);
}

char *help_option_text(const struct option *o)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	if (!out) return must_printf("%s", o->help);
	fputs(o->help, out);
	put_details(o, out);
	if (fclose(out) != 0) return must_printf("%s", o->help);
	return text;
}

static void put_option(const struct option *o, FILE *out)
{
	char *names = NULL, *text = help_option_text(o);
	size_t n = 0;
	FILE *line = open_memstream(&names, &n);

	if (line) {
		help_option_names(o, true, line);
		fclose(line);
	}
	fprintf(out, "  %s", names ? names : o->name);
	if (n + 4 > OPTION_COLUMN) {
		putc('\n', out);
		n = 0;
	} else {
		n += 2;
	}
	text_put_wrapped(out, text, (unsigned)n, OPTION_COLUMN, WIDTH);
	free(names);
	free(text);
}

static void put_options(const char *title, const struct option *options, size_t n, struct style s, FILE *out)
{
	if (n) fprintf(out, "\n%s%s%s\n", s.bold, title, s.plain);
	for (size_t i = 0; i < n; i++) put_option(&options[i], out);
}

static void put_examples(const struct example *examples, size_t n, struct style s, FILE *out)
{
	for (size_t i = 0; i < n; i++) {
		fprintf(out, "  %s\n", examples[i].line);
		fprintf(out, "%s      ", s.dim);
		text_put_wrapped(out, examples[i].meaning, 6, 6, WIDTH);
		fputs(s.plain, out);
	}
}

void help_short(const struct program *p, FILE *out, bool color)
{
	struct style s = style_of(color);

	fprintf(out, "%s%s%s - %s\n\n", s.bold, p->name, s.plain, p->summary);
	put_examples(p->examples, p->n_examples, s, out);
	fprintf(out, "\nAll commands: %s --help    One command: %s COMMAND --help\n", p->name, p->name);
}

void help_program(const struct program *p, FILE *out, bool color)
{
	struct style s = style_of(color);

	fprintf(out, "%s%s%s - %s\n\n%sUsage%s\n  %s [OPTION]... COMMAND [ARGUMENT]...\n\n%sCommands%s\n", s.bold,
	        p->name, s.plain,
	        p->summary, s.bold, s.plain, p->name, s.bold, s.plain);
	for (size_t i = 0; i < p->n_commands; i++) {
		fprintf(out, "  %s", p->commands[i]->name);
		text_put_wrapped(out, p->commands[i]->summary, (unsigned)strlen(p->commands[i]->name) + 2,
		                 COMMAND_COLUMN, WIDTH);
	}
	put_options("Options of every command", p->options, p->n_options, s, out);
	fprintf(out, "\n%sExamples%s\n", s.bold, s.plain);
	put_examples(p->examples, p->n_examples, s, out);
	putc('\n', out);
	text_put_wrapped(out, p->about, 0, 0, WIDTH);
}

/* The program's options by name only: the fourteenth time their meaning is in the way. */
static void put_common(const struct program *p, struct style s, FILE *out)
{
	char *names = NULL;
	size_t n;
	FILE *text = open_memstream(&names, &n);

	if (!text) return;
	for (size_t i = 0; i < p->n_options; i++) {
		fprintf(text, "%s--%s", i ? ", " : "", p->options[i].name);
		if (options_takes_value(&p->options[i])) fprintf(text, " %s", p->options[i].metavar);
	}
	fprintf(text, ": see %s --help", p->name);
	fclose(text);
	fprintf(out, "\n%sOptions of every command%s\n  ", s.bold, s.plain);
	text_put_wrapped(out, names, 2, 2, WIDTH);
	free(names);
}

void help_command(const struct program *p, const struct command *c, FILE *out, bool color)
{
	struct style s = style_of(color);

	fprintf(out, "%s%s %s%s - %s\n\n%sUsage%s\n  %s %s", s.bold, p->name, c->name, s.plain, c->summary, s.bold,
	        s.plain, p->name,
	        c->name);
	fprintf(out, "%s%s%s\n\n", c->n_options ? " [OPTION]..." : "", c->arguments[0] ? " " : "", c->arguments);
	text_put_wrapped(out, c->about, 0, 0, WIDTH);
	put_options("Options", c->options, c->n_options, s, out);
	put_common(p, s, out);
	fprintf(out, "\n%sExamples%s\n", s.bold, s.plain);
	put_examples(c->examples, c->n_examples, s, out);
}
