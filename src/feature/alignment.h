/* feature/alignment.h - one space for pictures and texts: it joins a picture model and a text encoder that know nothing
 * of each other, so that the inner product of a text's vector and a picture's says how well they fit.
 *
 * A joint vector has two parts. The aligned part was learned from pictures with captions; the label part places the text
 * vectors of a picture's likely classes, weighted by probability, beside the text's own vector. How much each part counts
 * is decided by the text, so the picture's side is a function of its stored embedding alone and no picture is read again.
 * docs/text-alignment.md has the mathematics and the file.
 *
 * Every joint vector has unit length: cosine and inner product rank alike. Immutable after opening: threads share it.
 * The same input gives the same bits with the same kernels; instruction sets differ in the last bits.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_FEATURE_ALIGNMENT_H
#define AKIN_FEATURE_ALIGNMENT_H

#include <stddef.h>

#include "base/status.h"

struct alignment; /* opaque */

/* What it joins; the strings are borrowed until the alignment is closed. The sums are of the models' weights, as their
 * cards list them; a vector of another model must not be handed in. */
struct alignment_info {
	const char *name;
	const char *picture_model, *picture_sha256;
	const char *text_model, *text_sha256;
	size_t picture_dim, text_dim, n_classes, dim;
	double random_cosine; /* median of a caption and a picture that it does not describe */
};

/* `card_or_dir`: an alignment.json, or the folder that holds it. AKIN_ERR_FORMAT unless card and weights are whole. */
akin_status alignment_open(struct alignment **out, const char *card_or_dir, akin_error *err);
/* From memory, which may go away afterwards. */
akin_status alignment_parse(struct alignment **out, const char *card, size_t card_bytes, const void *weights,
                            size_t weights_bytes, akin_error *err);
void alignment_close(struct alignment *alignment);
const struct alignment_info *alignment_info(const struct alignment *alignment);

/* `embedding`: picture_dim floats of any length but 0. `out`: dim floats, all 0 on failure. AKIN_ERR_INVALID for a vector
 * that is zero or not finite. */
akin_status alignment_picture(const struct alignment *alignment, const float *embedding, float *out, akin_error *err);
/* The probability of every class, n_classes floats: the classifier's own answer, as far as an embedding of unit length
 * still tells it. All 0 on failure. */
akin_status alignment_classes(const struct alignment *alignment, const float *embedding, float *out, akin_error *err);

/* `text_vector`: text_dim floats of any length but 0. `n_pieces`: into how many the encoder cut the text, start and end
 * among them (text_encoder_pieces). `out`: dim floats, all 0 on failure. */
akin_status alignment_text(const struct alignment *alignment, const float *text_vector, size_t n_pieces, float *out,
                           akin_error *err);
/* The label part's share in a text, 0..1: near 0 for a described scene, near 1 for the name of a thing. */
akin_status alignment_gate(const struct alignment *alignment, const float *text_vector, size_t n_pieces, float *gate,
                           akin_error *err);

#endif
