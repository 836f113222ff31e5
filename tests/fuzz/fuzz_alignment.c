/* fuzz/fuzz_alignment.c - the card and the weights of an alignment from anybody: a uint16 says how long the card is, both
 * follow. The checksum is mended, so that the fuzzer gets behind it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "feature/alignment.h"

enum { HEADER = 64, CHECKSUM_AT = 48 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Whatever the weights, vectors are finite and no longer than a unit. */
static void use(const struct alignment *a)
{
	const struct alignment_info *info = alignment_info(a);
	const size_t most = info->picture_dim > info->text_dim ? info->picture_dim : info->text_dim;
	float *in = mem_calloc(most, sizeof *in), *out = mem_calloc(info->dim + info->n_classes, sizeof *out);
	akin_error err;

	if (!in || !out) abort();
	for (size_t i = 0; i < most; i++) in[i] = (float)(i % 7) + 0.5f;
	for (int side = 0; side < 2; side++) {
		float square = 0;

		if ((side ? alignment_text(a, in, 5, out, &err) : alignment_picture(a, in, out, &err)) != AKIN_OK) abort();
		for (size_t i = 0; i < info->dim; i++) square += out[i] * out[i];
		if (!(square < 1.001f)) abort();
	}
	if (alignment_classes(a, in, out, &err) != AKIN_OK) abort();
	mem_free(in);
	mem_free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct alignment *a;
	akin_error err;
	uint16_t card;
	uint8_t *weights;

	if (n < sizeof card) return 0;
	memcpy(&card, data, sizeof card);
	data += sizeof card;
	n -= sizeof card;
	if (card > n) return 0;
	n -= card;
	if (!(weights = mem_alloc(n + 1))) abort();
	memcpy(weights, data + card, n);
	if (n > HEADER) {
		const uint64_t sum = hash_checksum(weights + HEADER, n - HEADER, 0);
		memcpy(weights + CHECKSUM_AT, &sum, sizeof sum);
	}
	if (alignment_parse(&a, (const char *)data, card, weights, n, &err) == AKIN_OK) use(a);
	else if (!err.text[0]) abort();
	alignment_close(a);
	mem_free(weights);
	return 0;
}
