/* infer/openvino_load.c
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "infer/openvino_load.h"

#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"

static struct openvino table;
static bool loaded;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* "libopenvino_c.so" with whatever version suffix lies in `dir`; NULL when there is none. */
static void *open_in(const char *dir)
{
	struct dirent *entry;
	void *handle = NULL;
	DIR *d = dir ? opendir(dir) : NULL;

	while (d && !handle && (entry = readdir(d))) {
		char *path;

		if (!str_starts(entry->d_name, "libopenvino_c.so")) continue;
		if (!(path = fs_join(dir, entry->d_name))) break;
		handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
		if (handle) snprintf(table.where, sizeof table.where, "%s", path);
		mem_free(path);
	}
	if (d) closedir(d);
	return handle;
}

static void *open_beside(bool of_library)
{
	static const char *const below[] = { "../lib/akin/openvino", "akin/openvino", "../akin/openvino" };
	char *base = fs_program_dir(of_library);
	void *handle = NULL;

	for (size_t i = 0; base && !handle && i < COUNT(below); i++) {
		char *dir = fs_join(base, below[i]);
		handle = open_in(dir);
		mem_free(dir);
	}
	mem_free(base);
	return handle;
}

static void *open_anywhere(void)
{
	void *handle = open_in(getenv("AKIN_OPENVINO"));

	if (!handle) handle = open_beside(false);
	if (!handle) handle = open_beside(true);
	if (!handle) handle = open_in(AKIN_LIBDIR "/openvino");
	if (!handle) handle = open_in(AKIN_OPENVINO_LIBS);
	if (!handle && (handle = dlopen("libopenvino_c.so", RTLD_NOW | RTLD_LOCAL)))
		snprintf(table.where, sizeof table.where, "libopenvino_c.so of the system");
	return handle;
}

static akin_status bind(void *handle, akin_error *err)
{
	const char *missing = NULL;

#define X(name)                                                                                                        \
	{                                                                                                              \
		void *at = dlsym(handle, #name);                                                                       \
		if (!at) missing = #name;                                                                              \
		memcpy(&table.name, &at, sizeof at); /* ISO C has no cast from void * to a function */                 \
	}
	OPENVINO_FUNCTIONS(X)
#undef X
	if (missing)
		return error_set(err, AKIN_ERR_UNSUPPORTED, "%s lacks %s: OpenVINO 2026.0 or newer is needed", table.where,
		                 missing);
	return AKIN_OK;
}

akin_status openvino_load(const struct openvino **out, akin_error *err)
{
	akin_status st = AKIN_OK;
	void *handle;

	*out = NULL;
	pthread_mutex_lock(&lock);
	if (!loaded) {
		handle = open_anywhere();
		if (!handle) {
			const char *why = dlerror();
			st = error_set(err, AKIN_ERR_UNSUPPORTED,
			               "OpenVINO's C library was not found (set AKIN_OPENVINO to the folder of "
			               "libopenvino_c.so, or run scripts/setup): %s",
			               why ? why : "no such file");
		} else {
			st = bind(handle, err);
		}
		loaded = st == AKIN_OK;
	}
	pthread_mutex_unlock(&lock);
	if (st == AKIN_OK) *out = &table;
	return st;
}
