/* engine/ingest.c - akin_library_index: the caller's thread, which owns the store.
 *
 * Finished jobs are stored in transactions of at most BATCH jobs or BATCH_SECONDS; a file's fate is told after the commit
 * that made it durable, so that whatever was told survives kill -9.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/str.h"
#include "engine/ingest.h"

enum { BATCH = 128, TO_READ = 256, FINISHED = 1024, MAX_JOBS = 64 };
static const double BATCH_SECONDS = 0.5, PROGRESS_SECONDS = 0.1;

struct writer {
	struct ingest *in;
	struct job *batch[BATCH]; /* stored, not yet committed */
	size_t n_batch;
	struct job **waiting;     /* twins whose content is not stored yet */
	size_t n_waiting, waiting_capacity;
	bool open;                /* a transaction is */
	double opened_at, started, told;
	akin_index_report *report;
	akin_progress progress;
	bool cancelled;
};

static int tell(struct writer *w, const struct job *job)
{
	const akin_file_event event = { .outcome = job->outcome, .path = job->path, .old_path = job->old_path,
		                        .reason = job->outcome == AKIN_FILE_FAILED ? (job->reason ? job->reason : "out of memory") : NULL,
		                        .id = job->id };
	const akin_index_params *p = w->in->params;

	w->report->count[job->outcome]++;
	w->report->bytes += job->bytes;
	w->progress.done++;
	if (!job->unchanged) w->progress.read++;
	return p->on_file ? p->on_file(p->user, &event) : 0;
}

static akin_status commit(struct writer *w, akin_error *err)
{
	akin_status st = AKIN_OK;

	if (w->open) st = store_commit(w->in->lib->store, err);
	w->open = false;
	for (size_t i = 0; i < w->n_batch; i++) {
		if (st == AKIN_OK && tell(w, w->batch[i])) w->cancelled = true;
		job_free(w->batch[i]);
	}
	w->n_batch = 0;
	return st;
}

static akin_status open_transaction(struct writer *w, akin_error *err)
{
	akin_status st;

	if (w->open) return AKIN_OK;
	if ((st = store_begin(w->in->lib->store, err)) != AKIN_OK) return st;
	w->open = true;
	w->opened_at = clock_seconds();
	return library_adopt_model(w->in->lib, err);
}

static akin_status keep_waiting(struct writer *w, struct job *job, akin_error *err)
{
	struct job **moved = mem_grow(w->waiting, &w->waiting_capacity, w->n_waiting, sizeof *moved);

	if (!moved) {
		job_free(job);
		return error_nomem(err);
	}
	w->waiting = moved;
	w->waiting[w->n_waiting++] = job;
	return AKIN_OK;
}

/* Takes the job. */
static akin_status store_job(struct writer *w, struct job *job, akin_error *err)
{
	akin_status st = AKIN_OK;
	bool wait = false;

	if (job->status == AKIN_ERR_CANCELLED) {
		job_free(job);
		return AKIN_OK;
	}
	if (ingest_writes(w->in, job)) st = open_transaction(w, err);
	if (st == AKIN_OK) st = ingest_apply(w->in, job, &wait, err);
	if (st != AKIN_OK) {
		error_note(err, st, "storing %s", job->path);
		job_free(job);
		return st;
	}
	if (wait) return keep_waiting(w, job, err);
	w->batch[w->n_batch++] = job;
	if (w->n_batch == BATCH || (w->open && clock_seconds() - w->opened_at > BATCH_SECONDS)) st = commit(w, err);
	return st;
}

/* Twins whose content has come meanwhile; at the end, those whose first copy failed fail like it. */
static akin_status store_waiting(struct writer *w, bool last, akin_error *err)
{
	size_t n = w->n_waiting;
	akin_status st = AKIN_OK;

	w->n_waiting = 0;
	for (size_t i = 0; i < n; i++) {
		struct job *job = w->waiting[i];

		if (st != AKIN_OK) {
			job_free(job);
			continue;
		}
		st = store_job(w, job, err);
		if (st == AKIN_OK && last && w->n_waiting) {
			job = w->waiting[--w->n_waiting];
			job->status = AKIN_ERR_FORMAT;
			job->reason = mem_strdup("the same bytes as another file that could not be read");
			st = store_job(w, job, err);
		}
	}
	return st;
}

/* Take the model's answer and give the slot back at once. */
static void collect(struct ingest *in, struct job *job)
{
	akin_error err;
	akin_status st;

	if (!job->slot) return;
	st = infer_slot_wait(job->slot, &err);
	if (st == AKIN_OK) st = embed_collect(&in->embedder, job->slot, &job->embedding, &err);
	queue_push(&in->free_slots, job->slot);
	job->slot = NULL;
	atomic_fetch_sub(&in->in_slots, 1);
	if (st == AKIN_OK) return;
	job->status = st;
	job->reason = mem_strdup(err.text);
}

static void show_progress(struct writer *w, bool always)
{
	const akin_index_params *p = w->in->params;
	double now = clock_seconds();

	if (!p->on_progress || (!always && now - w->told < PROGRESS_SECONDS)) return;
	w->told = now;
	w->progress.walk_finished = atomic_load(&w->in->walk_finished);
	w->progress.found = atomic_load(&w->in->made);
	w->progress.to_read = atomic_load(&w->in->wanted);
	w->progress.seconds = now - w->started;
	if (p->on_progress(p->user, &w->progress)) w->cancelled = true;
}

static bool all_idle(const struct ingest *in)
{
	return atomic_load(&in->walk_finished) && atomic_load(&in->readers) == 0 && atomic_load(&in->in_slots) == 0;
}

/* Until the walker and the readers have ended and every job has come back. */
static akin_status drain(struct writer *w, akin_error *err)
{
	struct ingest *in = w->in;
	akin_status st = AKIN_OK;

	for (;;) {
		/* Asked before the queue is looked at: what was pushed before they ended is then in it. */
		bool idle = all_idle(in);
		struct job *job = queue_pop_timed(&in->finished, PROGRESS_SECONDS / 2);

		if (!job && idle) return st;
		if (job) {
			collect(in, job);
			if (st == AKIN_OK && !w->cancelled) st = store_job(w, job, err);
			else job_free(job);
		}
		if (st == AKIN_OK && !w->cancelled && w->open && clock_seconds() - w->opened_at > BATCH_SECONDS) {
			st = commit(w, err);
			if (st == AKIN_OK) st = store_waiting(w, false, err);
		}
		show_progress(w, false);
		if (st == AKIN_OK && atomic_load(&in->model_failed)) {
			st = in->model_error.status;
			if (err) *err = in->model_error;
		}
		if ((st != AKIN_OK || w->cancelled) && !atomic_load(&in->stop)) {
			atomic_store(&in->stop, true);
			queue_close(&in->to_read);
		}
	}
}

static void tell_vanished(struct writer *w)
{
	const akin_index_params *p = w->in->params;

	for (size_t i = 0; i < w->in->known.n; i++) {
		const struct known_file *known = &w->in->known.file[i];
		const akin_file_event event = { .outcome = p->prune ? AKIN_FILE_PRUNED : AKIN_FILE_MISSING, .path = known->path,
			                        .id = known->picture_id };

		if (!known->gone) continue;
		w->report->count[event.outcome]++;
		if (p->on_file && p->on_file(p->user, &event)) w->cancelled = true;
	}
}

static akin_status finish(struct writer *w, akin_status st, akin_error *err)
{
	struct ingest *in = w->in;

	if (st == AKIN_OK && !w->cancelled) st = store_waiting(w, true, err);
	if (st == AKIN_OK) st = commit(w, err);
	if (st == AKIN_OK && in->walk_status != AKIN_OK) {
		st = in->walk_status;
		if (err) *err = in->walk_error;
	}
	if (st == AKIN_OK && !w->cancelled) {
		if (!in->params->dry_run) st = store_begin(in->lib->store, err);
		w->open = st == AKIN_OK && !in->params->dry_run;
		if (st == AKIN_OK) st = ingest_vanished(in, err);
		if (w->open && st == AKIN_OK) st = store_fileless_remove(in->lib->store, err);
		if (st == AKIN_OK) st = commit(w, err);
		if (st == AKIN_OK) tell_vanished(w);
	}
	if (w->open) store_rollback(in->lib->store);
	for (size_t i = 0; i < w->n_batch; i++) job_free(w->batch[i]);
	for (size_t i = 0; i < w->n_waiting; i++) job_free(w->waiting[i]);
	mem_free(w->waiting);
	show_progress(w, true);
	if (st == AKIN_OK && w->cancelled) st = error_set(err, AKIN_ERR_CANCELLED, "stopped");
	return st;
}

/* Start the stages, store what comes out of them, and wait for them to end. */
static akin_status run(struct writer *w, akin_error *err)
{
	struct ingest *in = w->in;
	unsigned jobs = in->params->jobs ? in->params->jobs : (in->lib->threads ? in->lib->threads : pool_cores()) + 1;
	pthread_t walker, reader[MAX_JOBS];
	unsigned n_readers = 0;
	akin_status st = AKIN_OK;
	bool walking;

	if (jobs > MAX_JOBS) jobs = MAX_JOBS;
	for (; n_readers < jobs; n_readers++) {
		atomic_fetch_add(&in->readers, 1);
		if (pthread_create(&reader[n_readers], NULL, ingest_readers, in) != 0) {
			atomic_fetch_sub(&in->readers, 1);
			break;
		}
	}
	walking = n_readers && pthread_create(&walker, NULL, ingest_walk, in) == 0;
	if (!walking) {
		st = error_set(err, AKIN_ERR_NOMEM, "no threads could be started");
		queue_close(&in->to_read);
		atomic_store(&in->walk_finished, true);
	}
	if (st == AKIN_OK) st = drain(w, err);
	else w->cancelled = true;
	if (walking) pthread_join(walker, NULL);
	while (n_readers) pthread_join(reader[--n_readers], NULL);
	return finish(w, st, err);
}

/* One process at a time indexes a library: two would describe the same pictures twice. */
static akin_status lock_indexing(struct akin_library *lib, int *fd, akin_error *err)
{
	char *path = library_path(lib, "indexing.lock"), pid[32] = "";
	akin_status st = AKIN_OK;
	ssize_t n;

	*fd = -1;
	if (!path) return error_nomem(err);
	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (*fd < 0) {
		st = error_errno(err, errno, "cannot open %s", path);
	} else if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
		n = read(*fd, pid, sizeof pid - 1);
		pid[n > 0 ? n : 0] = '\0';
		st = error_set(err, AKIN_ERR_BUSY, "another akin process%s%.*s is indexing %s; let it finish or stop it",
		               n > 0 ? " " : "", (int)strcspn(pid, "\n"), pid, lib->dir);
		close(*fd);
		*fd = -1;
	} else {
		int len = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
		/* Only for the sentence above: a failure to write it does no harm. */
		if (ftruncate(*fd, 0) != 0 || pwrite(*fd, pid, (size_t)len, 0) != len) st = AKIN_OK;
	}
	mem_free(path);
	return st;
}

static akin_status make_roots(const char *const *paths, size_t n, char ***roots, akin_error *err)
{
	if (!(*roots = mem_calloc(n, sizeof **roots))) return error_nomem(err);
	for (size_t i = 0; i < n; i++)
		if (!((*roots)[i] = fs_absolute(paths[i]))) return error_nomem(err);
	return AKIN_OK;
}

static akin_status index_roots(akin_library *lib, const char *const *roots, size_t n, const akin_index_params *params,
                               akin_index_report *report, akin_error *err)
{
	struct ingest in = { .lib = lib, .params = params, .roots = roots, .n_roots = n };
	struct writer w = { .in = &in, .report = report, .started = clock_seconds() };
	akin_status st;

	claims_init(&in.claims);
	pthread_mutex_init(&in.model_lock, NULL);
	if ((st = known_files_load(&in.known, lib->store, lib->model_id, roots, n, err)) != AKIN_OK) goto out;
	if ((st = queue_init(&in.to_read, TO_READ, err)) != AKIN_OK) goto out;
	if ((st = queue_init(&in.finished, FINISHED, err)) != AKIN_OK) goto out;
	store_fileless_keep(lib->store, true);
	st = run(&w, err);
out:
	store_fileless_keep(lib->store, false);
	ingest_close_model(&in);
	queue_deinit(&in.to_read);
	queue_deinit(&in.finished);
	known_files_deinit(&in.known);
	claims_deinit(&in.claims);
	pthread_mutex_destroy(&in.model_lock);
	buf_deinit(&in.unread);
	report->seconds = clock_seconds() - w.started;
	return st;
}

akin_status akin_library_index(akin_library *lib, const char *const *paths, size_t n_paths, const akin_index_params *params,
                               akin_index_report *report, akin_error *err)
{
	static const akin_index_params defaults;
	akin_index_report unwanted;
	akin_error save_error;
	char **roots = NULL;
	int lock = -1;
	akin_status st;

	if (!report) report = &unwanted;
	*report = (akin_index_report){ 0 };
	error_clear(err);
	if (!params) params = &defaults;
	if ((st = library_need_writable(lib, err)) != AKIN_OK) return st;
	if ((st = make_roots(paths, n_paths, &roots, err)) != AKIN_OK) goto out;
	if ((st = lock_indexing(lib, &lock, err)) != AKIN_OK) goto out;
	st = index_roots(lib, (const char *const *)roots, n_paths, params, report, err);
	/* What was stored is searchable also after a cancelled run; the file is a cache, its loss costs time only. */
	if ((st == AKIN_OK || st == AKIN_ERR_CANCELLED) && !params->dry_run) {
		akin_status saved = vectors_save(lib, st == AKIN_OK, &save_error);
		if (saved != AKIN_OK && st == AKIN_OK) {
			st = saved;
			if (err) *err = save_error;
		}
	}
out:
	if (lock >= 0) close(lock);
	for (size_t i = 0; roots && i < n_paths; i++) mem_free(roots[i]);
	mem_free(roots);
	return st;
}
