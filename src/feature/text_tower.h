/* feature/text_tower.h - a text to a vector of its model's own picture space: CLIP and its kin.
 *
 * The model's card has a `text` part: a network that eats token numbers, and the tokenizer.json that makes them. What
 * it gives may be compared with the pictures' vectors as they are.
 *
 * Threads: a tower may be shared; calls take turns.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_FEATURE_TEXT_TOWER_H
#define AKIN_FEATURE_TEXT_TOWER_H

#include <stddef.h>

#include "feature/model_card.h"

struct text_tower; /* opaque */

/* Whether the model has a tower of its own. */
static inline bool model_card_has_text(const struct model_card *card)
{
	return card->text.file != NULL;
}

/* The card is borrowed and must have a text part. */
akin_status text_tower_open(struct text_tower **out, const struct model_card *card, unsigned threads,
			    const char *cache_dir, akin_error *err);
void text_tower_close(struct text_tower *tower);
/* card->dim numbers to `vector`, of unit length when the card says so. */
akin_status text_tower_encode(struct text_tower *tower, const char *text, size_t bytes, float *vector, akin_error *err);

#endif
