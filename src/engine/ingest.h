/* engine/ingest.h - what the stages of indexing share.
 *
 *   walker (1 thread)   ->  to_read  ->  readers (jobs threads)  ->  slots  ->  finished  ->  the caller's thread
 *   folders, stamps         queue        bytes, hash, pixels         model      queue         store, callbacks
 *
 * A job travels along this way and has one owner at a time. The walker hands unchanged files straight to `finished`; a
 * reader hands a failure or a known content there too. A new picture goes through a slot, whose completion hands it over. Every
 * queue is bounded, so memory is; only the caller's thread writes, and it never waits for a queue that others fill.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_ENGINE_INGEST_H
#define AKIN_ENGINE_INGEST_H

#include <stdatomic.h>

#include "base/pool.h"
#include "engine/engine.h"
#include "engine/known_files.h"

struct ingest;

struct job {
	struct ingest *ingest;
	char *path;
	struct file_stamp stamp;
	struct known_file *known;  /* NULL: the store did not know the path */
	bool unchanged;            /* nothing was read */
	bool twin;                 /* another job of this run has the same content and describes it */

	/* set by a reader */
	akin_status status;
	char *reason;              /* of a failure */
	uint8_t hash[HASH_BYTES];
	uint64_t bytes;
	struct picture_info info;
	struct infer_slot *slot;   /* in which it runs or ran */
	struct embedding embedding; /* vector NULL: not described */
	bool has_facts;
	struct facts facts;

	/* set when it is stored, for the event that is told after the commit */
	akin_outcome outcome;
	char *old_path;
	akin_id id;
};

/* Contents being described in this run, so that copies of a picture are described once. */
struct claims {
	pthread_mutex_t lock;
	uint8_t (*hash)[HASH_BYTES];
	size_t n, capacity;
	size_t *slot; /* position + 1 */
	size_t n_slots;
};
/* True for the first to claim a content. */
akin_status claims_take(struct claims *claims, const uint8_t hash[HASH_BYTES], bool *first);
void claims_init(struct claims *claims);
void claims_deinit(struct claims *claims);

struct ingest {
	struct akin_library *lib;
	const akin_index_params *params;
	const char *const *roots; /* absolute */
	size_t n_roots;
	struct known_files known;
	struct claims claims;

	struct queue to_read, finished, free_slots;
	pthread_mutex_t model_lock;
	struct embedder embedder;
	struct infer_slot **slots;
	size_t n_slots;
	akin_status model_status; /* AKIN_OK also before it was tried; under model_lock */
	akin_error model_error;   /* written before model_failed is set */
	atomic_bool model_failed;
	atomic_size_t in_slots;   /* jobs that hold a slot */

	atomic_bool stop;            /* set by the caller's thread only */
	atomic_bool walk_finished;
	atomic_int readers;          /* still running */
	atomic_size_t made;          /* jobs handed on by the walker */
	atomic_size_t wanted;        /* of these, to be read */
	struct buf unread;           /* folders that could not be read, each ended by a 0; the walker's until it has finished */
	akin_status walk_status;
	akin_error walk_error;
};

/* ---- ingest_read.c: walker and readers ---- */
void *ingest_walk(void *ingest);
void *ingest_readers(void *ingest);
void job_free(struct job *job);
void ingest_close_model(struct ingest *in);

/* ---- ingest_store.c: one job into the store ---- */
/* Inside a write transaction, except for a dry run. Sets outcome, id and old_path. *wait: a twin whose content is not there yet. */
akin_status ingest_apply(struct ingest *in, struct job *job, bool *wait, akin_error *err);
/* Whether a finished job writes anything. */
bool ingest_writes(const struct ingest *in, const struct job *job);
/* The known files that the walk did not meet and that are gone: mark or prune them; their `gone` says which they were. */
akin_status ingest_vanished(struct ingest *in, akin_error *err);

#endif
