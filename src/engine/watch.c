/* engine/watch.c - akin_library_watch: inotify notices to calls of akin_library_index.
 *
 * A notice only says which folder to look at again; the ordinary indexing decides what changed. Notices are gathered until
 * a folder has been quiet for a moment (a copied picture is written in many pieces). When the kernel dropped notices, or
 * has no room for more watches, everything is looked at again.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "engine/engine.h"

static const double QUIET_SECONDS = 0.5, RESCAN_SECONDS = 60;
static const uint32_t EVENTS = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF |
                               IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK;

struct watcher {
	int fd;
	char **folder; /* by watch descriptor, NULL: none */
	size_t n_folders;
	char **dirty;
	size_t n_dirty, dirty_capacity;
	bool everything; /* must be looked at again */
	bool incomplete; /* some folder could not be watched */
	akin_status st;
};

static void watch_folder(void *ctx, const char *path)
{
	struct watcher *w = ctx;
	int wd = inotify_add_watch(w->fd, path, EVENTS);

	if (wd < 0) {
		if (errno != ENOENT) {
			if (!w->incomplete) log_say(LOG_WARN, "cannot watch %s: %s; looking every minute", path, strerror(errno));
			w->incomplete = true;
		}
		return;
	}
	if ((size_t)wd >= w->n_folders) {
		size_t wanted = (size_t)wd * 2 + 64;
		char **moved = mem_realloc(w->folder, wanted * sizeof *moved);

		if (!moved) {
			w->st = AKIN_ERR_NOMEM;
			return;
		}
		memset(moved + w->n_folders, 0, (wanted - w->n_folders) * sizeof *moved);
		w->folder = moved;
		w->n_folders = wanted;
	}
	mem_free(w->folder[wd]);
	if (!(w->folder[wd] = mem_strdup(path))) w->st = AKIN_ERR_NOMEM;
}

static int ignore_file(void *ctx, const struct walk_entry *e)
{
	(void)e;
	return ((struct watcher *)ctx)->st != AKIN_OK;
}

static akin_status watch_below(struct watcher *w, const char *root, const akin_index_params *params, akin_error *err)
{
	const struct walk_options options = { params->hidden != 0, params->follow_symlinks != 0 };
	const struct walk_sink sink = { .visit = ignore_file, .folder = watch_folder, .ctx = w };
	akin_status st = walk(root, &options, &sink, err);

	return st == AKIN_OK && w->st != AKIN_OK ? error_nomem(err) : st;
}

static void mark_dirty(struct watcher *w, const char *path)
{
	char **moved;

	for (size_t i = 0; i < w->n_dirty; i++)
		if (!strcmp(w->dirty[i], path)) return;
	if (!(moved = mem_grow(w->dirty, &w->dirty_capacity, w->n_dirty, sizeof *moved))) {
		w->everything = true;
		return;
	}
	w->dirty = moved;
	if ((w->dirty[w->n_dirty] = mem_strdup(path))) w->n_dirty++;
	else w->everything = true;
}

static void note(struct watcher *w, const struct inotify_event *event, const akin_index_params *params)
{
	const char *folder = event->wd >= 0 && (size_t)event->wd < w->n_folders ? w->folder[event->wd] : NULL;
	char *child;

	if (event->mask & IN_Q_OVERFLOW) {
		log_say(LOG_WARN, "the kernel dropped notices: looking at everything again");
		w->everything = true;
	}
	if (!folder || (event->mask & IN_IGNORED)) return;
	if (event->len && !params->hidden && walk_skips(event->name)) return;
	mark_dirty(w, folder);
	if (!(event->mask & IN_ISDIR) || !event->len || !(event->mask & (IN_CREATE | IN_MOVED_TO))) return;
	/* A new folder may have been filled before its watch stands: it is walked after the watch is set. */
	if ((child = fs_join(folder, event->name))) watch_below(w, child, params, NULL);
	mem_free(child);
}

static void read_notices(struct watcher *w, const akin_index_params *params)
{
	union {
		struct inotify_event event;
		char bytes[64 * 1024];
	} buffer;
	ssize_t n = read(w->fd, &buffer, sizeof buffer);

	for (ssize_t at = 0; n > 0 && at < n;) {
		/* The kernel pads names so that each event is aligned. */
		const struct inotify_event *event = (const void *)(buffer.bytes + at);

		note(w, event, params);
		at += (ssize_t)(sizeof *event + event->len);
	}
}

static void clear_dirty(struct watcher *w)
{
	for (size_t i = 0; i < w->n_dirty; i++) mem_free(w->dirty[i]);
	w->n_dirty = 0;
	w->everything = false;
}

static akin_status catch_up(struct watcher *w, akin_library *lib, const char *const *paths, size_t n_paths,
                            const akin_index_params *params, akin_error *err)
{
	akin_status st;

	if (w->everything || w->incomplete) {
		for (size_t i = 0; i < n_paths && (st = watch_below(w, paths[i], params, err)) == AKIN_OK; i++);
		st = akin_library_index(lib, paths, n_paths, params, NULL, err);
	} else {
		st = akin_library_index(lib, (const char *const *)w->dirty, w->n_dirty, params, NULL, err);
	}
	clear_dirty(w);
	return st;
}

static akin_status follow(struct watcher *w, akin_library *lib, const char *const *paths, size_t n_paths,
                          const akin_index_params *params, const volatile int *stop, akin_error *err)
{
	double last_notice = 0, last_scan = clock_seconds();
	akin_status st = AKIN_OK;

	while (st == AKIN_OK && !*stop) {
		struct pollfd ready = { .fd = w->fd, .events = POLLIN };
		double now;

		if (poll(&ready, 1, 200) > 0) {
			read_notices(w, params);
			last_notice = clock_seconds();
		}
		now = clock_seconds();
		if (w->incomplete && now - last_scan > RESCAN_SECONDS) w->everything = true;
		if ((w->n_dirty || w->everything) && now - last_notice > QUIET_SECONDS) {
			st = catch_up(w, lib, paths, n_paths, params, err);
			last_scan = clock_seconds();
		}
	}
	return st;
}

akin_status akin_library_watch(akin_library *lib, const char *const *paths, size_t n_paths, const akin_index_params *params,
                               const volatile int *stop, akin_error *err)
{
	static const akin_index_params defaults;
	static const volatile int never;
	struct watcher w = { .fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK) };
	char **roots = mem_calloc(n_paths, sizeof *roots);
	akin_status st = AKIN_OK;

	error_clear(err);
	if (!params) params = &defaults;
	if (!stop) stop = &never;
	if (w.fd < 0) st = error_errno(err, errno, "cannot watch folders");
	else if (!roots) st = error_nomem(err);
	for (size_t i = 0; st == AKIN_OK && i < n_paths; i++) {
		if (!(roots[i] = fs_absolute(paths[i]))) st = error_nomem(err);
		/* Watches first, then the first look: nothing falls between. */
		else st = watch_below(&w, roots[i], params, err);
	}
	if (st == AKIN_OK) st = akin_library_index(lib, (const char *const *)roots, n_paths, params, NULL, err);
	if (st == AKIN_OK) st = follow(&w, lib, (const char *const *)roots, n_paths, params, stop, err);
	if (w.fd >= 0) close(w.fd);
	clear_dirty(&w);
	for (size_t i = 0; i < w.n_folders; i++) mem_free(w.folder[i]);
	for (size_t i = 0; roots && i < n_paths; i++) mem_free(roots[i]);
	mem_free(w.folder);
	mem_free(w.dirty);
	mem_free(roots);
	return st;
}
