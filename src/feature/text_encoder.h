/* feature/text_encoder.h - the meaning of a text as a vector of unit length: near vectors, near meanings, whatever the
 * language among those its model knows.
 *
 * A text is bytes. What is no UTF-8 is read as U+FFFD; a text without a word has a vector too.
 * Immutable after opening: threads share it. The same text gives the same bits, alone or among others, on every run
 * with the same kernels; instruction sets differ in the last bits.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_FEATURE_TEXT_ENCODER_H
#define AKIN_FEATURE_TEXT_ENCODER_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "feature/model_card.h"

enum { TEXT_MAX_BYTES = 1 << 18 }; /* a longer text is AKIN_ERR_LIMIT */

struct text_encoder; /* opaque */

/* `card_or_dir`: the card.json of a model of kind "text", or the folder that holds it. */
akin_status text_encoder_open(struct text_encoder **out, const char *card_or_dir, akin_error *err);
void text_encoder_close(struct text_encoder *encoder);
size_t text_encoder_dim(const struct text_encoder *encoder);
const struct model_card *text_encoder_card(const struct text_encoder *encoder);

/* `out`: dim floats, all 0 on failure. */
akin_status text_encode(const struct text_encoder *encoder, const char *text, size_t bytes, float *out,
			akin_error *err);

struct text {
	const char *bytes;
	size_t n;
};
/* n texts into n rows of dim, faster than one by one. On failure, which names the text, all rows are 0. */
akin_status text_encode_many(const struct text_encoder *encoder, const struct text *texts, size_t n, float *out,
			     akin_error *err);

/* What the network sees of a text: its pieces between a start and an end. Freed by mem_free. */
akin_status text_encoder_pieces(const struct text_encoder *encoder, const char *text, size_t bytes, uint32_t **ids,
				size_t *n, akin_error *err);

#endif
