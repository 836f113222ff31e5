/* common/out.h - where words go: complaints on stderr, data on stdout, and memory that is there or ends the program.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_COMMON_OUT_H
#define AKIN_COMMON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum exit_code { EXIT_DONE = 0, EXIT_NOTHING = 1, EXIT_USAGE = 2, EXIT_FAILED = 3 };

/* "akin: SENTENCE" on stderr; control characters in it are escaped, since file names may hold any. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Flush stdout; on failure say so and return EXIT_FAILED, else `code`. */
int out_finish(int code);

/* Colour is for terminals, unless NO_COLOR is set or `wanted` is false. */
bool out_color(FILE *stream, bool wanted);
/* Columns of the terminal behind the stream: COLUMNS, else what it says, else 80. */
unsigned out_width(FILE *stream);
bool out_is_terminal(FILE *stream);
/* Whether the locale's characters are UTF-8. */
bool out_utf8(void);

/* A command line that has no memory left can only say so and end (exit 3). */
void *must_zalloc(size_t bytes);
/* Room for one more item in an array of n: grows at powers of two. */
void *must_grow(void *array, size_t n, size_t item_bytes);
char *must_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
