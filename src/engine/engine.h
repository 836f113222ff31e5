/* engine/engine.h - what the files of this folder share: an open library and its parts.
 *
 * A library folder holds store.sqlite (the truth), index/ (caches of it, one file a model) and nothing else.
 * Threads: `lock` guards model, embedder and vectors; the store serialises itself. Searches hold the lock for reading.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_ENGINE_ENGINE_H
#define AKIN_ENGINE_ENGINE_H

#include <pthread.h>
#include <stdbool.h>

#include "akin/library.h"
#include "akin/query.h"
#include "feature/embed.h"
#include "index/index.h"
#include "search/rank.h"
#include "simd/kernels.h"
#include "store/store.h"

/* The space in which texts and pictures meet: an encoder of texts, and the alignment that turns its vectors and the embeddings
 * of the library's model into vectors that can be compared. */
struct joint {
	struct text_encoder *encoder;
	struct alignment *alignment;
	unsigned dim;             /* of the joint vectors, which have unit length */
	uint8_t hash[HASH_BYTES]; /* of the model, the encoder and the alignment */
};

/* Vectors of the library's pictures, as an index that follows the store. */
struct vectors {
	const struct joint *joint; /* NULL: embeddings of the library's model as they are */
	struct index *index;      /* NULL until first asked for */
	uint64_t generation;      /* of the store that the index shows */
	uint64_t saved;           /* generation of the file, 0: none */
	size_t changed;           /* rows added or removed since it was saved */
	struct scale scale;       /* what distances between its vectors mean */
	size_t calibrated;        /* rows when that was measured, 0: not yet */
	float *sample;            /* of the joint space: some rows, against which a text is measured */
	size_t n_sample;
};

struct akin_library {
	char *dir;
	unsigned flags, threads;
	char *models_dir, *cache_dir; /* NULL: the usual places; no cache */
	struct store *store;
	pthread_rwlock_t lock;

	/* The model in force. Foreign vectors have an id and a dimension, but no card. */
	bool has_card;
	struct model_card card;
	int64_t model_id; /* 0: nothing stored by it yet */
	char *model_name;
	uint8_t model_hash[HASH_BYTES];
	unsigned dim;
	enum metric metric;

	/* For queries; loaded when first needed, under embed_lock. */
	pthread_mutex_t embed_lock;
	struct embedder embedder;
	struct infer_slot *slot;

	struct joint joint; /* opened when first needed, under embed_lock */

	char *alignment; /* folder of the alignment; NULL: none */
	struct vectors vectors, texts; /* texts.joint NULL: there is none, or it was not needed yet */
	struct image_limits limits;
};

/* ---- models.c ---- */
extern const char models_default_name[];
/* The card of a model by name, or by path when `name` holds a slash. */
akin_status models_find(const char *name, const char *models_dir, struct model_card *card, akin_error *err);
/* Folder of the alignment that gives texts to a picture model; mem_free; NULL: none is installed. */
char *models_find_alignment(const char *picture_model, const char *models_dir);
char *models_cache_dir(const char *wanted); /* NULL: none */

/* ---- library.c ---- */
/* Register the model in the store and remember it as the library's own. Inside a write transaction. */
akin_status library_adopt_model(struct akin_library *lib, akin_error *err);
akin_status library_need_card(const struct akin_library *lib, akin_error *err);
akin_status library_need_writable(const struct akin_library *lib, akin_error *err);
char *library_path(const struct akin_library *lib, const char *name);

/* ---- vectors.c ---- */
/* Bring lib->vectors or lib->texts up to the store's generation. Takes the lock for writing when there is anything to do. */
akin_status vectors_refresh(struct akin_library *lib, struct vectors *v, akin_error *err);
/* Write the index files that differ enough from their indexes, or whenever they differ when `always`. */
akin_status vectors_save(struct akin_library *lib, bool always, akin_error *err);
/* Forget the indexes and their files. */
akin_status vectors_drop(struct akin_library *lib, akin_error *err);
/* Forget the index, as after another model was chosen. Lock held for writing. */
void vectors_forget(struct vectors *v);
unsigned vectors_row_dim(const struct akin_library *lib, const struct vectors *v);
enum metric vectors_metric(const struct akin_library *lib, const struct vectors *v);
const uint8_t *vectors_hash(const struct akin_library *lib, const struct vectors *v);
char *vectors_path(const struct akin_library *lib, const struct vectors *v);
float vectors_distance(enum metric metric, const float *a, const float *b, size_t dim);

/* ---- facts.c ---- */
/* What is known of the picture out->id besides what akin_picture_get finds, and freeing it. */
akin_status facts_fill(struct akin_library *lib, akin_picture *out, akin_error *err);
void facts_release(akin_picture *picture);

/* ---- filter.c ---- */
/* Pictures with a present file below `in` (NULL: anywhere) that fit the filter (NULL: all): ascending, never NULL on AKIN_OK. */
akin_status filter_allowed(struct akin_library *lib, const char *in, const char *filter, int64_t **ids, size_t *n,
                           akin_error *err);

/* ---- calibration.c ---- */
/* Measure what distances mean, unless that was done on a library of about this size. The index is current; lock held for
 * writing. Never fails: without memory the card's word stands, and it is measured another time. */
void calibration_refresh(struct akin_library *lib, struct vectors *v);
/* Keep it in the store, for libraries opened later. */
void calibration_save(struct akin_library *lib, const struct vectors *v);

/* ---- joint.c ---- */
/* Whether texts can be understood: an alignment is installed for the library's model. */
bool joint_exists(const struct akin_library *lib);
/* Open it once; then lib->texts can be refreshed. AKIN_ERR_UNSUPPORTED, with a sentence, when there is none. */
akin_status joint_open(struct akin_library *lib, akin_error *err);
void joint_close(struct joint *joint);
/* A stored embedding, and a text, as vectors of joint->dim. */
akin_status joint_picture(const struct joint *joint, const float *embedding, float *out, akin_error *err);
akin_status joint_text(const struct joint *joint, const char *text, float *out, akin_error *err);

/* ---- query_terms.c ---- */
/* Unpack a stored vector to dim floats. */
akin_status feature_to_f32(const struct store_feature *feature, size_t dim, float *out, akin_error *err);
/* Decode and embed one picture with the library's warm model. ms may be NULL. */
akin_status query_embed(struct akin_library *lib, const void *bytes, size_t n, struct embedding *out,
                        struct akin_timings *ms, akin_error *err);

/* ---- walk.c ---- */
struct walk_options {
	bool hidden, follow_symlinks;
};
struct walk_entry {
	const char *path;
	struct file_stamp stamp;
	bool named; /* given by name, not found in a folder */
};
/* What a walk tells; `folder` and `trouble` may be NULL. */
struct walk_sink {
	int (*visit)(void *ctx, const struct walk_entry *e);        /* each picture file; nonzero stops the walk */
	void (*folder)(void *ctx, const char *path);                /* each folder, before what is in it */
	void (*trouble)(void *ctx, const char *path, akin_status st, const char *reason); /* what could not be read */
	void *ctx;
};
/* Visit every picture file at or below `root` (absolute), each folder once, by name within a folder. A root that does not
 * exist is one trouble with AKIN_ERR_NOT_FOUND. */
akin_status walk(const char *root, const struct walk_options *options, const struct walk_sink *sink, akin_error *err);
struct stat;
struct file_stamp stamp_of(const struct stat *info);
/* Whether a name is passed over unless hidden ones are asked for. */
bool walk_skips(const char *name);

#endif
