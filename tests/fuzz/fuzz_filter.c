/* fuzz: filters. What is refused has a sentence and a place within the text; what is accepted is a tree within its bounds that
 * SQLite takes.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "search/filter.h"
#include "store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct store *store;
static char folder[] = "/tmp/akin-fuzz-filter-XXXXXX";

static void remove_store(void)
{
	store_close(store);
	(void)fs_remove_tree(folder, NULL);
}

static void make_store(void)
{
	char *path = mkdtemp(folder) ? fs_join(folder, "store") : NULL;

	if (!path || store_open(&store, path, STORE_CREATE, NULL) != AKIN_OK) abort();
	atexit(remove_store);
	mem_free(path);
}

static int depth_of(const struct filter *f, int at)
{
	const struct filter_node *node = &f->node[at];
	int deepest = 0;

	if (at < 0 || at >= f->n || node->text > f->n_texts || isnan(node->low) || isnan(node->high)) abort();
	for (int child = node->child; child != FILTER_NONE; child = f->node[child].next) {
		int depth = depth_of(f, child);
		if (depth > deepest) deepest = depth;
	}
	return 1 + deepest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = mem_alloc(n + 1);
	struct filter *f;
	akin_error err;
	int64_t *ids;
	size_t at, n_ids;

	if (!store) make_store();
	if (!text) return 0;
	memcpy(text, data, n);
	text[n] = '\0';
	if (filter_parse(&f, text, 1700000000, &at, &err) != AKIN_OK) {
		if (!err.text[0] || at > strlen(text) || f) abort();
	} else {
		if (depth_of(f, f->root) > 4 * FILTER_MAX_DEPTH) abort();
		if (store_filter_ids(store, f, &ids, &n_ids, &err) != AKIN_OK) abort();
		mem_free(ids);
	}
	mem_free(f);
	mem_free(text);
	return 0;
}
