/* image/filters.h - small changes to pixels in place: interleaved 8-bit RGB without padding.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_IMAGE_FILTERS_H
#define AKIN_IMAGE_FILTERS_H

#include <stdint.h>

#include "base/status.h"
#include "image/image.h"

akin_status filter_denoise(uint8_t *rgb, unsigned width, unsigned height, enum denoise_filter kind, akin_error *err);
/* Each channel's darkest value becomes 0 and its lightest 255, as Pillow's ImageOps.autocontrast does. */
void filter_autocontrast(uint8_t *rgb, unsigned width, unsigned height);

#endif
