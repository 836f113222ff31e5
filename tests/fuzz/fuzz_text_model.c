/* fuzz/fuzz_text_model.c - text models from anybody: as they are, and with checksums that fit, which leaves it to the
 * other checks. Whatever opens must read texts without harm. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "feature/text_model.h"

enum { HEADER = 4096, BODY_SUM = 256, MOST = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void read_text(const struct text_model *m, const char *text)
{
	struct buf out = BUF_EMPTY;
	struct unigram_token *tokens;
	size_t n, at = 0;
	akin_error err;

	if (charsmap_normalise(&m->rules, text, strlen(text), 1 << 16, &out, &err) == AKIN_OK &&
	    unigram_encode(m->unigram, out.data, out.len, &tokens, &n, &err) == AKIN_OK) {
		for (size_t i = 0; i < n; i++) {
			if (tokens[i].id >= m->n_pieces || tokens[i].at != at || !tokens[i].bytes) abort();
			at += tokens[i].bytes;
		}
		if (at != out.len) abort();
		mem_free(tokens);
	}
	buf_deinit(&out);
}

static void read_all(const struct text_model *m)
{
	float *row = mem_calloc(m->embedding, sizeof *row);

	read_text(m, "The dog\xef\xbc\xa1\xef\xac\x81 in\tsnow e\xcc\x81 \xe7\x8b\x97\xe9\x9b\xaa \xc2\xbd Q\x01 ");
	for (uint32_t id = 0; row && id < m->n_pieces && id < 1000; id++)
		if (text_model_row(m, id, row))
			for (size_t i = 0; i < m->embedding; i++)
				if (!isfinite(row[i])) abort();
	mem_free(row);
}

static void open_and_read(const uint8_t *bytes, size_t n)
{
	struct text_model model;
	akin_error err;

	if (text_model_open_bytes(&model, bytes, n, &err) == AKIN_OK)
		read_all(&model);
	else if (!err.text[0])
		abort();
	text_model_close(&model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t *bytes = n <= MOST ? mem_aligned(n + !n) : NULL;
	uint64_t sum = n;

	if (!bytes) return 0;
	memcpy(bytes, data, n);
	open_and_read(bytes, n);
	if (n >= HEADER) {
		memcpy(bytes + 16, &sum, sizeof sum); /* the file's length */
		sum = hash_checksum(bytes + HEADER, n - HEADER, 0);
		memcpy(bytes + BODY_SUM, &sum, sizeof sum);
		sum = hash_checksum(bytes, HEADER - sizeof sum, 0);
		memcpy(bytes + HEADER - sizeof sum, &sum, sizeof sum);
		open_and_read(bytes, n);
	}
	mem_free(bytes);
	return 0;
}
