/* cli/session.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/text.h"

int cli_fail(const akin_error *err)
{
	say("%s", err->text[0] ? err->text : akin_status_name(err->status));
	return EXIT_FAILED;
}

int cli_misuse(const struct parsed *parsed, const char *fmt, ...)
{
	char sentence[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(sentence, sizeof sentence, fmt, args);
	va_end(args);
	say("%s; see akin %s --help", sentence, parsed->command->name);
	return EXIT_USAGE;
}

bool cli_choose(const struct parsed *parsed, const char *option, const char *word, const char *const *words, int n, int *out)
{
	struct nearest nearest = { .word = word };

	for (*out = 0; word && *out < n; ++*out)
		if (!strcmp(word, words[*out])) return true;
	*out = 0;
	if (!word) return true;
	for (int i = 0; i < n; i++) nearest_try(&nearest, words[i]);
	if (nearest.best) cli_misuse(parsed, "there is no --%s %s; did you mean %s?", option, word, nearest.best);
	else cli_misuse(parsed, "there is no --%s %s", option, word);
	return false;
}

bool cli_take_mode(const struct parsed *parsed, const char *word, akin_mode *mode)
{
	static const char *const modes[] = { "auto", "meaning", "keyword" };
	int choice;
	bool known = cli_choose(parsed, "mode", word, modes, COUNT(modes), &choice);

	*mode = (akin_mode)choice;
	return known;
}

void cli_note(const struct cli *cli, const char *fmt, ...)
{
	char sentence[1024];
	va_list args;

	if (cli->globals.quiet) return;
	va_start(args, fmt);
	vsnprintf(sentence, sizeof sentence, fmt, args);
	va_end(args);
	say("%s", sentence);
}

char *cli_xdg(const char *kind)
{
	char *variable = must_printf("XDG_%s_HOME", kind);
	const char *value = getenv(variable), *home = getenv("HOME");

	free(variable);
	/* The standard: a relative value is invalid and must be ignored. */
	if (value && value[0] == '/') return must_printf("%s/akin", value);
	if (!home || home[0] != '/') return NULL;
	return must_printf("%s/%s/akin", home, strcmp(kind, "CACHE") ? ".local/share" : ".cache");
}

char *cli_library_dir(const struct cli *cli)
{
	char *data, *dir;

	if (cli->globals.library) return must_printf("%s", cli->globals.library);
	data = cli_xdg("DATA");
	dir = data ? must_printf("%s/default.akin", data) : must_printf("default.akin");
	free(data);
	return dir;
}

akin_status cli_open(const struct cli *cli, const char *dir, unsigned flags, akin_library **lib)
{
	akin_open_params params = { .flags = flags,
		                    .model = cli->globals.model,
		                    .models_dir = cli->globals.models,
		                    .threads = (unsigned)cli->globals.threads };
	char *own = dir ? NULL : cli_library_dir(cli);
	akin_error err = { .status = AKIN_OK };
	akin_status st = akin_library_open(lib, dir ? dir : own, &params, &err);

	/* With a missing model the status is the same: then the sentence must be heard. */
	if (st == AKIN_ERR_NOT_FOUND && !(flags & AKIN_OPEN_CREATE) && access(dir ? dir : own, F_OK) != 0)
		say("there is no library at %s yet; make one: akin index FOLDER", dir ? dir : own);
	else if (st != AKIN_OK)
		cli_fail(&err);
	free(own);
	return st;
}

bool cli_is_id(const char *word, akin_id *id)
{
	char *end;
	long long n;

	*id = 0;
	if (strncmp(word, "id:", 3) != 0 || word[3] < '0' || word[3] > '9') return false;
	errno = 0;
	n = strtoll(word + 3, &end, 10);
	if (*end || errno) return false;
	*id = n;
	return true;
}

akin_status cli_find(akin_library *lib, const char *word, akin_id *id, akin_error *err)
{
	return cli_is_id(word, id) ? AKIN_OK : akin_picture_find(lib, word, id, err);
}

/* The mark stands below the character when each takes one column, or two as in Chinese. */
bool cli_filter_fits(const char *filter)
{
	akin_error err = { .status = AKIN_OK };
	char before[512];
	size_t at, n;

	if (!filter || akin_filter_check(filter, &at, &err) == AKIN_OK) return true;
	cli_fail(&err);
	if (at >= sizeof before || strpbrk(filter, "\r\n\t")) return false;
	n = at;
	memcpy(before, filter, n);
	before[n] = '\0';
	fputs("  ", stderr);
	text_put_visible(stderr, filter);
	fputs("\n  ", stderr);
	text_put_blanks(stderr, text_width(before));
	fputs("^\n", stderr);
	return false;
}

const char *cli_shown_path(const char *path)
{
	static char here[4096];
	static size_t n;

	if (!out_is_terminal(stdout)) return path;
	if (!here[0]) n = getcwd(here, sizeof here) ? strlen(here) : 0;
	return n > 1 && !strncmp(path, here, n) && path[n] == '/' && path[n + 1] ? path + n + 1 : path;
}

void cli_put_path(const char *path)
{
	if (out_is_terminal(stdout)) text_put_visible(stdout, cli_shown_path(path));
	else fputs(path, stdout);
}
