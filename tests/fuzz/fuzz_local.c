/* fuzz: any pixels of any size have features within the picture, and any pairs of points a verdict.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "feature/local.h"
#include "search/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_features(const uint8_t *data, size_t n)
{
	unsigned width = 1u + data[1] % 200, height;
	struct local_params p = { .kind = (enum local_kind)(data[0] % LOCAL_KINDS), .budget = 1u + data[2],
		                  .first_octave = (enum local_octave)(data[3] % LOCAL_OCTAVES), .upright = data[3] & 16,
		                  .long_surf = data[3] & 32, .plain_sift = data[3] & 64,
		                  .spread = (float)(data[3] >> 7) };
	struct local_set set;
	akin_error err;

	n = n > 20000 ? 20000 : n;
	height = (unsigned)((n - 4) / width);
	if (!height) return;
	if (local_extract(&set, data + 4, width, height, &p, &err) != AKIN_OK) abort();
	if (set.n > p.budget) abort();
	for (size_t i = 0; i < set.n; i++) {
		const struct local_feature *f = &set.at[i];

		if (!(f->x >= -1 && f->x <= (float)width && f->y >= -1 && f->y <= (float)height)) abort();
		if (!(f->scale > 0 && f->angle >= 0 && f->angle < 6.2832f && isfinite(f->response))) abort();
	}
	local_set_deinit(&set);
}

/* Numbers of 8 bytes as they come: infinities, NaN, subnormals too; or small ones, which make maps. */
static void check_verdict(const uint8_t *data, size_t n)
{
	enum { EACH = 8, MOST = 60 };
	struct verify_params p = { .model = (enum verify_model)(data[1] % VERIFY_MODELS), .width_a = 1 + data[2],
		                   .height_a = 1 + data[3], .width_b = 256, .height_b = 256, .rounds = 30 };
	bool small = data[0] & 64, inlier[MOST] = { false };
	struct verify_pair pairs[MOST] = { { .turn = 0 } };
	struct verify_result r;
	size_t n_pairs = 0, inliers = 0, width = small ? 1 : 8;
	akin_error err;

	for (data += 4, n -= 4; n >= EACH * width && n_pairs < MOST; data += EACH * width, n -= EACH * width) {
		double v[EACH];

		for (size_t i = 0; i < EACH; i++) {
			if (small) v[i] = data[i];
			else memcpy(&v[i], data + 8 * i, 8);
		}
		pairs[n_pairs++] = (struct verify_pair){ { v[0], v[1], v[2], v[3] }, v[4], v[5], v[6], v[7], v[7] };
	}
	if (verify(pairs, n_pairs, &p, &r, inlier, &err) != AKIN_OK) abort();
	for (size_t i = 0; i < n_pairs; i++) inliers += inlier[i];
	if (inliers != r.n_inliers || isnan(r.log10_nfa) || r.n_witnesses > r.n_inliers || (r.found && !inliers))
		abort();
	for (size_t i = 0; i < 9; i++)
		if (r.found && !isfinite(r.map[i])) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < 8) return 0;
	if (data[0] & 128) check_verdict(data, n);
	else check_features(data, n);
	return 0;
}
