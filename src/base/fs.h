/* base/fs.h - files: whole reads, atomic writes, mapped views, well-known folders. Paths are bytes, not text.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_BASE_FS_H
#define AKIN_BASE_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"

/* Append a file's bytes to `out`. AKIN_ERR_LIMIT when it has more than max_bytes; AKIN_ERR_FORMAT when it is not a
 * regular file (a FIFO would block for ever). */
akin_status fs_read(const char *path, uint64_t max_bytes, struct buf *out, akin_error *err);
/* The same from an open descriptor of any kind (stdin). */
akin_status fs_read_fd(int fd, const char *name, uint64_t max_bytes, struct buf *out, akin_error *err);

/* Write a file that is either wholly the new one or wholly the old one, also after a power cut: temporary file beside it,
 * fsync, rename, fsync of the folder. begin -> any number of put -> commit; abort is allowed at any time after begin. */
struct fs_writer {
	char *path, *temporary;
	int fd;
	uint64_t written;
};
akin_status fs_writer_begin(struct fs_writer *w, const char *path, akin_error *err);
akin_status fs_writer_put(struct fs_writer *w, const void *bytes, size_t n, akin_error *err);
/* Write at an offset that was already written (to fill in a header). */
akin_status fs_writer_put_at(struct fs_writer *w, uint64_t offset, const void *bytes, size_t n, akin_error *err);
akin_status fs_writer_commit(struct fs_writer *w, akin_error *err);
void fs_writer_abort(struct fs_writer *w);
akin_status fs_write(const char *path, const void *bytes, size_t n, akin_error *err);

/* A read-only view of a whole file. An empty file maps to bytes == NULL, n == 0. */
struct fs_map {
	const uint8_t *bytes;
	size_t n;
};
akin_status fs_map_open(struct fs_map *map, const char *path, akin_error *err);
void fs_map_close(struct fs_map *map);

/* Create a folder and its parents; an existing folder is no error. */
akin_status fs_mkdirs(const char *path, akin_error *err);
akin_status fs_remove_tree(const char *path, akin_error *err);
bool fs_exists(const char *path);
bool fs_is_dir(const char *path);
uint64_t fs_size(const char *path); /* 0 when there is none */

/* Allocated; NULL when there is no memory. */
char *fs_join(const char *dir, const char *name);
/* Absolute, without "." and ".." and doubled slashes, symbolic links untouched (the last part need not exist). */
char *fs_absolute(const char *path);
char *fs_dirname(const char *path);
const char *fs_basename(const char *path);
/* XDG folders: kind is "DATA", "CACHE" or "CONFIG"; "akin" is appended. NULL when neither XDG nor HOME is set. */
char *fs_xdg(const char *kind);
/* Folder of the running program, or of the shared library that holds this code when `of_library`. */
char *fs_program_dir(bool of_library);

#endif
