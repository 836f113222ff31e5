/* fuzz/fuzz_card.c - model cards and label files from anybody.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>

#include "feature/labels.h"
#include "feature/model_card.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct model_card card;
	struct labels labels;
	akin_error err;

	if (model_card_parse(&card, (const char *)data, n, &err) != AKIN_OK && !err.text[0]) abort();
	model_card_deinit(&card);
	if (labels_parse(&labels, (const char *)data, n, &err) == AKIN_OK)
		for (size_t i = 0; i < labels.n; i++)
			if (!labels.row[i]) abort();
	labels_deinit(&labels);
	return 0;
}
