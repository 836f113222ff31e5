/* common/completion.h - the settings table for the shells.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_COMMON_COMPLETION_H
#define AKIN_COMMON_COMPLETION_H

#include "common/options.h"
#include "common/out.h"

/* Write the completion script of `shell`: "bash", "zsh" or "fish". False for any other. */
bool completion_write(const struct program *program, const char *shell, FILE *out);

#endif
