/* feature/embed.h - one picture to one vector and its likely classes.
 *
 * An embedder is a model ready to run. A feature is what one run gave: the embedding, pooled as the card says and of unit
 * length when the card says so, and the most probable classes.
 *
 * Threads: an embedder may be shared; each slot belongs to one thread at a time.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_FEATURE_EMBED_H
#define AKIN_FEATURE_EMBED_H

#include <stddef.h>

#include "feature/labels.h"
#include "feature/model_card.h"
#include "infer/infer.h"

enum { EMBED_MAX_LABELS = 8 };

struct embed_label {
	unsigned class_index;
	float probability;
};

struct embedding {
	float *vector; /* dim; mem_free */
	struct embed_label label[EMBED_MAX_LABELS]; /* most probable first */
	size_t n_labels;
};

struct embedder {
	const struct model_card *card; /* borrowed */
	struct infer_session *session;
};

akin_status embedder_open(struct embedder *e, const struct model_card *card, enum infer_goal goal, unsigned threads,
                          const char *cache_dir, akin_error *err);
void embedder_close(struct embedder *e);

/* Read what the last run of `slot` gave. AKIN_ERR_FORMAT when the output has another size than the card says, or is not
 * finite. */
akin_status embed_collect(const struct embedder *e, struct infer_slot *slot, struct embedding *out, akin_error *err);
void embedding_deinit(struct embedding *embedding);

#endif
