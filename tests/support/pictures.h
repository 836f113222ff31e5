/* support/pictures.h - small pictures made from a seed, as files. Needs image_init().
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_TEST_PICTURES_H
#define AKIN_TEST_PICTURES_H

#include <stdint.h>

#include "base/buf.h"

/* A PNG of coloured blocks, 48 x 32; another seed is another picture. */
void picture_make(uint64_t seed, struct buf *png);
/* Write bytes to a path and give the file a modification time no other call gives: the clock's ticks are coarse. */
void picture_write(const char *path, const void *bytes, size_t n);
void picture_touch(const char *path);

/* The small network for tests, as akin_open_params.model. */
#define TINY_MODEL TESTS_DIR "/data/models/tiny_xml.card.json"

#endif
