/* engine/sidecars.c
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "engine/sidecars.h"

#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/str.h"
#include "image/image.h"

enum { MAX_BYTES = 1 << 20 };

typedef akin_status reader(const void *bytes, size_t n, struct facts *facts, akin_error *err);

static akin_status try_one(const char *path, reader *read, struct facts *facts, bool *any, akin_error *err)
{
	struct buf bytes = BUF_EMPTY;
	struct stat info;
	akin_status st = AKIN_OK;

	if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) return AKIN_OK;
	*any = true;
	if (facts && fs_read(path, MAX_BYTES, &bytes, NULL) == AKIN_OK) st = read(bytes.data, bytes.len, facts, err);
	buf_deinit(&bytes);
	return st;
}

akin_status sidecars_read(const char *path, struct facts *facts, bool *any, akin_error *err)
{
	static const struct {
		const char *suffix;
		reader *read;
	} kinds[] = { { ".txt", image_sidecar_text }, { ".xmp", image_sidecar_xmp } };
	const char *dot = strrchr(fs_basename(path), '.');
	const size_t stem = dot ? (size_t)(dot - path) : strlen(path);
	akin_status st = AKIN_OK;
	bool unasked;

	if (!any) any = &unasked;
	*any = false;
	for (size_t i = 0; st == AKIN_OK && i < 2 * COUNT(kinds); i++) {
		/* First with the name alone, then with the whole name before it. */
		char *beside = str_printf("%.*s%s", (int)(i < COUNT(kinds) ? stem : strlen(path)), path, kinds[i % COUNT(kinds)].suffix);

		st = beside ? try_one(beside, kinds[i % COUNT(kinds)].read, facts, any, err) : error_nomem(err);
		mem_free(beside);
	}
	return st;
}
