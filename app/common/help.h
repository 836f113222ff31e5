/* common/help.h - what the settings table says, for people: terminal, Markdown, man page.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_COMMON_HELP_H
#define AKIN_COMMON_HELP_H

#include "common/options.h"
#include "common/out.h"

/* `akin` alone: what it is and the examples to begin with. */
void help_short(const struct program *program, FILE *out, bool color);
/* `akin --help`. */
void help_program(const struct program *program, FILE *out, bool color);
/* `akin COMMAND --help`. */
void help_command(const struct program *program, const struct command *command, FILE *out, bool color);
/* docs/commands.md. */
void help_markdown(const struct program *program, FILE *out);
/* A man page in roff: of the program when command is NULL. */
void help_man(const struct program *program, const struct command *command, const char *version, FILE *out);

/* The option's names and value, "-k, --k N"; with `align`, a missing letter leaves room for one. */
void help_option_names(const struct option *option, bool align, FILE *out);
/* Its help with range, default and variable: "at most so many hits (1 to 1000; default 10)". free() it. */
char *help_option_text(const struct option *option);

#endif
