/* fuzz/fuzz_tokenizer.c - a tokenizer.json from anybody, and what it makes of some texts.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "feature/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *const texts[] = { "", "a photo of two dogs, don't  <|endoftext|> [SEP]",
				     "一只猫 e\xcc\x81 \xff\xe4\xbd 👍🏽 123" };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct tokenizer *t;
	akin_error err;

	if (tokenizer_parse(&t, (const char *)data, n, NULL, &err) != AKIN_OK) {
		if (!err.text[0] || t) abort();
		return 0;
	}
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct token_ids ids;

		if (tokenizer_encode(t, texts[i], strlen(texts[i]), &ids, &err) == AKIN_OK)
			for (size_t j = 0; j < ids.n; j++)
				if (ids.id[j] < 0 || ids.mask[j] < 0 || ids.mask[j] > 1) abort();
		token_ids_deinit(&ids);
	}
	tokenizer_close(t);
	return 0;
}
