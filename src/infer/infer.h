/* infer/infer.h - running neural networks: 8-bit RGB tensors or token numbers in, float tensors out. The only place that knows OpenVINO,
 * which is loaded at run time when the first model is, so that whatever needs no model does not pay for it.
 *
 * Threads: a session may be used by several threads; a slot by one at a time.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_INFER_INFER_H
#define AKIN_INFER_INFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum infer_pooling { POOLING_NONE, POOLING_MEAN, POOLING_GEM, POOLING_CLS };

/* What the runtime must know of a model; filled from its card by feature/model_card.c. */
struct infer_spec {
	const char *model_path;   /* .xml, .onnx, .pb, .tflite, or a SavedModel folder */
	const char *weights_path; /* .bin of an .xml; NULL: beside it */
	const char *input;        /* name of the input; NULL: the only one */
	unsigned width, height;
	bool nchw;                /* layout of the model's input, else NHWC */
	bool bgr;                 /* channel order of the model, else RGB */
	float mean[3], std[3];    /* (value - mean) / std, values 0..255 */
	const char *embedding;    /* output names; embedding NULL: the first output; the others NULL: not wanted */
	const char *logits;
};

/* The same of a text tower, which eats numbers of tokens. */
struct infer_text_spec {
	const char *model_path, *weights_path;
	const char *ids, *mask, *types; /* names of inputs [1, length]; mask and types NULL: the model has none */
	const char *output;             /* NULL: the first */
	size_t length;                  /* the model's free shapes are fixed to it */
};

enum infer_goal { INFER_LATENCY, INFER_THROUGHPUT };

struct infer_session; /* opaque: a compiled model */
struct infer_slot;    /* opaque: one request with its tensors */

/* cache_dir: compiled models are kept there; NULL: not kept. threads 0: one a core. */
akin_status infer_open(struct infer_session **out, const struct infer_spec *spec, enum infer_goal goal, unsigned threads,
                       const char *cache_dir, akin_error *err);
akin_status infer_open_text(struct infer_session **out, const struct infer_text_spec *spec, enum infer_goal goal,
                            unsigned threads, const char *cache_dir, akin_error *err);
void infer_close(struct infer_session *session);
/* Requests that keep the cores busy. */
unsigned infer_best_slots(const struct infer_session *session);

akin_status infer_slot_create(struct infer_slot **out, struct infer_session *session, akin_error *err);
void infer_slot_destroy(struct infer_slot *slot); /* waits for a run in flight */
/* height * width * 3 bytes, RGB, to be filled before a run. Borrowed from the slot. */
uint8_t *infer_slot_input(struct infer_slot *slot);
/* For a text tower: `length` numbers of tokens and their mask. */
void infer_slot_set_tokens(struct infer_slot *slot, const int64_t *ids, const int64_t *mask);
akin_status infer_slot_run(struct infer_slot *slot, akin_error *err);
/* Start; done(ctx) is called from a thread of the runtime when it ends, then infer_slot_wait says how. */
akin_status infer_slot_start(struct infer_slot *slot, void (*done)(void *ctx), void *ctx, akin_error *err);
akin_status infer_slot_wait(struct infer_slot *slot, akin_error *err);

struct infer_output {
	const float *data; /* borrowed from the slot until its next run */
	size_t n;
	size_t shape[8], rank; /* without the batch */
};
akin_status infer_slot_embedding(struct infer_slot *slot, struct infer_output *out, akin_error *err);
akin_status infer_slot_logits(struct infer_slot *slot, struct infer_output *out, akin_error *err); /* n == 0: none */

/* "OpenVINO 2026.4.1-..." and where it was found; for `akin info` and errors. */
akin_status infer_runtime_name(char *out, size_t n, akin_error *err);

#endif
