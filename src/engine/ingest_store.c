/* engine/ingest_store.c - what a finished job changes in the store.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "engine/ingest.h"

static bool is_gone(const char *path)
{
	struct stat info;

	return lstat(path, &info) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

bool ingest_writes(const struct ingest *in, const struct job *job)
{
	if (in->params->dry_run || job->status == AKIN_ERR_CANCELLED) return false;
	return !job->unchanged || (job->known && job->known->missing);
}

static akin_status put_description(struct ingest *in, const struct job *job, akin_error *err)
{
	struct akin_library *lib = in->lib;
	struct store_label label[EMBED_MAX_LABELS];
	uint16_t *half;
	akin_status st;

	if (job->has_facts && (st = store_facts_put(lib->store, job->id, &job->facts, err)) != AKIN_OK) return st;
	if (!job->embedding.vector) return AKIN_OK;
	if (!(half = mem_alloc(lib->dim * sizeof *half))) return error_nomem(err);
	kernels_best()->f32_to_f16(job->embedding.vector, half, lib->dim);
	st = store_feature_put(lib->store, job->id, lib->model_id, STORE_F16, half, lib->dim * sizeof *half, err);
	mem_free(half);
	for (size_t i = 0; i < job->embedding.n_labels; i++)
		label[i] = (struct store_label){ job->embedding.label[i].class_index, job->embedding.label[i].probability };
	if (st == AKIN_OK)
		st = store_labels_put(lib->store, job->id, lib->model_id, label, job->embedding.n_labels, err);
	return st;
}

/* Where a known content was, if that file is no longer there: then the new path is the same file, moved. *moved and no
 * place: another content has taken its only one. */
static akin_status find_moved_from(struct ingest *in, const struct job *job, akin_id id, bool *moved, char **from,
                                   akin_error *err)
{
	struct store_file *files;
	size_t n;
	akin_status st = store_files_of(in->lib->store, id, &files, &n, err);

	*from = NULL;
	if (st != AKIN_OK) return st;
	for (size_t i = 0; i < n && !*from; i++) {
		if (!strcmp(files[i].path, job->path) || !is_gone(files[i].path)) continue;
		*from = files[i].path;
		files[i].path = NULL;
	}
	*moved = *from || !n;
	store_files_free(files, n);
	return AKIN_OK;
}

static akin_status put_known_content(struct ingest *in, struct job *job, akin_id id, akin_error *err)
{
	struct store *store = in->lib->store;
	bool known_path = job->known && !job->known->reason, same = known_path && job->known->picture_id == id;
	akin_status st = AKIN_OK;
	bool moved;

	job->id = id;
	if (same) {
		job->outcome = AKIN_FILE_UNCHANGED; /* touched, or described by another model */
	} else if (known_path) {
		job->outcome = AKIN_FILE_CHANGED;
	} else {
		if ((st = find_moved_from(in, job, id, &moved, &job->old_path, err)) != AKIN_OK) return st;
		job->outcome = moved ? AKIN_FILE_MOVED : AKIN_FILE_DUPLICATE;
	}
	if (in->params->dry_run) return AKIN_OK;
	if (job->old_path) st = store_file_move(store, job->old_path, job->path, &job->stamp, err);
	else st = store_file_put(store, job->path, id, &job->stamp, err);
	return st == AKIN_OK ? put_description(in, job, err) : st;
}

static akin_status put_new_content(struct ingest *in, struct job *job, akin_error *err)
{
	struct store_picture picture = { .info = job->info, .bytes = job->bytes, .added_at = clock_unix() };
	akin_status st;

	job->outcome = job->known && !job->known->reason ? AKIN_FILE_CHANGED : AKIN_FILE_ADDED;
	if (in->params->dry_run) return AKIN_OK;
	memcpy(picture.hash, job->hash, HASH_BYTES);
	if ((st = store_picture_put(in->lib->store, &picture, &job->id, err)) != AKIN_OK) return st;
	if ((st = store_file_put(in->lib->store, job->path, job->id, &job->stamp, err)) != AKIN_OK) return st;
	return put_description(in, job, err);
}

static akin_status apply_failure(struct ingest *in, struct job *job, akin_error *err)
{
	bool about_content = job->status == AKIN_ERR_FORMAT || job->status == AKIN_ERR_UNSUPPORTED ||
	                     job->status == AKIN_ERR_LIMIT;

	job->outcome = AKIN_FILE_FAILED;
	job->id = 0;
	if (in->params->dry_run || job->status == AKIN_ERR_CANCELLED) return AKIN_OK;
	/* A disk error or a lost permission says nothing about the picture: what is known of it stays. A folder that could not
	 * be read, or a path that does not exist, is told and not remembered. */
	if (!about_content && ((job->known && !job->known->reason) || !job->stamp.size)) return AKIN_OK;
	return store_failure_put(in->lib->store, job->path, &job->stamp, job->status,
	                         job->reason ? job->reason : "out of memory", err);
}

static akin_status apply_unchanged(struct ingest *in, struct job *job, akin_error *err)
{
	job->outcome = AKIN_FILE_UNCHANGED;
	job->id = job->known->picture_id;
	if (job->known->reason) {
		job->outcome = AKIN_FILE_FAILED;
		if (!(job->reason = mem_strdup(job->known->reason))) return error_nomem(err);
		return AKIN_OK;
	}
	if (!job->known->missing || in->params->dry_run) return AKIN_OK;
	return store_file_set_state(in->lib->store, job->path, FILE_PRESENT, err);
}

akin_status ingest_apply(struct ingest *in, struct job *job, bool *wait, akin_error *err)
{
	akin_id id = 0;
	akin_status st;

	*wait = false;
	if (job->unchanged) return apply_unchanged(in, job, err);
	if (job->status != AKIN_OK) return apply_failure(in, job, err);
	if ((st = store_picture_by_hash(in->lib->store, job->hash, &id, err)) != AKIN_OK) return st;
	if (!id && job->twin) {
		if (in->params->dry_run) job->outcome = AKIN_FILE_DUPLICATE;
		else *wait = true;
		return AKIN_OK;
	}
	st = id ? put_known_content(in, job, id, err) : put_new_content(in, job, err);
	if (st == AKIN_OK && job->known && job->known->reason && !in->params->dry_run)
		st = store_failure_remove(in->lib->store, job->path, err);
	return st;
}

/* ---- what is no longer there ---- */

static bool is_below_unread(const struct ingest *in, const char *path)
{
	for (size_t at = 0; at < in->unread.len;) {
		const char *folder = in->unread.data + at;
		size_t n = strlen(folder);

		at += n + 1;
		if (!strncmp(path, folder, n) && path[n] == '/' && !is_gone(folder)) return true;
	}
	return false;
}

static akin_status forget_or_mark(struct ingest *in, const struct known_file *known, akin_error *err)
{
	struct store *store = in->lib->store;
	akin_status st = AKIN_OK;

	if (in->params->dry_run) return AKIN_OK;
	if (known->reason) st = store_failure_remove(store, known->path, err);
	else if (in->params->prune) st = store_file_remove(store, known->path, err);
	else if (!known->missing) st = store_file_set_state(store, known->path, FILE_MISSING, err);
	/* Removed by another process while we looked: nothing to mark. */
	return st == AKIN_ERR_NOT_FOUND ? AKIN_OK : st;
}

akin_status ingest_vanished(struct ingest *in, akin_error *err)
{
	akin_status st = AKIN_OK;

	for (size_t i = 0; i < in->known.n && st == AKIN_OK; i++) {
		struct known_file *known = &in->known.file[i];
		struct store_file row = { 0 };

		if (!known->reason && !known->stamp.size && !known->stamp.mtime_ns) continue; /* an imported name */
		if (known->seen || !is_gone(known->path) || is_below_unread(in, known->path)) continue;
		/* Its entry may have gone with a move that this run has seen. */
		if (!known->reason && store_file_by_path(in->lib->store, known->path, &row, NULL) == AKIN_ERR_NOT_FOUND) continue;
		store_file_deinit(&row);
		st = forget_or_mark(in, known, err);
		known->gone = !known->reason;
	}
	return st;
}
