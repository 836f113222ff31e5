/* engine/local.h - what is behind the handles of akin/local.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_ENGINE_LOCAL_H
#define AKIN_ENGINE_LOCAL_H

#include "akin/local.h"
#include "feature/local.h"
#include "image/image.h"
#include "search/match.h"

struct akin_local {
	struct picture picture; /* rgb is NULL unless it was to be kept */
	float to_x, to_y;       /* from its pixels to those of the picture as shown */
	struct local_set set;
};

struct akin_match {
	const struct akin_local *a, *b;
	struct match *matches;
	bool *inlier;
	akin_match_info info;
};

#endif
