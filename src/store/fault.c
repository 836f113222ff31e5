/* store/fault.c - SQLite's memory, writes and syncs under the control of base/fault.h. For tests: it changes SQLite for the
 * whole process, which a library must never do by itself.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <string.h>

#include "base/alloc.h"
#include "base/fault.h"

/* ---- memory: SQLite asks for the size of what it was given, so that goes before it ---- */

enum { PREFIX = 16 };

static void *put_size(char *block, int bytes)
{
	if (!block) return NULL;
	memcpy(block, &bytes, sizeof bytes);
	return block + PREFIX;
}

static void *sized_alloc(int bytes)
{
	return put_size(mem_alloc((size_t)bytes + PREFIX), bytes);
}

static void sized_free(void *p)
{
	if (p) mem_free((char *)p - PREFIX);
}

static void *sized_realloc(void *p, int bytes)
{
	return put_size(mem_realloc((char *)p - PREFIX, (size_t)bytes + PREFIX), bytes);
}

static int sized_size(void *p)
{
	int bytes = 0;

	if (p) memcpy(&bytes, (char *)p - PREFIX, sizeof bytes);
	return bytes;
}

static int sized_round(int bytes)
{
	return (bytes + 7) & ~7;
}

static int memory_init(void *unused)
{
	(void)unused;
	return SQLITE_OK;
}

static void memory_shutdown(void *unused)
{
	(void)unused;
}

/* ---- files: the system's own, but for write and sync ---- */

static sqlite3_io_methods system_io, faulty_io[2]; /* of databases (with locks and shared memory), of other files */
static sqlite3_vfs *system_vfs, faulty_vfs;

static int faulty_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at)
{
	return fault_hit(FAULT_WRITE) ? SQLITE_FULL : system_io.xWrite(file, bytes, n, at);
}

/* A sync that succeeds does nothing: thousands of runs would wait for the disk, and none of them cuts the power. */
static int faulty_sync(sqlite3_file *file, int flags)
{
	(void)file;
	(void)flags;
	return fault_hit(FAULT_SYNC) ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int faulty_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *out_flags)
{
	sqlite3_io_methods *faulty = &faulty_io[flags & SQLITE_OPEN_MAIN_DB ? 0 : 1];
	int rc = system_vfs->xOpen(vfs, name, file, flags, out_flags);

	if (rc != SQLITE_OK || !file->pMethods) return rc;
	system_io = *faulty = *file->pMethods; /* xWrite is the same in both sets */
	faulty->xWrite = faulty_write;
	faulty->xSync = faulty_sync;
	file->pMethods = faulty;
	return rc;
}

akin_status store_faults_install(akin_error *err)
{
	static const sqlite3_mem_methods memory = { sized_alloc, sized_free, sized_realloc, sized_size,
		                                    sized_round, memory_init, memory_shutdown, NULL };

	sqlite3_shutdown();
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &memory) != SQLITE_OK || sqlite3_initialize() != SQLITE_OK)
		return error_set(err, AKIN_ERR_INTERNAL, "SQLite refuses the test's memory");
	system_vfs = sqlite3_vfs_find(NULL);
	faulty_vfs = *system_vfs;
	faulty_vfs.zName = "akin-faulty";
	faulty_vfs.xOpen = faulty_open;
	if (sqlite3_vfs_register(&faulty_vfs, 1) == SQLITE_OK) return AKIN_OK;
	return error_set(err, AKIN_ERR_INTERNAL, "SQLite refuses the test's files");
}
