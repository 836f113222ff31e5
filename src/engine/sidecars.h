/* engine/sidecars.h - the files beside a picture that tell of it: NAME.txt, NAME.xmp, NAME.jpg.txt, NAME.jpg.xmp.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_ENGINE_SIDECARS_H
#define AKIN_ENGINE_SIDECARS_H

#include <stdbool.h>

#include "base/status.h"
#include "types/facts.h"

/* Add what they say to `facts` (NULL: only look). *any, which may be NULL: is there one? What cannot be read or is too large
 * for a text is passed over; the only failure is that of memory. */
akin_status sidecars_read(const char *path, struct facts *facts, bool *any, akin_error *err);

#endif
