/* akin/model.h - models and their cards.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_MODEL_H
#define AKIN_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "akin/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a model's card says. Pointers are valid until the list goes. */
typedef struct akin_model_info {
	const char *name, *title, *source, *licence;
	const char *card_path;  /* absolute */
	const char *model_path; /* absolute: the .xml, .onnx, .pb, .tflite or SavedModel folder */
	const char *metric;     /* "cosine", "l2", "ip" */
	unsigned width, height; /* of the input; 0 of a model that reads text */
	unsigned dim;           /* of the embedding */
	uint64_t bytes;         /* of all its files */
	int is_default;
	unsigned text_length;   /* tokens that the model's own text tower takes; 0: it has none */
} akin_model_info;

typedef struct akin_model_list akin_model_list;

/* Every model found in `models_dir` (NULL: the usual places, see akin_open_params), ordered by name. Cards that cannot
 * be read are told to `on_bad` (may be NULL) and left out. */
AKIN_API akin_status akin_models_list(akin_model_list **out, const char *models_dir,
                                      void (*on_bad)(void *user, const char *card_path, const char *reason), void *user,
                                      akin_error *err);
AKIN_API size_t akin_model_list_count(const akin_model_list *list);
AKIN_API const akin_model_info *akin_model_list_get(const akin_model_list *list, size_t i);
AKIN_API void akin_model_list_free(akin_model_list *list);

/* Read a card and tell every mistake in it: the member ("input.width"), what is wrong with it, and an example of the
 * right form ("" when there is none to give). AKIN_ERR_FORMAT when there was a mistake. */
AKIN_API akin_status akin_model_review(const char *card_path,
                                       void (*on_mistake)(void *user, const char *member, const char *what,
                                                          const char *example),
                                       void *user, akin_error *err);

/* Copy a card and the files it names into the user's model folder after verifying them and loading the model once. */
AKIN_API akin_status akin_model_add(const char *card_path, akin_error *err);

/* Compare a model's files with the SHA-256 of its card, load it, and run it on a grey picture, and its text tower, if it
 * has one, on a sentence: the outputs' dimension and finiteness are checked. */
AKIN_API akin_status akin_model_verify(const char *name_or_card, const char *models_dir, akin_error *err);

#ifdef __cplusplus
}
#endif
#endif
