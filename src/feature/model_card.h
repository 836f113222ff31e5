/* feature/model_card.h - a model's card: what its file is, what it eats, what it gives.
 *
 * A card is a JSON object (docs/models.md has every member). It is read strictly: an unknown value of a known member,
 * a wrong type or a size out of range is AKIN_ERR_FORMAT with the member's name and an example of the right form;
 * unknown members are passed over, so that newer cards work. File names in a card are relative to its folder and cannot
 * leave it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_FEATURE_MODEL_CARD_H
#define AKIN_FEATURE_MODEL_CARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"
#include "image/image.h"
#include "infer/infer.h"
#include "types/vector.h"

enum { CARD_MAX_FILES = 16 };

struct card_file {
	char *name; /* relative to the card's folder */
	char sha256[2 * HASH_BYTES + 1];
};

enum card_kind { CARD_PICTURE, CARD_TEXT };

/* The tower that turns a text into a vector of the same space as the pictures'; `file` NULL: the model has none. */
struct card_text {
	char *file, *weights, *tokenizer;  /* relative; weights may be NULL */
	char *ids, *mask, *types, *output; /* names; mask and types NULL: the tower has none; output NULL: the first */
	unsigned length;                   /* ids that it takes */
	int64_t pad_id;                    /* -1: what the tokenizer says */
	bool normalise;
	double logit_scale, logit_bias;    /* of the training's sigmoid or softmax; 0: unknown */
};

struct model_card {
	enum card_kind kind;
	char *name, *title, *source, *licence;
	char *dir, *path;    /* of the card; dir NULL when parsed from memory */
	char *file, *weights, *labels; /* relative; weights and labels may be NULL */
	struct card_file files[CARD_MAX_FILES];
	size_t n_files;

	/* Of pictures only, from here to softmax: */
	char *input, *embedding, *logits; /* names; may be NULL */
	bool nchw, bgr;
	float mean[3], std[3];
	struct image_recipe recipe;

	enum infer_pooling pooling;
	float gem_p;
	bool normalise, softmax;
	unsigned dim;
	enum metric metric;
	double random_distance; /* median distance of random pictures, for libraries too small to measure; 0: unknown */

	struct card_text text;

	/* Identity of what makes the pictures' vectors: files, input, output; not words, labels and the text tower. */
	uint8_t hash[HASH_BYTES];
};

/* `path`: the card.json, or the folder that holds it. */
akin_status model_card_read(struct model_card *card, const char *path, akin_error *err);
akin_status model_card_parse(struct model_card *card, const char *json, size_t n, akin_error *err);
/* Read a card and tell every mistake in it, each with an example of the right form, and every file that it names and
 * that is not there. AKIN_ERR_FORMAT when there was one; another error when there is no card to read. */
typedef void card_mistake(void *user, const char *member, const char *what, const char *example);
akin_status model_card_review(const char *path, card_mistake *tell, void *user, akin_error *err);
void model_card_deinit(struct model_card *card);
/* Absolute path of a file of the card; NULL when there is no memory or `name` is NULL. */
char *model_card_path_of(const struct model_card *card, const char *name);
/* Compare every listed file with its SHA-256. */
akin_status model_card_verify_files(const struct model_card *card, akin_error *err);

#endif
