/* common/options.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "common/options.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/out.h"

bool options_takes_value(const struct option *option)
{
	return option->type != OPTION_FLAG && option->type != OPTION_STOP;
}

const struct command *options_command(const struct program *program, const char *name)
{
	for (size_t i = 0; i < program->n_commands; i++)
		if (!strcmp(program->commands[i]->name, name)) return program->commands[i];
	return NULL;
}

__attribute__((format(printf, 2, 3))) static bool complain(struct parsed *parsed, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(parsed->complaint, sizeof parsed->complaint, fmt, args);
	va_end(args);
	return false;
}

/* ---- what was probably meant ---- */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edit distance where swapping two neighbours counts as one (optimal string alignment), for words below 32 letters. */
static size_t edit_distance(const char *a, const char *b)
{
	enum { MOST = 32 };
	size_t d[MOST][MOST], na = strlen(a), nb = strlen(b);

	if (na >= MOST || nb >= MOST) return MOST;
	for (size_t i = 0; i <= na; i++) d[i][0] = i;
	for (size_t j = 0; j <= nb; j++) d[0][j] = j;
	for (size_t i = 1; i <= na; i++) {
		for (size_t j = 1; j <= nb; j++) {
			size_t change = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

			d[i][j] = least(change, least(d[i - 1][j], d[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[na][nb];
}

void nearest_try(struct nearest *nearest, const char *candidate)
{
	size_t n = strlen(nearest->word);
	size_t distance = n > 1 && !strncmp(candidate, nearest->word, n) ? 1 : edit_distance(nearest->word, candidate);

	if (distance > 1 + n / 4 || distance >= strlen(candidate)) return;
	if (nearest->best && nearest->distance <= distance) return;
	nearest->best = candidate;
	nearest->distance = distance;
}

/* ---- values ---- */

static bool is_whole(double x)
{
	return x == floor(x) && fabs(x) < 1e15;
}

/* The complaint names the option as the user wrote it. */
static bool out_of_range(struct parsed *parsed, const struct option *o, const char *shown, const char *value)
{
	const char *kind = o->type == OPTION_INT ? "a whole number" : "a number";

	if (isinf(o->max))
		return complain(parsed, "%s must be %s of at least %g, not '%s'", shown, kind, o->min, value);
	if (is_whole(o->min) && is_whole(o->max))
		return complain(parsed, "%s must be %s from %.0f to %.0f, not '%s'", shown, kind, o->min, o->max,
		                value);
	return complain(parsed, "%s must be %s from %g to %g, not '%s'", shown, kind, o->min, o->max, value);
}

static bool store_number(const struct option *o, const char *text, void *at)
{
	char *end;
	double real;
	long long whole;

	/* Numbers start with a digit, a sign or a point: strtod also knows " 1", "inf" and "0x1p3". */
	if (!strchr("0123456789+-.", text[0]) || strpbrk(text, "xXnN") || !text[0]) return false;
	errno = 0;
	if (o->type == OPTION_INT) {
		whole = strtoll(text, &end, 10);
		if (*end || errno || (double)whole < o->min || (double)whole > o->max) return false;
		*(int64_t *)at = whole;
		return true;
	}
	real = strtod(text, &end);
	if (*end || end == text || errno == ERANGE || !(real >= o->min && real <= o->max)) return false;
	*(double *)at = real;
	return true;
}

static bool store(struct parsed *parsed, const struct option *o, const char *shown, const char *text, void *values)
{
	void *at = (char *)values + o->at;
	struct option_list *list = at;

	switch (o->type) {
	case OPTION_FLAG:
	case OPTION_STOP: *(int *)at = 1; return true;
	case OPTION_INT:
	case OPTION_REAL: return store_number(o, text, at) ? true : out_of_range(parsed, o, shown, text);
	case OPTION_LIST:
		list->items = must_grow(list->items, list->n, sizeof *list->items);
		list->items[list->n++] = text;
		return true;
	default:
		if (!text[0]) return complain(parsed, "%s must not be empty", shown);
		*(const char **)at = text;
		return true;
	}
}

static bool presets(struct parsed *parsed, const struct option *options, size_t n, void *values)
{
	for (size_t i = 0; i < n; i++) {
		const struct option *o = &options[i];
		const char *from_env = o->env ? getenv(o->env) : NULL;

		if (o->preset && !store(parsed, o, o->name, o->preset, values)) return false;
		if (from_env && from_env[0] && !store(parsed, o, o->env, from_env, values)) return false;
	}
	return true;
}

/* ---- the command line ---- */

struct reader {
	const struct program *program;
	struct parsed *parsed;
	void *globals;
	char **argv;
	int argc, at;
};

static const struct option *find(const struct option *options, size_t n, const char *name, size_t len, char letter)
{
	for (size_t i = 0; i < n; i++) {
		if (letter && options[i].letter == letter) return &options[i];
		if (!letter && strlen(options[i].name) == len && !strncmp(options[i].name, name, len))
			return &options[i];
	}
	return NULL;
}

/* The row by long name or letter, and whose values it fills. The command's own rows go before the program's. */
static const struct option *lookup(const struct reader *r, const char *name, size_t len, char letter, void **values)
{
	const struct command *c = r->parsed->command;
	const struct option *o = c ? find(c->options, c->n_options, name, len, letter) : NULL;

	*values = o ? r->parsed->values : r->globals;
	return o ? o : find(r->program->options, r->program->n_options, name, len, letter);
}

static bool unknown(const struct reader *r, const char *name, const char *shown)
{
	const struct command *c = r->parsed->command;
	struct nearest nearest = { .word = name };

	for (size_t i = 0; c && i < c->n_options; i++) nearest_try(&nearest, c->options[i].name);
	for (size_t i = 0; i < r->program->n_options; i++) nearest_try(&nearest, r->program->options[i].name);
	if (nearest.best) return complain(r->parsed, "unknown option %s; did you mean --%s?", shown, nearest.best);
	if (!c)
		return complain(r->parsed, "unknown option %s; options of a command follow its name", shown);
	return complain(r->parsed, "unknown option %s; see %s %s --help", shown, r->program->name, c->name);
}

/* `inlined` is the value that came with the option itself, or NULL: then it is the next word. */
static bool take(struct reader *r, const struct option *o, const char *shown, const char *inlined, void *values)
{
	if (options_takes_value(o) && !inlined) {
		if (r->at + 1 >= r->argc)
			return complain(r->parsed, "%s needs a value: %s %s", shown, shown, o->metavar);
		inlined = r->argv[++r->at];
	}
	if (!store(r->parsed, o, shown, inlined, values)) return false;
	if (o->type == OPTION_STOP) r->parsed->stopped = true;
	return true;
}

static bool long_option(struct reader *r, const char *word)
{
	const char *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word - 2) : strlen(word + 2);
	char shown[40], *name = shown + 2;
	void *values;
	const struct option *o = lookup(r, word + 2, len, 0, &values);

	snprintf(shown, sizeof shown, "--%.*s", (int)(len < 36 ? len : 36), word + 2);
	if (!o) return unknown(r, name, shown);
	if (equals && !options_takes_value(o)) return complain(r->parsed, "%s takes no value", shown);
	return take(r, o, shown, equals ? equals + 1 : NULL, values);
}

static bool short_options(struct reader *r, const char *word)
{
	for (const char *p = word + 1; *p && !r->parsed->stopped; p++) {
		char shown[3] = { '-', *p, '\0' };
		void *values;
		const struct option *o = lookup(r, NULL, 0, *p, &values);
		bool has_value = o && options_takes_value(o);

		if (!o) return unknown(r, shown + 1, (unsigned char)*p < 128 ? shown : word);
		if (!take(r, o, shown, has_value && p[1] ? p + 1 : NULL, values)) return false;
		if (has_value) return true;
	}
	return true;
}

static bool name_command(struct reader *r, const char *word)
{
	struct parsed *parsed = r->parsed;
	struct nearest nearest = { .word = word };

	parsed->command = options_command(r->program, word);
	if (parsed->command) {
		const struct command *c = parsed->command;

		parsed->values = must_zalloc(c->values_bytes ? c->values_bytes : 1);
		return presets(parsed, c->options, c->n_options, parsed->values);
	}
	for (size_t i = 0; i < r->program->n_commands; i++) nearest_try(&nearest, r->program->commands[i]->name);
	if (nearest.best) return complain(parsed, "unknown command '%.80s'; did you mean '%s'?", word, nearest.best);
	if (access(word, F_OK) == 0)
		return complain(parsed, "unknown command '%.80s'; did you mean '%s search %.80s'?", word,
		                r->program->name, word);
	return complain(parsed, "unknown command '%.80s'; see %s --help", word, r->program->name);
}

static bool check_arguments(const struct program *program, struct parsed *parsed)
{
	const struct command *c = parsed->command;

	if (!c || parsed->stopped) return true;
	if (parsed->n_args < c->min_args)
		return complain(parsed, "%s needs an argument: %s %s %s", c->name, program->name, c->name,
		                c->arguments);
	if (parsed->n_args <= c->max_args) return true;
	if (c->max_args == 0)
		return complain(parsed, "%s takes no arguments, but '%.80s' was given", c->name, parsed->args[0]);
	return complain(parsed, "one argument too many: '%.80s'; usage: %s %s %s", parsed->args[c->max_args],
	                program->name,
	                c->name, c->arguments);
}

bool options_parse(const struct program *program, int argc, char **argv, void *globals, struct parsed *parsed)
{
	struct reader r = { program, parsed, globals, argv, argc, 1 };
	bool ended = false;

	*parsed = (struct parsed){ .command = NULL };
	if (!presets(parsed, program->options, program->n_options, globals)) return false;
	for (; r.at < argc && !parsed->stopped; r.at++) {
		const char *word = argv[r.at];
		bool ok = true;

		if (!ended && !strcmp(word, "--")) {
			ended = true;
		} else if (!ended && word[0] == '-' && word[1] == '-') {
			ok = long_option(&r, word);
		} else if (!ended && word[0] == '-' && word[1]) {
			ok = short_options(&r, word);
		} else if (!parsed->command) {
			ok = name_command(&r, word);
		} else {
			parsed->args = must_grow(parsed->args, parsed->n_args, sizeof *parsed->args);
			parsed->args[parsed->n_args++] = word;
		}
		if (!ok) return false;
	}
	return check_arguments(program, parsed);
}

static void free_lists(const struct option *options, size_t n, void *values)
{
	for (size_t i = 0; values && i < n; i++) {
		struct option_list *list = (void *)((char *)values + options[i].at);

		if (options[i].type == OPTION_LIST) free(list->items);
	}
}

void options_free(const struct program *program, void *globals, struct parsed *parsed)
{
	const struct command *c = parsed->command;

	free_lists(program->options, program->n_options, globals);
	if (c) free_lists(c->options, c->n_options, parsed->values);
	free(parsed->values);
	free(parsed->args);
	*parsed = (struct parsed){ .command = NULL };
}
