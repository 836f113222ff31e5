/* image/boxes.h - the skeleton of an ISO base media file (HEIC, AVIF): boxes within boxes (ISO/IEC 14496-12, section 4.2).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_IMAGE_BOXES_H
#define AKIN_IMAGE_BOXES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether every box lies within the one around it, and the outer ones within the file. libheif 1.19 asserts, which ends the
 * process, where an outer box claims more bytes than there are. */
bool boxes_fit(const uint8_t *bytes, size_t n);

#endif
