/* engine/walk.c - folders to picture files.
 * A folder is entered once, known by device and inode, so that loops of symbolic links and bind mounts end.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "engine/engine.h"

struct folder_id {
	uint64_t device, inode;
};

struct walker {
	const struct walk_options *options;
	const struct walk_sink *sink;
	struct folder_id *entered; /* open addressing; inode 0 is free */
	size_t capacity, count;
	bool stopped;
	akin_error *err;
};

bool walk_skips(const char *name)
{
	return name[0] == '.' || !strcmp(name, "@eaDir") || !strcmp(name, "#recycle") || !strcmp(name, "lost+found");
}

struct file_stamp stamp_of(const struct stat *info)
{
	return (struct file_stamp){ .size = (uint64_t)info->st_size,
		                    .mtime_ns = (int64_t)info->st_mtim.tv_sec * 1000000000 + info->st_mtim.tv_nsec,
		                    .inode = (uint64_t)info->st_ino, .device = (uint64_t)info->st_dev };
}

static size_t place_of(const struct folder_id *table, size_t capacity, struct folder_id id)
{
	size_t i = (size_t)((id.inode * UINT64_C(0x9e3779b97f4a7c15)) ^ id.device) & (capacity - 1);

	while (table[i].inode && (table[i].inode != id.inode || table[i].device != id.device)) i = (i + 1) & (capacity - 1);
	return i;
}

/* AKIN_ERR_EXISTS when the folder was entered before. */
static akin_status enter_once(struct walker *w, const struct stat *info)
{
	struct folder_id id = { (uint64_t)info->st_dev, (uint64_t)info->st_ino };
	size_t at;

	if (2 * (w->count + 1) > w->capacity) {
		size_t wanted = w->capacity ? 2 * w->capacity : 64;
		struct folder_id *bigger = mem_calloc(wanted, sizeof *bigger);

		if (!bigger) return error_nomem(w->err);
		for (size_t i = 0; i < w->capacity; i++)
			if (w->entered[i].inode) bigger[place_of(bigger, wanted, w->entered[i])] = w->entered[i];
		mem_free(w->entered);
		w->entered = bigger;
		w->capacity = wanted;
	}
	at = place_of(w->entered, w->capacity, id);
	if (w->entered[at].inode) return AKIN_ERR_EXISTS;
	w->entered[at] = id;
	w->count++;
	return AKIN_OK;
}

static void report_errno(struct walker *w, const char *path, int error)
{
	akin_error err;
	akin_status st = error_errno(&err, error, "cannot read");

	if (w->sink->trouble) w->sink->trouble(w->sink->ctx, path, st, err.text);
}

static void visit_file(struct walker *w, const char *path, const struct stat *info, bool named)
{
	const struct walk_entry entry = { path, stamp_of(info), named };

	if (w->sink->visit(w->sink->ctx, &entry)) w->stopped = true;
}

static akin_status walk_folder(struct walker *w, const char *path);

static akin_status walk_child(struct walker *w, const char *path, const char *name)
{
	struct stat info;

	if (lstat(path, &info) != 0) {
		if (errno != ENOENT) report_errno(w, path, errno);
		return AKIN_OK; /* gone between readdir and here */
	}
	if (S_ISLNK(info.st_mode)) {
		if (stat(path, &info) != 0) return AKIN_OK; /* dangling */
		if (S_ISDIR(info.st_mode) && !w->options->follow_symlinks) return AKIN_OK;
	}
	if (S_ISDIR(info.st_mode)) {
		akin_status st = enter_once(w, &info);
		return st == AKIN_ERR_EXISTS ? AKIN_OK : st != AKIN_OK ? st : walk_folder(w, path);
	}
	if (S_ISREG(info.st_mode) && image_name_fits(name)) visit_file(w, path, &info, false);
	return AKIN_OK;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_names(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++) mem_free(names[i]);
	mem_free(names);
}

/* The names are read before any is visited: an open folder for each level would run out of descriptors in deep trees. */
static akin_status read_names(struct walker *w, const char *path, char ***out, size_t *n)
{
	size_t capacity = 0;
	struct dirent *entry;
	DIR *dir = opendir(path);

	*out = NULL;
	*n = 0;
	if (!dir) {
		report_errno(w, path, errno);
		return AKIN_OK;
	}
	while (errno = 0, (entry = readdir(dir))) {
		const char *name = entry->d_name;
		char **moved;

		if (!strcmp(name, ".") || !strcmp(name, "..") || (!w->options->hidden && walk_skips(name))) continue;
		moved = mem_grow(*out, &capacity, *n, sizeof **out);
		if (moved) *out = moved;
		if (!moved || !((*out)[*n] = mem_strdup(name))) {
			closedir(dir);
			free_names(*out, *n);
			*out = NULL;
			*n = 0;
			return error_nomem(w->err);
		}
		++*n;
	}
	if (errno) report_errno(w, path, errno);
	closedir(dir);
	if (*n) qsort(*out, *n, sizeof **out, by_name);
	return AKIN_OK;
}

static akin_status walk_folder(struct walker *w, const char *path)
{
	char **names;
	size_t n;
	akin_status st;

	if (w->sink->folder) w->sink->folder(w->sink->ctx, path);
	st = read_names(w, path, &names, &n);
	for (size_t i = 0; i < n && st == AKIN_OK && !w->stopped; i++) {
		char *child = fs_join(path, names[i]);
		st = child ? walk_child(w, child, names[i]) : error_nomem(w->err);
		mem_free(child);
	}
	free_names(names, n);
	return st;
}

akin_status walk(const char *root, const struct walk_options *options, const struct walk_sink *sink, akin_error *err)
{
	struct walker w = { .options = options, .sink = sink, .err = err };
	akin_status st = AKIN_OK;
	struct stat info;

	if (stat(root, &info) != 0) {
		report_errno(&w, root, errno);
	} else if (S_ISDIR(info.st_mode)) {
		if ((st = enter_once(&w, &info)) == AKIN_OK) st = walk_folder(&w, root);
	} else if (S_ISREG(info.st_mode)) {
		visit_file(&w, root, &info, true);
	} else if (sink->trouble) {
		sink->trouble(sink->ctx, root, AKIN_ERR_FORMAT, "not a regular file");
	}
	mem_free(w.entered);
	return st;
}
