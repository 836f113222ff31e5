/* common/progress.h - one line on the terminal that says how far indexing is.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_COMMON_PROGRESS_H
#define AKIN_COMMON_PROGRESS_H

#include "akin/library.h"
#include "common/out.h"

enum { PROGRESS_SAMPLES = 128 }; /* ten a second: the last 12 seconds */

struct progress {
	bool shown;
	double seconds[PROGRESS_SAMPLES];
	uint64_t read[PROGRESS_SAMPLES];
	size_t n;
};

void progress_show(struct progress *progress, const akin_progress *now);
void progress_clear(struct progress *progress);
/* The line itself, at most `width` columns; for progress_show and for tests. */
void progress_line(struct progress *progress, const akin_progress *now, unsigned width, bool utf8, char *out,
                   size_t n);

#endif
