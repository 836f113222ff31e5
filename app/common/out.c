/* common/out.c
 * SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE
#include "common/out.h"

#include <errno.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/text.h"

void say(const char *fmt, ...)
{
	char sentence[2048];
	va_list args;

	va_start(args, fmt);
	vsnprintf(sentence, sizeof sentence, fmt, args);
	va_end(args);
	fflush(stdout);
	fputs("akin: ", stderr);
	text_put_visible(stderr, sentence);
	putc('\n', stderr);
}

int out_finish(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout)) return code;
	say("cannot write to standard output: %s", strerror(errno));
	return EXIT_FAILED;
}

bool out_is_terminal(FILE *stream)
{
	return isatty(fileno(stream)) == 1;
}

bool out_color(FILE *stream, bool wanted)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (!wanted || (no_color && no_color[0]) || !out_is_terminal(stream)) return false;
	return term && strcmp(term, "dumb") != 0;
}

unsigned out_width(FILE *stream)
{
	const char *columns = getenv("COLUMNS");
	long n = columns ? strtol(columns, NULL, 10) : 0;
	struct winsize size;

	if (n > 0 && n < 10000) return (unsigned)n;
	if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
	return 80;
}

bool out_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

static void *needed(void *p)
{
	if (p) return p;
	fputs("akin: out of memory\n", stderr);
	exit(EXIT_FAILED);
}

void *must_zalloc(size_t bytes)
{
	return needed(calloc(1, bytes ? bytes : 1));
}

void *must_grow(void *array, size_t n, size_t item_bytes)
{
	if (n & (n - 1)) return array;
	if (n > SIZE_MAX / 2 / item_bytes) return needed(NULL);
	return needed(realloc(array, (n ? 2 * n : 1) * item_bytes));
}

char *must_printf(const char *fmt, ...)
{
	va_list args;
	char *s = NULL;
	int n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	s = must_zalloc((size_t)(n < 0 ? 0 : n) + 1);
	va_start(args, fmt);
	vsnprintf(s, (size_t)n + 1, fmt, args);
	va_end(args);
	return s;
}
