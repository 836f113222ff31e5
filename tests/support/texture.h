/* support/texture.h - grey pictures made from a seed, and the same ones seen through a map.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_TEST_TEXTURE_H
#define AKIN_TEST_TEXTURE_H

#include <stddef.h>
#include <stdint.h>

/* Overlapping discs and bars of many sizes, slightly blurred. free() it. */
uint8_t *texture_make(uint64_t seed, unsigned width, unsigned height);
/* What of `from` is seen at each pixel of a new picture, where `map` (nine numbers by rows) takes pixels of the new
 * one to those of the old one; 128 where there is nothing. free() it. */
uint8_t *texture_warp(const uint8_t *from, unsigned width, unsigned height, const double map[9], unsigned new_width,
                      unsigned new_height);

#endif
