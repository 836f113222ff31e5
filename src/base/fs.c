/* base/fs.c
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "base/fs.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "base/str.h"

akin_status fs_read_fd(int fd, const char *name, uint64_t max_bytes, struct buf *out, akin_error *err)
{
	const size_t start = out->len;

	for (;;) {
		size_t room = 64 * 1024;
		ssize_t got;
		char *to;

		if (out->capacity - out->len > room + 1) room = out->capacity - out->len - 1;
		if (!(to = buf_reserve(out, room))) return error_nomem(err);
		got = read(fd, to, room);
		if (got < 0 && errno == EINTR) continue;
		if (got < 0) return error_errno(err, errno, "cannot read %s", name);
		if (got == 0) break;
		out->len += (size_t)got;
		out->data[out->len] = '\0';
		if (out->len - start > max_bytes)
			return error_set(err, AKIN_ERR_LIMIT, "%s is larger than %llu bytes", name,
			                 (unsigned long long)max_bytes);
	}
	return AKIN_OK;
}

akin_status fs_read(const char *path, uint64_t max_bytes, struct buf *out, akin_error *err)
{
	akin_status st;
	struct stat info;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) return error_errno(err, errno, "cannot open %s", path);
	if (fstat(fd, &info) != 0) {
		st = error_errno(err, errno, "cannot look at %s", path);
	} else if (S_ISDIR(info.st_mode)) {
		st = error_set(err, AKIN_ERR_FORMAT, "%s is a folder", path);
	} else if (!S_ISREG(info.st_mode)) {
		st = error_set(err, AKIN_ERR_FORMAT, "%s is not a regular file", path);
	} else if ((uint64_t)info.st_size > max_bytes) {
		st = error_set(err, AKIN_ERR_LIMIT, "%s has %lld bytes, more than the limit of %llu", path,
		               (long long)info.st_size, (unsigned long long)max_bytes);
	} else {
		/* One byte more than the size, so that the end is seen without growing. */
		if (!buf_reserve(out, (size_t)info.st_size + 64 * 1024 + 2)) st = error_nomem(err);
		else st = fs_read_fd(fd, path, max_bytes, out, err);
	}
	close(fd);
	return st;
}

/* ---- atomic writing ---- */

static akin_status write_all(int fd, const void *bytes, size_t n, off_t offset, const char *path, akin_error *err)
{
	const char *from = bytes;

	while (n) {
		ssize_t put;

		if (fault_hit(FAULT_WRITE)) {
			errno = ENOSPC;
			put = -1;
		} else {
			put = offset < 0 ? write(fd, from, n) : pwrite(fd, from, n, offset);
		}
		if (put < 0 && errno == EINTR) continue;
		if (put < 0) return error_errno(err, errno, "cannot write %s", path);
		from += put;
		n -= (size_t)put;
		if (offset >= 0) offset += put;
	}
	return AKIN_OK;
}

akin_status fs_writer_begin(struct fs_writer *w, const char *path, akin_error *err)
{
	static atomic_uint serial; /* two threads may write the same file: the later rename wins, whole */

	*w = (struct fs_writer){ .fd = -1 };
	w->path = mem_strdup(path);
	w->temporary = str_printf("%s.tmp-%ld-%u", path, (long)getpid(), atomic_fetch_add(&serial, 1));
	if (!w->path || !w->temporary) {
		fs_writer_abort(w);
		return error_nomem(err);
	}
	w->fd = open(w->temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (w->fd < 0) {
		akin_status st = error_errno(err, errno, "cannot create %s", w->temporary);
		fs_writer_abort(w);
		return st;
	}
	return AKIN_OK;
}

akin_status fs_writer_put(struct fs_writer *w, const void *bytes, size_t n, akin_error *err)
{
	akin_status st = write_all(w->fd, bytes, n, -1, w->temporary, err);

	if (st == AKIN_OK) w->written += n;
	return st;
}

akin_status fs_writer_put_at(struct fs_writer *w, uint64_t offset, const void *bytes, size_t n, akin_error *err)
{
	return write_all(w->fd, bytes, n, (off_t)offset, w->temporary, err);
}

static akin_status sync_dir_of(const char *path, akin_error *err)
{
	akin_status st = AKIN_OK;
	char *dir = fs_dirname(path);
	int fd;

	if (!dir) return error_nomem(err);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) st = error_errno(err, errno, "cannot open %s", dir);
	/* Some file systems have no fsync for folders and say EINVAL: then rename is all there is. */
	else if (fsync(fd) != 0 && errno != EINVAL) st = error_errno(err, errno, "cannot sync %s", dir);
	if (fd >= 0) close(fd);
	mem_free(dir);
	return st;
}

akin_status fs_writer_commit(struct fs_writer *w, akin_error *err)
{
	akin_status st = AKIN_OK;

	if (fault_hit(FAULT_SYNC)) st = error_errno(err, EIO, "cannot sync %s", w->temporary);
	else if (fsync(w->fd) != 0) st = error_errno(err, errno, "cannot sync %s", w->temporary);
	if (st == AKIN_OK && fault_hit(FAULT_RENAME)) st = error_errno(err, EIO, "cannot rename %s", w->temporary);
	else if (st == AKIN_OK && rename(w->temporary, w->path) != 0)
		st = error_errno(err, errno, "cannot rename %s to %s", w->temporary, w->path);
	if (st == AKIN_OK) {
		mem_free(w->temporary);
		w->temporary = NULL; /* nothing left to remove */
		st = sync_dir_of(w->path, err);
	}
	fs_writer_abort(w);
	return st;
}

void fs_writer_abort(struct fs_writer *w)
{
	if (w->fd >= 0) close(w->fd);
	if (w->temporary) unlink(w->temporary);
	mem_free(w->temporary);
	mem_free(w->path);
	*w = (struct fs_writer){ .fd = -1 };
}

akin_status fs_write(const char *path, const void *bytes, size_t n, akin_error *err)
{
	struct fs_writer w;
	akin_status st = fs_writer_begin(&w, path, err);

	if (st != AKIN_OK) return st;
	if ((st = fs_writer_put(&w, bytes, n, err)) != AKIN_OK) {
		fs_writer_abort(&w);
		return st;
	}
	return fs_writer_commit(&w, err);
}

/* ---- views ---- */

akin_status fs_map_open(struct fs_map *map, const char *path, akin_error *err)
{
	struct stat info;
	akin_status st = AKIN_OK;
	void *at;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	*map = (struct fs_map){ 0 };
	if (fd < 0) return error_errno(err, errno, "cannot open %s", path);
	if (fstat(fd, &info) != 0) {
		st = error_errno(err, errno, "cannot look at %s", path);
	} else if (!S_ISREG(info.st_mode)) {
		st = error_set(err, AKIN_ERR_FORMAT, "%s is not a regular file", path);
	} else if (info.st_size > 0) {
		at = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
		if (at == MAP_FAILED) st = error_errno(err, errno, "cannot map %s", path);
		else *map = (struct fs_map){ at, (size_t)info.st_size };
	}
	close(fd);
	return st;
}

void fs_map_close(struct fs_map *map)
{
	if (map->bytes) munmap((void *)(uintptr_t)map->bytes, map->n);
	*map = (struct fs_map){ 0 };
}

/* ---- folders ---- */

akin_status fs_mkdirs(const char *path, akin_error *err)
{
	akin_status st = AKIN_OK;
	char *copy = mem_strdup(path);

	if (!copy) return error_nomem(err);
	for (char *p = copy + 1; st == AKIN_OK; p++) {
		char kept = *p;

		if (kept != '/' && kept != '\0') continue;
		*p = '\0';
		if (mkdir(copy, 0777) != 0 && !(errno == EEXIST && fs_is_dir(copy)))
			st = error_errno(err, errno, "cannot create folder %s", copy);
		*p = kept;
		if (kept == '\0') break;
	}
	mem_free(copy);
	return st;
}

akin_status fs_remove_tree(const char *path, akin_error *err)
{
	akin_status st = AKIN_OK;
	struct dirent *entry;
	struct stat info;
	DIR *dir;

	if (lstat(path, &info) != 0)
		return errno == ENOENT ? AKIN_OK : error_errno(err, errno, "cannot look at %s", path);
	if (!S_ISDIR(info.st_mode))
		return unlink(path) == 0 ? AKIN_OK : error_errno(err, errno, "cannot remove %s", path);
	if (!(dir = opendir(path))) return error_errno(err, errno, "cannot open folder %s", path);
	while (st == AKIN_OK && (entry = readdir(dir))) {
		char *child;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
		child = fs_join(path, entry->d_name);
		st = child ? fs_remove_tree(child, err) : error_nomem(err);
		mem_free(child);
	}
	closedir(dir);
	if (st == AKIN_OK && rmdir(path) != 0) st = error_errno(err, errno, "cannot remove %s", path);
	return st;
}

bool fs_exists(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0;
}

bool fs_is_dir(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

uint64_t fs_size(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 ? (uint64_t)info.st_size : 0;
}

/* ---- paths ---- */

char *fs_join(const char *dir, const char *name)
{
	size_t n = strlen(dir);

	return str_printf("%s%s%s", dir, n && dir[n - 1] == '/' ? "" : "/", name);
}

char *fs_absolute(const char *path)
{
	char *whole, *cwd = NULL, *out;
	size_t len = 0;

	if (path[0] == '/') {
		whole = mem_strdup(path);
	} else {
		cwd = getcwd(NULL, 0);
		whole = cwd ? fs_join(cwd, path) : NULL;
		free(cwd);
	}
	out = whole ? mem_alloc(strlen(whole) + 2) : NULL;
	if (!out) {
		mem_free(whole);
		return NULL;
	}
	for (const char *p = whole; *p;) {
		size_t part = strcspn(p, "/");

		if (part == 2 && p[0] == '.' && p[1] == '.') {
			while (len && out[--len] != '/');
		} else if (part && !(part == 1 && p[0] == '.')) {
			out[len++] = '/';
			memcpy(out + len, p, part);
			len += part;
		}
		p += part;
		while (*p == '/') p++;
	}
	if (!len) out[len++] = '/';
	out[len] = '\0';
	mem_free(whole);
	return out;
}

char *fs_dirname(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash) return mem_strdup(".");
	if (slash == path) return mem_strdup("/");
	return str_printf("%.*s", (int)(slash - path), path);
}

const char *fs_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

char *fs_xdg(const char *kind)
{
	char variable[32];
	const char *value, *home = getenv("HOME");
	const char *below = !strcmp(kind, "DATA") ? ".local/share" : !strcmp(kind, "CACHE") ? ".cache" : ".config";

	snprintf(variable, sizeof variable, "XDG_%s_HOME", kind);
	value = getenv(variable);
	/* The standard: a relative value is invalid and must be ignored. */
	if (value && value[0] == '/') return str_printf("%s/akin", value);
	return home && home[0] == '/' ? str_printf("%s/%s/akin", home, below) : NULL;
}

char *fs_program_dir(bool of_library)
{
	char path[PATH_MAX];
	Dl_info info;
	ssize_t n;

	if (of_library && dladdr((void *)(uintptr_t)&fs_program_dir, &info) && info.dli_fname) {
		char *whole = fs_absolute(info.dli_fname), *dir = whole ? fs_dirname(whole) : NULL;
		mem_free(whole);
		return dir;
	}
	n = readlink("/proc/self/exe", path, sizeof path - 1);
	if (n <= 0) return NULL;
	path[n] = '\0';
	return fs_dirname(path);
}
