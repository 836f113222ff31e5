/* fuzz/fuzz_token_text.c - any bytes through a tokenizer of every kind.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "feature/tokenizer.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *const kinds[] = { "clip",       "gpt4",   "gemma",         "bert",
				     "bert-cased", "siglip", "sentencepiece", "wordlevel" };
enum { KINDS = sizeof kinds / sizeof kinds[0] };
static struct tokenizer *tokenizers[KINDS];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	for (size_t i = 0; i < KINDS; i++) {
		char path[512];

		snprintf(path, sizeof path, TESTS_DIR "/data/tokenizers/%s.json", kinds[i]);
		if (tokenizer_open(&tokenizers[i], path, NULL, NULL) != AKIN_OK) abort();
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	for (size_t i = 0; i < KINDS; i++) {
		struct token_ids ids;
		akin_error err;
		akin_status st = tokenizer_encode(tokenizers[i], (const char *)data, n, &ids, &err);

		if (st != AKIN_OK && (st != AKIN_ERR_LIMIT || n <= TOKENIZER_TEXT_MAX / 16)) abort();
		token_ids_deinit(&ids);
	}
	return 0;
}
