/* A library under random changes of its folder, against a plain array that says what it must know.
 *
 * The twin holds, for each path, the content on disk and what the library should say of it after an index run. A sabotage step
 * changes the twin alone and demands that the comparison notices.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "test.h"

#include <stdlib.h>
#include <unistd.h>

#include "akin/akin.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/str.h"
#include "image/image.h"
#include "pictures.h"

static const char *swap_path;

enum { PATHS = 24, CONTENTS = 40, PROGRAMS = 3, STEPS = 60, GARBAGE = -2, NONE = -1 };

static struct buf content[CONTENTS];
static char content_hash[CONTENTS][65];

struct twin {
	char *path[PATHS];
	int disk[PATHS];  /* index of the content, GARBAGE or NONE */
	int known[PATHS]; /* what the library knows of the path: content, GARBAGE (a failure) or NONE */
	bool missing[PATHS];
	akin_id id[CONTENTS]; /* of contents that the library holds; 0: not */
};

static void make_contents(void)
{
	uint8_t hash[HASH_BYTES];

	for (size_t i = 0; i < CONTENTS; i++) {
		picture_make(1000 + i, &content[i]);
		hash_content(content[i].data, content[i].len, hash);
		str_hex(hash, HASH_BYTES, content_hash[i]);
	}
}

/* ---- one random change of the folder ---- */

static int random_path(const struct twin *t, struct rng *rng, bool with_file)
{
	for (int tries = 0; tries < 200; tries++) {
		int p = (int)rng_below(rng, PATHS);
		if ((t->disk[p] != NONE) == with_file) return p;
	}
	return -1;
}

static void change_folder(struct twin *t, struct rng *rng)
{
	int from = random_path(t, rng, true), to = random_path(t, rng, false), c = (int)rng_below(rng, CONTENTS);

	switch (rng_below(rng, 8)) {
	case 0:
	case 1: /* a new file, of new or known content */
		if (to < 0) return;
		picture_write(t->path[to], content[c].data, content[c].len);
		t->disk[to] = c;
		return;
	case 2: /* a file is overwritten */
		if (from < 0) return;
		picture_write(t->path[from], content[c].data, content[c].len);
		t->disk[from] = c;
		return;
	case 3: /* moved or renamed */
		if (from < 0 || to < 0) return;
		if (rename(t->path[from], t->path[to]) != 0) abort();
		t->disk[to] = t->disk[from];
		t->disk[from] = NONE;
		return;
	case 4: /* deleted */
		if (from < 0) return;
		unlink(t->path[from]);
		t->disk[from] = NONE;
		return;
	case 7: /* two files change places, as when photos are numbered anew */
		if (from < 0 || (to = random_path(t, rng, true)) == from) return;
		if (rename(t->path[from], swap_path) != 0 || rename(t->path[to], t->path[from]) != 0 ||
		    rename(swap_path, t->path[to]) != 0)
			abort();
		c = t->disk[from];
		t->disk[from] = t->disk[to];
		t->disk[to] = c;
		return;
	case 5: /* touched */
		if (from >= 0) picture_touch(t->path[from]);
		return;
	default: /* garbage under a picture's name */
		if (from < 0) return;
		picture_write(t->path[from], "\x89PNG\r\n\x1a\nnot really", 18);
		t->disk[from] = GARBAGE;
	}
}

/* ---- what an index run must make of it ---- */

/* Contents that no path shows any more are gone; ids of the others stay. */
static void forget_unshown(struct twin *t)
{
	for (int c = 0; c < CONTENTS; c++) {
		bool shown = false;
		for (int p = 0; p < PATHS; p++) shown = shown || t->known[p] == c;
		if (!shown) t->id[c] = 0;
	}
}

/* A known content whose old path is gone moves to its new path. Which of several old paths moves is the library's choice, so
 * the twin asks it. */
static void expect_index(struct twin *t, akin_library *lib, bool prune)
{
	for (int p = 0; p < PATHS; p++) {
		akin_id id;
		akin_error err;

		if (t->disk[p] != NONE) {
			t->known[p] = t->disk[p];
			t->missing[p] = false;
		} else if (t->known[p] == GARBAGE || (t->known[p] != NONE && prune)) {
			t->known[p] = NONE;
		} else if (t->known[p] != NONE && !t->missing[p]) {
			/* Moved away if its content appeared elsewhere; else marked. */
			if (akin_picture_find(lib, t->path[p], &id, &err) == AKIN_ERR_NOT_FOUND) {
				bool elsewhere = false;
				for (int q = 0; q < PATHS; q++) elsewhere = elsewhere || (q != p && t->disk[q] == t->known[p]);
				CHECK(elsewhere, "%s was forgotten\n", t->path[p]);
				t->known[p] = NONE;
			} else {
				t->missing[p] = true;
			}
		} else if (t->known[p] != NONE && akin_picture_find(lib, t->path[p], &id, &err) == AKIN_ERR_NOT_FOUND) {
			t->known[p] = NONE; /* was missing, came back elsewhere */
		}
	}
	forget_unshown(t);
}

/* ---- comparing ---- */

struct seen {
	struct twin *t;
	bool at[PATHS];
	int wrong;
};

static int compare_listed(void *user, const akin_listed *file)
{
	struct seen *s = user;

	for (int p = 0; p < PATHS; p++) {
		const char *state = s->t->known[p] == GARBAGE ? "failed" : s->t->missing[p] ? "missing" : "present";

		if (strcmp(file->path, s->t->path[p]) != 0) continue;
		s->at[p] = true;
		if (s->t->known[p] == NONE || strcmp(state, file->state) != 0) s->wrong++;
		return 0;
	}
	s->wrong++;
	return 0;
}

/* The number of differences. */
static int compare(struct twin *t, akin_library *lib)
{
	struct seen s = { .t = t };
	akin_error err;

	CHECK_OK(akin_library_list(lib, AKIN_LIST_PRESENT | AKIN_LIST_MISSING | AKIN_LIST_FAILED, NULL, compare_listed, &s, &err),
	         &err);
	for (int p = 0; p < PATHS; p++) {
		akin_picture picture;
		akin_id id = 0;
		int c = t->known[p];

		if (s.at[p] != (c != NONE)) s.wrong++;
		if (c < 0 || !s.at[p]) continue;
		if (akin_picture_find(lib, t->path[p], &id, &err) != AKIN_OK || akin_picture_get(lib, id, &picture, &err) != AKIN_OK) {
			s.wrong++;
			continue;
		}
		if (strcmp(picture.hash, content_hash[c]) != 0 || !picture.has_vector) s.wrong++;
		if (t->id[c] && t->id[c] != id) s.wrong++; /* the entry was not kept */
		t->id[c] = id;
		akin_picture_deinit(&picture);
	}
	return s.wrong;
}

static void check_search(const struct twin *t, akin_library *lib)
{
	const akin_search_params p = { .k = 3, .with_self = 1 };

	for (int i = 0; i < PATHS; i++) {
		akin_result *result;
		akin_error err;
		const akin_hit *hit;

		if (t->disk[i] < 0 || t->known[i] != t->disk[i]) continue;
		CHECK_OK(akin_search_file(lib, t->path[i], &p, &result, &err), &err);
		hit = akin_result_hit(result, 0);
		CHECK(hit && hit->distance < 1e-3 && hit->score > 0.99, "%s does not find itself\n", t->path[i]);
		akin_result_free(result);
		return; /* one a run is enough */
	}
}

static void count_finding(void *user, const char *finding)
{
	(void)user;
	/* Files change between index runs in this test; everything else is a fault. */
	if (!strstr(finding, "run `akin index` again")) {
		print_error("finding: %s\n", finding);
		fail();
	}
}

static akin_library *open_library(const char *dir)
{
	const akin_open_params open = { .flags = AKIN_OPEN_CREATE, .model = TINY_MODEL, .cache_dir = test_path("cache"), .threads = 2 };
	akin_library *lib;
	akin_error err;

	CHECK_OK(akin_library_open(&lib, dir, &open, &err), &err);
	return lib;
}

static void run_program(uint64_t seed)
{
	struct rng rng = { seed };
	struct twin t = { 0 };
	char name[64];
	const char *dir, *folder;
	akin_library *lib;
	akin_error err;

	snprintf(name, sizeof name, "lib%d.akin", (int)seed);
	dir = test_path(name);
	snprintf(name, sizeof name, "pictures%d", (int)seed);
	folder = test_path(name);
	for (int p = 0; p < PATHS; p++) {
		char *sub = str_printf("%s/%c", folder, 'a' + p % 3);
		CHECK_OK(fs_mkdirs(sub, &err), &err);
		/* Any bytes: a line break, and what is no UTF-8. */
		t.path[p] = str_printf("%s/%s%d.png", sub, p % 5 == 0 ? "new\nline\xff" : "plain", p);
		mem_free(sub);
		t.disk[p] = t.known[p] = NONE;
	}
	lib = open_library(dir);
	for (int step = 0; step < STEPS; step++) {
		akin_index_params params = { .prune = rng_below(&rng, 4) == 0 };
		int changes = (int)rng_below(&rng, 6), p;

		for (int i = 0; i < changes; i++) change_folder(&t, &rng);
		CHECK_OK(akin_library_index(lib, &folder, 1, &params, NULL, &err), &err);
		expect_index(&t, lib, params.prune);
		CHECK(compare(&t, lib) == 0, "seed %d, step %d\n", (int)seed, step);
		check_search(&t, lib);
		if (step % 20 == 7) { /* reopen: nothing lives in memory only */
			akin_library_close(lib);
			lib = open_library(dir);
			CHECK(compare(&t, lib) == 0, "seed %d, step %d, reopened\n", (int)seed, step);
			CHECK_OK(akin_library_check(lib, 1, count_finding, NULL, NULL, &err), &err);
		}
		p = random_path(&t, &rng, true);
		if (step % 10 == 3 && p >= 0) { /* sabotage: the twin lies, the comparison must notice */
			int truth = t.known[p];
			t.known[p] = truth == GARBAGE ? 0 : GARBAGE;
			CHECK(compare(&t, lib) > 0, "a lie went unnoticed\n");
			t.known[p] = truth;
			forget_unshown(&t);
		}
	}
	akin_library_close(lib);
	for (int p = 0; p < PATHS; p++) mem_free(t.path[p]);
}

TEST(the_library_knows_what_is_in_the_folder)
{
	akin_error err;

	CHECK_OK(image_init(&err), &err);
	make_contents();
	swap_path = test_path("swap");
	for (uint64_t seed = 1; seed <= PROGRAMS; seed++) run_program(seed);
	for (size_t i = 0; i < CONTENTS; i++) buf_deinit(&content[i]);
}

TEST_MAIN(cmocka_unit_test(the_library_knows_what_is_in_the_folder))
