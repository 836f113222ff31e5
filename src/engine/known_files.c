/* engine/known_files.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/known_files.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "types/hit.h"

struct loader {
	struct known_files *known;
	const int64_t *lacking; /* without the feature; ascending, as the next */
	size_t n_lacking;
	const int64_t *factless;
	size_t n_factless;
	bool out_of_memory;
};

/* Inode numbers change when a disk is mounted elsewhere or restored from a backup, device numbers at every boot of some
 * systems: size and time decide, as in make, rsync and git's default. */
bool file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b)
{
	return a->size == b->size && a->mtime_ns == b->mtime_ns;
}

static size_t place_of(const struct known_files *known, const char *path)
{
	size_t mask = known->n_slots - 1, i = (size_t)hash_checksum(path, strlen(path), 0) & mask;

	while (known->slot[i] && strcmp(known->file[known->slot[i] - 1].path, path) != 0) i = (i + 1) & mask;
	return i;
}

struct known_file *known_files_find(const struct known_files *known, const char *path)
{
	size_t found = known->n_slots ? known->slot[place_of(known, path)] : 0;

	return found ? &known->file[found - 1] : NULL;
}

static bool grow_slots(struct known_files *known)
{
	size_t wanted = known->n_slots ? 2 * known->n_slots : 256;
	size_t *slots = mem_calloc(wanted, sizeof *slots);

	if (!slots) return false;
	mem_free(known->slot);
	known->slot = slots;
	known->n_slots = wanted;
	for (size_t i = 0; i < known->n; i++) known->slot[place_of(known, known->file[i].path)] = i + 1;
	return true;
}

static int add(void *ctx, const struct store_listed *file)
{
	struct loader *l = ctx;
	struct known_files *known = l->known;
	struct known_file *moved, *f;

	if (known_files_find(known, file->path)) return 0; /* below two of the roots */
	l->out_of_memory = true;
	if (2 * (known->n + 1) > known->n_slots && !grow_slots(known)) return 1;
	if (!(moved = mem_grow(known->file, &known->capacity, known->n, sizeof *moved))) return 1;
	known->file = moved;
	f = &known->file[known->n];
	*f = (struct known_file){ .path = mem_strdup(file->path), .picture_id = file->picture_id, .stamp = file->stamp,
		                  .missing = file->state == FILE_MISSING, .status = (akin_status)file->status };
	if (f->path) known->n++;
	if (!f->path || (file->reason && !(f->reason = mem_strdup(file->reason)))) return 1;
	f->lacks_feature = file->picture_id && (!l->lacking || bsearch(&file->picture_id, l->lacking, l->n_lacking,
	                                                               sizeof *l->lacking, id_order));
	f->lacks_facts = file->picture_id && l->n_factless &&
	                 bsearch(&file->picture_id, l->factless, l->n_factless, sizeof *l->factless, id_order);
	known->slot[place_of(known, f->path)] = known->n;
	l->out_of_memory = false;
	return 0;
}

akin_status known_files_load(struct known_files *known, struct store *store, int64_t model_id, const char *const *roots,
                             size_t n_roots, akin_error *err)
{
	struct loader l = { .known = known };
	static const int64_t nobody;
	int64_t *lacking = NULL, *factless = NULL;
	akin_status st;

	*known = (struct known_files){ 0 };
	if ((st = store_without_facts(store, &factless, &l.n_factless, err)) != AKIN_OK) return st;
	l.factless = factless;
	/* A model that the store has not met: every picture lacks its vector (lacking stays NULL). */
	if (model_id) st = store_without_feature(store, model_id, &lacking, &l.n_lacking, err);
	l.lacking = lacking;
	if (model_id && !lacking) l.lacking = &nobody;
	for (size_t i = 0; i < n_roots && st == AKIN_OK; i++) {
		st = store_list(store, STORE_LIST_PRESENT | STORE_LIST_MISSING | STORE_LIST_FAILED, roots[i], add, &l, err);
		if (st == AKIN_OK && l.out_of_memory) st = error_nomem(err);
	}
	mem_free(lacking);
	mem_free(factless);
	if (st != AKIN_OK) known_files_deinit(known);
	return st;
}

void known_files_deinit(struct known_files *known)
{
	for (size_t i = 0; i < known->n; i++) {
		mem_free(known->file[i].path);
		mem_free(known->file[i].reason);
	}
	mem_free(known->file);
	mem_free(known->slot);
	*known = (struct known_files){ 0 };
}
