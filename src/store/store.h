/* store/store.h - what is known of pictures, in SQLite: the only truth.
 *
 * Knows pictures, files, features, labels and failures; knows nothing of pixels, models' insides or indexes.
 *   S1  a write is durable (WAL, synchronous=FULL) when the transaction that holds it has committed;
 *   S2  every change to features gets a number, `seq`, larger than all before it; store_generation() is the last one;
 *   S3  a picture without files and without features does not exist after a commit, except foreign ones (imported vectors);
 *   S4  picture ids are never used again.
 * Threads: a handle serialises its own calls. The thread between begin and commit sees its own changes; others read what
 * was committed and do not wait for it. Callbacks may read from the store and, between begin and commit, write to it.
 * Processes: one writer (a lock held by store_begin .. store_commit, waited for up to busy_ms, then AKIN_ERR_BUSY with a
 * sentence), any number of readers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_STORE_STORE_H
#define AKIN_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"
#include "types/facts.h"
#include "types/picture.h"
#include "types/vector.h"

struct store; /* opaque */

enum { STORE_SCHEMA = 2 };
enum store_mode { STORE_READ, STORE_WRITE, STORE_CREATE };

/* AKIN_ERR_NOT_FOUND: no such file. AKIN_ERR_UNSUPPORTED: schema newer than STORE_SCHEMA. AKIN_ERR_CORRUPT: not akin's or
 * damaged. Older schemas are migrated in one transaction (not in STORE_READ: AKIN_ERR_UNSUPPORTED). */
akin_status store_open(struct store **out, const char *path, enum store_mode mode, akin_error *err);
void store_close(struct store *store);
void store_set_busy_ms(struct store *store, int busy_ms);
void store_identity(const struct store *store, uint8_t out[16]); /* random, made with the file */

/* Write transactions. Every function marked W must be called between begin and commit by the same thread. */
akin_status store_begin(struct store *store, akin_error *err);
/* On failure everything since begin is undone. When SQLite failed in a W function (memory, disk, a value it refuses), all
 * that follow fail and so does the commit; a failure found before (NOT_FOUND, EXISTS, a wrong size) changes nothing. */
akin_status store_commit(struct store *store, akin_error *err);
void store_rollback(struct store *store);

/* ---- settings: small texts by name ---- */
akin_status store_setting_put(struct store *store, const char *name, const char *value, akin_error *err); /* W; NULL removes */
akin_status store_setting_get(struct store *store, const char *name, char **value, akin_error *err); /* NULL: unset */

/* ---- models ---- */
struct store_model {
	int64_t id;
	char *name;
	uint8_t hash[HASH_BYTES]; /* identity: of the card's content and its files; for foreign vectors of the name */
	unsigned dim;
	enum metric metric;
};
/* W. Find by hash or insert. */
akin_status store_model_ensure(struct store *store, const char *name, const uint8_t hash[HASH_BYTES], unsigned dim,
                               enum metric metric, int64_t *model_id, akin_error *err);
akin_status store_model_get(struct store *store, int64_t model_id, struct store_model *out, akin_error *err);
akin_status store_model_find(struct store *store, const char *name, struct store_model *out, akin_error *err); /* newest */
akin_status store_models(struct store *store, struct store_model **out, size_t *n, akin_error *err);
void store_model_deinit(struct store_model *model);
void store_models_free(struct store_model *models, size_t n);
/* W. The names of a model's classes, in class order: [i] is "en\tzh" as UTF-8. Replaces the old ones. */
akin_status store_classes_put(struct store *store, int64_t model_id, const char *const *names, size_t n, akin_error *err);

/* ---- pictures and files ---- */
struct store_picture {
	int64_t id;
	uint8_t hash[HASH_BYTES];
	struct picture_info info;
	uint64_t bytes;
	int64_t added_at;
	bool foreign; /* imported vector without a file that akin read */
};
enum file_state { FILE_PRESENT = 0, FILE_MISSING = 1 };
/* What identifies an unchanged file. */
struct file_stamp {
	uint64_t size;
	int64_t mtime_ns;
	uint64_t inode, device;
};
struct store_file {
	int64_t picture_id;
	char *path; /* absolute; any bytes; mem_free */
	struct file_stamp stamp;
	enum file_state state;
};

akin_status store_picture_by_hash(struct store *store, const uint8_t hash[HASH_BYTES], int64_t *id, akin_error *err); /* 0: none */
akin_status store_picture_get(struct store *store, int64_t id, struct store_picture *out, akin_error *err);
akin_status store_picture_put(struct store *store, const struct store_picture *picture, int64_t *id, akin_error *err); /* W; id is chosen */
/* W. Forget a picture with its files, features and labels. AKIN_ERR_NOT_FOUND. */
akin_status store_picture_remove(struct store *store, int64_t id, akin_error *err);
/* While kept, a picture that loses its last file stays: in an index run its content may appear under another path that has
 * not been read yet. store_fileless_remove (W) then removes those that are left. */
void store_fileless_keep(struct store *store, bool keep);
akin_status store_fileless_remove(struct store *store, akin_error *err);
/* Ids of all pictures with state-FILE_PRESENT files below `in` (NULL: any), or foreign ones when in is NULL; ascending. */
akin_status store_picture_ids(struct store *store, const char *in, int64_t **ids, size_t *n, akin_error *err);

akin_status store_file_by_path(struct store *store, const char *path, struct store_file *out, akin_error *err); /* AKIN_ERR_NOT_FOUND */
/* W. Insert or replace the row of `path` (state present), also that of a failure. A picture that thereby loses its last file is removed. */
akin_status store_file_put(struct store *store, const char *path, int64_t picture_id, const struct file_stamp *stamp, akin_error *err);
/* W. The same row under another path (a move): keeps everything, and is present. Replaces a row at the new path. */
akin_status store_file_move(struct store *store, const char *from, const char *to, const struct file_stamp *stamp, akin_error *err);
akin_status store_file_set_state(struct store *store, const char *path, enum file_state state, akin_error *err); /* W */
/* W. Remove the row; the picture goes with its last file. AKIN_ERR_NOT_FOUND. */
akin_status store_file_remove(struct store *store, const char *path, akin_error *err);
akin_status store_files_of(struct store *store, int64_t picture_id, struct store_file **out, size_t *n, akin_error *err); /* present first, then by path */
void store_file_deinit(struct store_file *file);
void store_files_free(struct store_file *files, size_t n);

struct store_listed { /* pointers valid during the call */
	int64_t picture_id;     /* 0: failed */
	const char *path;
	const char *reason;     /* of a failure, else NULL */
	enum file_state state;
	struct file_stamp stamp;
	struct picture_info info;
	int status;             /* of a failure: akin_status */
};
/* Every file at or below the folder or path `in` (NULL: all), by path bytes. A nonzero return of each stops. */
enum { STORE_LIST_PRESENT = 1, STORE_LIST_MISSING = 2, STORE_LIST_FAILED = 4 };
akin_status store_list(struct store *store, unsigned kinds, const char *in,
                       int (*each)(void *ctx, const struct store_listed *file), void *ctx, akin_error *err);

/* ---- failures ---- */
akin_status store_failure_put(struct store *store, const char *path, const struct file_stamp *stamp, akin_status status,
                              const char *reason, akin_error *err); /* W; removes a file row of the same path */
akin_status store_failure_remove(struct store *store, const char *path, akin_error *err); /* W; no failure: AKIN_OK */

/* ---- features ---- */
enum store_encoding { STORE_F32 = 1, STORE_F16 = 2 };
/* W. The vector of a picture by a model; replaces the old one. `data` has dim elements in the encoding. */
akin_status store_feature_put(struct store *store, int64_t picture_id, int64_t model_id, enum store_encoding encoding,
                              const void *data, size_t bytes, akin_error *err);
struct store_feature { /* pointers valid during the call */
	int64_t picture_id;
	uint64_t seq;
	enum store_encoding encoding;
	const void *data; /* aligned to 64 bytes */
	size_t bytes;
};
/* Features of a model with seq > after, in the order of seq. A nonzero return of each stops. */
akin_status store_features(struct store *store, int64_t model_id, uint64_t after,
                           int (*each)(void *ctx, const struct store_feature *feature), void *ctx, akin_error *err);
akin_status store_feature_get(struct store *store, int64_t picture_id, int64_t model_id,
                              int (*each)(void *ctx, const struct store_feature *feature), void *ctx, akin_error *err); /* AKIN_ERR_NOT_FOUND */
/* Pictures whose feature of the model went away (removed) with seq > after, in the order of seq. */
akin_status store_removals(struct store *store, int64_t model_id, uint64_t after,
                           int (*each)(void *ctx, int64_t picture_id, uint64_t seq), void *ctx, akin_error *err);
/* Ids of pictures that have a present file but no feature of the model. */
akin_status store_without_feature(struct store *store, int64_t model_id, int64_t **ids, size_t *n, akin_error *err);
akin_status store_generation(struct store *store, uint64_t *generation, akin_error *err);
/* All reads between begin and end, by the same thread, see one state of the store; many small reads are 5 times as fast.
 * Other threads' reads through this handle wait meanwhile. */
akin_status store_read_begin(struct store *store, akin_error *err);
void store_read_end(struct store *store);

/* ---- labels ---- */
struct store_label {
	unsigned class_index;
	float probability;
};
akin_status store_labels_put(struct store *store, int64_t picture_id, int64_t model_id, const struct store_label *labels,
                             size_t n, akin_error *err); /* W; replaces */
struct store_named_label { /* pointers valid during the call */
	unsigned class_index;
	float probability;
	const char *name, *name_zh; /* everyday names; "" when unknown */
};
/* Of all models, most probable first. */
akin_status store_labels_of(struct store *store, int64_t picture_id,
                            int (*each)(void *ctx, const struct store_named_label *label), void *ctx, akin_error *err);

/* ---- facts ---- */
/* Version of what read them: raising it makes the next index run read all headers again. */
enum { STORE_FACTS = 1 };
/* W. Replaces what is known, except that a palette stays when `facts` has none. AKIN_ERR_NOT_FOUND. */
akin_status store_facts_put(struct store *store, int64_t picture_id, const struct facts *facts, akin_error *err);
/* facts_deinit them. All unknown when there is no such picture. */
akin_status store_facts_get(struct store *store, int64_t picture_id, struct facts *out, akin_error *err);
/* Ids of pictures that have a present file and whose facts nobody has read, or an older version did; ascending. */
akin_status store_without_facts(struct store *store, int64_t **ids, size_t *n, akin_error *err);

/* ---- filters ---- */
struct filter;
/* Ids of the pictures that fit, ascending: all known ones, also those whose files have vanished. */
akin_status store_filter_ids(struct store *store, const struct filter *filter, int64_t **ids, size_t *n, akin_error *err);

/* ---- keywords ---- */
enum keyword_mode { KEYWORDS_ANY, KEYWORDS_ALL };
struct store_keyword_hit { /* pointers valid during the call */
	int64_t picture_id;
	double score;             /* BM25 with weights for where the word stands; larger is better, not bounded */
	const char *const *terms; /* of the query, folded, that the picture has */
	size_t n_terms;
};
/* Pictures by words, best first, equal scores by smaller id; at most `limit` (0: all). Words are found by their English stem
 * and without case and accents; "two words" as a phrase, wor* as a beginning, Chinese and its like anywhere. KEYWORDS_ANY: one word
 * is enough, more are better, and words like "the" do not count; KEYWORDS_ALL: all of them. At most 63 words count. A nonzero
 * return of each stops. What was changed since store_begin is found after the commit. */
akin_status store_keywords_search(struct store *store, const char *query, enum keyword_mode mode, size_t limit,
                                  int (*each)(void *ctx, const struct store_keyword_hit *hit), void *ctx, akin_error *err);
/* The word that was perhaps meant: *nearest (mem_free) is the known one at most two changes away, the more frequent of several;
 * NULL when `word` has matches, is not Latin, or nothing is near. */
akin_status store_keywords_nearest(struct store *store, const char *word, char **nearest, akin_error *err);
akin_status store_keywords_rebuild(struct store *store, akin_error *err); /* W */

/* ---- tags ---- */
/* W. Give a tag to a picture, or take it away; *changed: it was otherwise before. AKIN_ERR_NOT_FOUND, AKIN_ERR_INVALID. */
akin_status store_tag_set(struct store *store, int64_t picture_id, const char *name, bool present, bool *changed, akin_error *err);
/* In the order of their letters; the name is valid during the call. */
akin_status store_tags_of(struct store *store, int64_t picture_id, int (*each)(void *ctx, const char *name), void *ctx,
                          akin_error *err);
akin_status store_tags(struct store *store, int (*each)(void *ctx, const char *name, uint64_t pictures), void *ctx,
                       akin_error *err);

/* ---- upkeep ---- */
struct store_counts {
	uint64_t pictures; /* with a present file, or foreign */
	uint64_t files, missing, failed; /* paths that are present, missing, failed: none counts twice */
	uint64_t features; /* of model_id */
	uint64_t bytes;                                      /* of the store's files */
	unsigned schema;
};
akin_status store_count(struct store *store, int64_t model_id, struct store_counts *out, akin_error *err);
/* SQLite's own check (quick, or whole when deep), foreign keys, S2..S4, sizes of vectors; one sentence a finding. */
akin_status store_check(struct store *store, bool deep, void (*each)(void *ctx, const char *finding), void *ctx, akin_error *err);
/* Give free pages back and fold the WAL into the file. */
akin_status store_compact(struct store *store, akin_error *err);

#endif
