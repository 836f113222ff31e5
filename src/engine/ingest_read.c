/* engine/ingest_read.c - the walker and the readers of indexing.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "engine/ingest.h"
#include "engine/sidecars.h"

/* ---- claims ---- */

void claims_init(struct claims *claims)
{
	*claims = (struct claims){ 0 };
	pthread_mutex_init(&claims->lock, NULL);
}

void claims_deinit(struct claims *claims)
{
	pthread_mutex_destroy(&claims->lock);
	mem_free(claims->hash);
	mem_free(claims->slot);
}

static size_t claim_place(const struct claims *c, const uint8_t hash[HASH_BYTES])
{
	size_t mask = c->n_slots - 1, i;

	memcpy(&i, hash, sizeof i); /* a hash is as random as a hash gets */
	for (i &= mask; c->slot[i] && memcmp(c->hash[c->slot[i] - 1], hash, HASH_BYTES) != 0; i = (i + 1) & mask);
	return i;
}

static bool grow_claims(struct claims *c)
{
	size_t wanted = c->n_slots ? 2 * c->n_slots : 256, *slots = mem_calloc(wanted, sizeof *slots);

	if (!slots) return false;
	mem_free(c->slot);
	c->slot = slots;
	c->n_slots = wanted;
	for (size_t i = 0; i < c->n; i++) c->slot[claim_place(c, c->hash[i])] = i + 1;
	return true;
}

akin_status claims_take(struct claims *c, const uint8_t hash[HASH_BYTES], bool *first)
{
	akin_status st = AKIN_OK;
	void *moved;
	size_t at;

	*first = false;
	pthread_mutex_lock(&c->lock);
	if (2 * (c->n + 1) > c->n_slots && !grow_claims(c)) st = AKIN_ERR_NOMEM;
	else if (!(moved = mem_grow(c->hash, &c->capacity, c->n, sizeof *c->hash))) st = AKIN_ERR_NOMEM;
	else {
		c->hash = moved;
		at = claim_place(c, hash);
		if (!c->slot[at]) {
			memcpy(c->hash[c->n++], hash, HASH_BYTES);
			c->slot[at] = c->n;
			*first = true;
		}
	}
	pthread_mutex_unlock(&c->lock);
	return st;
}

/* ---- jobs ---- */

void job_free(struct job *job)
{
	if (!job) return;
	embedding_deinit(&job->embedding);
	facts_deinit(&job->facts);
	mem_free(job->reason);
	mem_free(job->old_path);
	mem_free(job->path);
	mem_free(job);
}

static void fail(struct job *job, akin_status st, const char *reason)
{
	job->status = st;
	mem_free(job->reason);
	job->reason = mem_strdup(reason);
}

/* ---- the walker ---- */

/* The reason of a failure that would come again the same way: bytes that are no picture do not become one. What depends on
 * the machine (permissions, memory, a disk that is away) is tried every time. */
static bool fails_again(const struct known_file *known)
{
	return known->reason && (known->status == AKIN_ERR_FORMAT || known->status == AKIN_ERR_LIMIT ||
	                         known->status == AKIN_ERR_UNSUPPORTED);
}

static bool must_read(const struct ingest *in, const struct known_file *known, const struct walk_entry *e)
{
	if (!known || !file_stamp_equal(&known->stamp, &e->stamp)) return true;
	if (known->reason) return in->params->retry_failed || !fails_again(known);
	return known->lacks_feature || known->lacks_facts;
}

static int visit(void *ctx, const struct walk_entry *e)
{
	struct ingest *in = ctx;
	struct known_file *known = known_files_find(&in->known, e->path);
	struct job *job;

	if (atomic_load(&in->stop)) return 1;
	if (known && known->seen) return 0; /* below two of the given paths */
	job = mem_zalloc(sizeof *job);
	if (!job || !(job->path = mem_strdup(e->path))) {
		job_free(job);
		in->walk_status = error_nomem(&in->walk_error);
		return 1;
	}
	job->ingest = in;
	job->known = known;
	job->stamp = e->stamp;
	job->unchanged = !must_read(in, known, e);
	if (known) known->seen = true;
	atomic_fetch_add(&in->made, 1);
	if (!job->unchanged) atomic_fetch_add(&in->wanted, 1);
	if (!queue_push(job->unchanged ? &in->finished : &in->to_read, job)) {
		job_free(job);
		return 1;
	}
	return 0;
}

static bool knows_below(const struct known_files *known, const char *path)
{
	size_t n = strlen(path);

	for (size_t i = 0; i < known->n; i++)
		if (!strncmp(known->file[i].path, path, n) && (known->file[i].path[n] == '/' || !known->file[i].path[n])) return true;
	return false;
}

/* A file or folder that the walk could not look at. Nothing below it counts as vanished, unless it is gone itself: then
 * that is no trouble either, but what becomes of its pictures is told. */
static void trouble(void *ctx, const char *path, akin_status st, const char *reason)
{
	struct ingest *in = ctx;
	struct job *job;

	if (st == AKIN_ERR_NOT_FOUND && knows_below(&in->known, path)) return;
	job = mem_zalloc(sizeof *job);
	buf_add(&in->unread, path, strlen(path) + 1);
	if (!job || !(job->path = mem_strdup(path))) {
		job_free(job);
		return;
	}
	job->ingest = in;
	fail(job, st, reason);
	atomic_fetch_add(&in->made, 1);
	atomic_fetch_add(&in->wanted, 1);
	if (!queue_push(&in->finished, job)) job_free(job);
}

void *ingest_walk(void *arg)
{
	struct ingest *in = arg;
	const struct walk_options options = { in->params->hidden != 0, in->params->follow_symlinks != 0 };
	const struct walk_sink sink = { .visit = visit, .trouble = trouble, .ctx = in };

	for (size_t i = 0; i < in->n_roots && in->walk_status == AKIN_OK && !atomic_load(&in->stop); i++) {
		akin_error err;
		akin_status st = walk(in->roots[i], &options, &sink, &err);

		if (st != AKIN_OK && in->walk_status == AKIN_OK) {
			in->walk_status = st;
			in->walk_error = err;
		}
	}
	queue_close(&in->to_read);
	atomic_store(&in->walk_finished, true);
	return NULL;
}

/* ---- readers ---- */

/* The model is loaded by the first reader that needs it: indexing again where nothing changed never does. */
static akin_status open_model(struct ingest *in)
{
	struct akin_library *lib = in->lib;
	akin_error *err = &in->model_error;
	akin_status st;
	size_t wanted;

	pthread_mutex_lock(&in->model_lock);
	st = in->model_status;
	if (st != AKIN_OK || in->slots) goto out;
	if ((st = library_need_card(lib, err)) != AKIN_OK || (st = image_init(err)) != AKIN_OK) goto out;
	st = embedder_open(&in->embedder, &lib->card, INFER_THROUGHPUT, lib->threads, lib->cache_dir, err);
	if (st != AKIN_OK) goto out;
	wanted = infer_best_slots(in->embedder.session);
	if (!(in->slots = mem_calloc(wanted, sizeof *in->slots))) st = error_nomem(err);
	if (st == AKIN_OK) st = queue_init(&in->free_slots, wanted, err);
	while (st == AKIN_OK && in->n_slots < wanted) {
		st = infer_slot_create(&in->slots[in->n_slots], in->embedder.session, err);
		if (st == AKIN_OK) queue_push(&in->free_slots, in->slots[in->n_slots++]);
	}
out:
	in->model_status = st;
	if (st != AKIN_OK) {
		err->status = st;
		atomic_store(&in->model_failed, true);
	}
	pthread_mutex_unlock(&in->model_lock);
	return st;
}

void ingest_close_model(struct ingest *in)
{
	for (size_t i = 0; i < in->n_slots; i++) infer_slot_destroy(in->slots[i]);
	mem_free(in->slots);
	queue_deinit(&in->free_slots);
	embedder_close(&in->embedder);
}

static void slot_done(void *ctx)
{
	struct job *job = ctx;

	queue_push(&job->ingest->finished, job);
}

/* Decode into the reader's own tensor, then take a slot: a slow picture does not keep a slot waiting. Returns true when the
 * slot's completion will hand the job over. */
static bool describe(struct ingest *in, struct job *job, const struct buf *bytes, uint8_t *tensor)
{
	const struct image_recipe *recipe = &in->lib->card.recipe;
	akin_error err;
	akin_status st = image_describe(bytes->data, bytes->len, recipe, &in->lib->limits, tensor, &job->info, &job->facts, &err);

	job->has_facts = st == AKIN_OK;
	if (st == AKIN_OK) st = sidecars_read(job->path, &job->facts, NULL, &err);
	if (st != AKIN_OK) {
		fail(job, st, err.text);
		return false;
	}
	if (!(job->slot = queue_pop(&in->free_slots))) {
		fail(job, AKIN_ERR_CANCELLED, "stopped");
		return false;
	}
	atomic_fetch_add(&in->in_slots, 1);
	memcpy(infer_slot_input(job->slot), tensor, (size_t)recipe->width * recipe->height * 3);
	if ((st = infer_slot_start(job->slot, slot_done, job, &err)) == AKIN_OK) return true;
	queue_push(&in->free_slots, job->slot);
	job->slot = NULL;
	atomic_fetch_sub(&in->in_slots, 1);
	fail(job, st, err.text);
	return false;
}

static bool needs_description(struct ingest *in, struct job *job, akin_error *err)
{
	akin_id id = 0;
	bool first;

	job->status = store_picture_by_hash(in->lib->store, job->hash, &id, err);
	if (job->status != AKIN_OK) return false;
	if (id && !(job->known && job->known->lacks_feature)) return false;
	if ((job->status = claims_take(&in->claims, job->hash, &first)) != AKIN_OK) {
		error_nomem(err);
		return false;
	}
	job->twin = !first;
	return first;
}

/* A content that is described already: its header is read when nobody did so yet, when its file was touched (perhaps because
 * of what lies beside it), or when another file of it has a sidecar. */
static akin_status refresh_facts(struct ingest *in, struct job *job, const struct buf *bytes, akin_error *err)
{
	bool known_path = job->known && !job->known->reason, sidecar = false;
	akin_status st = AKIN_OK;

	if (!known_path && (st = sidecars_read(job->path, NULL, &sidecar, err)) != AKIN_OK) return st;
	if (!known_path && !sidecar) return AKIN_OK;
	st = image_facts(bytes->data, bytes->len, &in->lib->limits, &job->info, &job->facts, err);
	/* It was a picture once; a codec that is no longer there must not turn it into a failure, nor be asked every time. */
	job->has_facts = st == AKIN_OK || (st != AKIN_ERR_NOMEM && job->known && job->known->lacks_facts);
	if (st != AKIN_OK) return st == AKIN_ERR_NOMEM ? st : AKIN_OK;
	return sidecars_read(job->path, &job->facts, NULL, err);
}

/* Returns true when the job is on its way through a slot. */
static bool read_job(struct ingest *in, struct job *job, struct buf *bytes, uint8_t **tensor)
{
	const struct image_recipe *recipe = &in->lib->card.recipe;
	akin_error err;
	bool wanted;

	buf_clear(bytes);
	error_clear(&err);
	job->status = fs_read(job->path, in->lib->limits.max_bytes, bytes, &err);
	if (job->status != AKIN_OK) goto failed;
	job->bytes = bytes->len;
	hash_content(bytes->data, bytes->len, job->hash);
	wanted = needs_description(in, job, &err);
	if (job->status != AKIN_OK) goto failed;
	if (in->params->dry_run) return false;
	if (!wanted && !job->twin) job->status = refresh_facts(in, job, bytes, &err);
	if (job->status != AKIN_OK) goto failed;
	if (!wanted) return false;
	if ((job->status = open_model(in)) != AKIN_OK) {
		err = in->model_error;
		goto failed;
	}
	if (!*tensor && !(*tensor = mem_alloc((size_t)recipe->width * recipe->height * 3))) {
		job->status = error_nomem(&err);
		goto failed;
	}
	return describe(in, job, bytes, *tensor);
failed:
	fail(job, job->status, err.text);
	return false;
}

void *ingest_readers(void *arg)
{
	struct ingest *in = arg;
	struct buf bytes = BUF_EMPTY;
	uint8_t *tensor = NULL;
	struct job *job;

	while ((job = queue_pop(&in->to_read))) {
		if (atomic_load(&in->stop)) fail(job, AKIN_ERR_CANCELLED, "stopped");
		else if (read_job(in, job, &bytes, &tensor)) continue;
		if (!queue_push(&in->finished, job)) job_free(job);
		/* One large file must not keep its room for the rest of the run. */
		if (bytes.capacity > (32 << 20)) buf_deinit(&bytes);
	}
	buf_deinit(&bytes);
	mem_free(tensor);
	atomic_fetch_sub(&in->readers, 1);
	return NULL;
}
