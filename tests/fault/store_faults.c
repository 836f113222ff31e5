/* store/: out of memory, out of space and failing fsync at every place: all or nothing, and the next one works.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "search/filter.h"
#include "store/internal.h"

static const float vector[3] = { 1, 2, 3 };
static const struct file_stamp stamp = { 1, 2, 3, 4 };
static char path[128];

static void no_finding(void *ctx, const char *finding)
{
	(void)ctx;
	CHECK(false, "%s\n", finding);
}

static int ignore_feature(void *ctx, const struct store_feature *feature)
{
	(void)ctx;
	(void)feature;
	return 0;
}

static int ignore_keyword(void *ctx, const struct store_keyword_hit *hit)
{
	(void)ctx;
	(void)hit;
	return 0;
}

static int ignore_file(void *ctx, const struct store_listed *file)
{
	(void)ctx;
	(void)file;
	return 0;
}

/* One of everything. Replaces /a, so that the first picture goes with its vector. */
static akin_status write_some(struct store *s, uint32_t tag, akin_error *err)
{
	const struct store_label label = { 0, 0.5f };
	static const char *const names[] = { "cat\tmao" };
	static const uint8_t model_hash[HASH_BYTES];
	struct store_picture picture = { .info = { 1, 1, "png" } };
	const struct facts facts = { .has_taken = true, .text = { [FACT_TITLE] = (char *)(uintptr_t) "a title" } };
	int64_t model, id;
	bool changed;
	akin_status st;

	memcpy(picture.hash, &tag, sizeof tag);
	if ((st = store_begin(s, err)) != AKIN_OK) return st;
	if ((st = store_model_ensure(s, "m", model_hash, 3, METRIC_L2, &model, err)) != AKIN_OK ||
	    (st = store_classes_put(s, model, names, 1, err)) != AKIN_OK ||
	    (st = store_picture_put(s, &picture, &id, err)) != AKIN_OK ||
	    (st = store_file_put(s, "/a", id, &stamp, err)) != AKIN_OK ||
	    (st = store_file_put(s, "/b", id, &stamp, err)) != AKIN_OK ||
	    (st = store_file_move(s, "/b", "/c", &stamp, err)) != AKIN_OK ||
	    (st = store_feature_put(s, id, model, STORE_F32, vector, sizeof vector, err)) != AKIN_OK ||
	    (st = store_labels_put(s, id, model, &label, 1, err)) != AKIN_OK ||
	    (st = store_facts_put(s, id, &facts, err)) != AKIN_OK ||
	    (st = store_tag_set(s, id, "tag", true, &changed, err)) != AKIN_OK ||
	    (st = store_failure_put(s, "/d", &stamp, AKIN_ERR_FORMAT, "broken", err)) != AKIN_OK ||
	    (st = store_setting_put(s, "name", "value", err)) != AKIN_OK) {
		store_rollback(s);
		return st;
	}
	return store_commit(s, err);
}

static akin_status read_some(struct store *s, akin_error *err)
{
	struct store_counts counts;
	struct store_model *models = NULL;
	struct store_file *files = NULL;
	struct facts facts = { 0 };
	struct filter *filter = NULL;
	char *value = NULL;
	int64_t *ids = NULL;
	size_t n, n_models = 0, n_files = 0;
	akin_status st;

	if ((st = store_read_begin(s, err)) != AKIN_OK) return st;
	if ((st = store_count(s, 1, &counts, err)) != AKIN_OK) goto out;
	if ((st = store_models(s, &models, &n_models, err)) != AKIN_OK) goto out;
	if ((st = store_features(s, 1, 0, ignore_feature, NULL, err)) != AKIN_OK) goto out;
	if ((st = store_list(s, 7, "/", ignore_file, NULL, err)) != AKIN_OK) goto out;
	if ((st = store_picture_ids(s, NULL, &ids, &n, err)) != AKIN_OK) goto out;
	if ((st = store_files_of(s, ids[0], &files, &n_files, err)) != AKIN_OK) goto out;
	if ((st = store_setting_get(s, "name", &value, err)) != AKIN_OK) goto out;
	if ((st = store_facts_get(s, ids[0], &facts, err)) != AKIN_OK) goto out;
	if ((st = store_keywords_search(s, "titles", KEYWORDS_ANY, 0, ignore_keyword, NULL, err)) != AKIN_OK) goto out;
	if ((st = filter_parse(&filter, "has:title label:cat>0.1 name:a", 0, NULL, err)) != AKIN_OK) goto out;
	mem_free(ids);
	if ((st = store_filter_ids(s, filter, &ids, &n, err)) != AKIN_OK) goto out;
out:
	store_read_end(s);
	store_models_free(models, n_models);
	store_files_free(files, n_files);
	facts_deinit(&facts);
	mem_free(filter);
	mem_free(ids);
	mem_free(value);
	return st;
}

static uint64_t generation_of(struct store *s)
{
	static unsigned looks;
	akin_error err;
	uint64_t generation;

	/* The check takes longer than all the rest of a run. */
	if (looks++ % 8 == 0) CHECK_OK(store_check(s, true, no_finding, NULL, &err), &err);
	CHECK_OK(store_generation(s, &generation, &err), &err);
	return generation;
}

static void check_said(akin_status st, const akin_error *err)
{
	CHECK(st == AKIN_OK || err->text[0], "no sentence for %s\n", akin_status_name(st));
	CHECK(st == AKIN_OK || st == AKIN_ERR_NOMEM || st == AKIN_ERR_IO, "%s\n", err->text);
}

struct life {
	uint64_t generation;
	uint32_t tag;
	bool compacts;
	struct store *witness; /* looks on, which also saves making and folding the WAL in each of thousands of runs */
};

/* Open, write, read, compact, close, with the fault somewhere; then, without, a look at what is there. */
static akin_status live(void *ctx)
{
	struct life *life = ctx;
	struct store *s = NULL;
	bool wrote = false;
	akin_error err = { 0 };
	akin_status st;

	if ((st = store_open(&s, path, STORE_WRITE, &err)) == AKIN_OK) {
		st = write_some(s, ++life->tag, &err);
		wrote = st == AKIN_OK;
		if (st == AKIN_OK) st = read_some(s, &err);
		if (st == AKIN_OK && life->compacts) st = store_compact(s, &err);
		check_said(st, &err);
		fault_disarm(); /* what was met stays met */
		CHECK(generation_of(s) == life->generation + (wrote ? 2 : 0), "wrote %d: %s\n", wrote, err.text);
	}
	check_said(st, &err);
	store_close(s);
	fault_disarm();
	if (life->witness) s = life->witness;
	else CHECK_OK(store_open(&s, path, STORE_WRITE, &err), &err);
	CHECK(generation_of(s) == life->generation + (wrote ? 2 : 0), "after closing\n");
	life->generation = generation_of(s);
	if (s != life->witness) store_close(s);
	return st;
}

/* The store that all runs of a loop share, with one write done. */
static void found(struct life *life, const char *name)
{
	struct store *s;
	akin_error err;

	snprintf(path, sizeof path, "%s", test_path(name));
	CHECK_OK(store_open(&s, path, STORE_CREATE, &err), &err);
	CHECK_OK(write_some(s, ++life->tag, &err), &err);
	life->generation = generation_of(s);
	store_close(s);
}

TEST(a_store_survives_every_failing_allocation)
{
	struct life life = { 0 };

	akin_error err;

	found(&life, "alloc");
	CHECK_OK(store_open(&life.witness, path, STORE_READ, &err), &err);
	fault_loop_sampled(FAULT_ALLOC, 20000, live, &life);
	store_close(life.witness);
}

TEST(a_store_survives_every_failing_write_and_sync)
{
	struct life life = { .compacts = true };

	found(&life, "disk");
	fault_loop(FAULT_WRITE, 2000, live, &life);
	fault_loop(FAULT_SYNC, 2000, live, &life);
	fault_loop(FAULT_WRITE | FAULT_SYNC, 2000, live, &life);
}

/* A process that dies after its COMMIT failed at an fsync: the change was called failed, so it must not come back. */
TEST(a_failed_commit_does_not_come_back_after_a_crash)
{
	struct life life = { 0 };
	int failed = 0;

	found(&life, "crash");
	for (long nth = 1; nth <= 4; nth++) {
		for (int persistent = 0; persistent < 2; persistent++) {
			struct store *s;
			akin_error err;
			int how;
			pid_t child = fork();

			if (!child) {
				if (store_open(&s, path, STORE_WRITE, &err) != AKIN_OK) _exit(9);
				fault_arm(FAULT_SYNC, nth, persistent);
				_exit(write_some(s, ++life.tag, &err) == AKIN_OK ? 0 : 1);
			}
			CHECK(waitpid(child, &how, 0) == child && WIFEXITED(how), "nth %ld\n", nth);
			CHECK(WEXITSTATUS(how) < 2, "nth %ld\n", nth);
			life.tag++;
			if (WEXITSTATUS(how) == 0) life.generation += 2;
			CHECK_OK(store_open(&s, path, STORE_WRITE, &err), &err);
			CHECK(generation_of(s) == life.generation, "nth %ld persistent %d\n", nth, persistent);
			store_close(s);
			failed += WEXITSTATUS(how);
		}
	}
	CHECK(failed >= 3, "only %d commits failed\n", failed);
}

static akin_status create(void *ctx)
{
	char beside[160];
	struct store *s = NULL;
	akin_error err = { 0 };
	akin_status st;

	(void)ctx;
	unlink(path);
	snprintf(beside, sizeof beside, "%s-wal", path);
	unlink(beside);
	st = store_open(&s, path, STORE_CREATE, &err);
	check_said(st, &err);
	store_close(s);
	fault_disarm();
	CHECK_OK(store_open(&s, path, STORE_CREATE, &err), &err);
	CHECK(generation_of(s) == 0);
	store_close(s);
	return st;
}

TEST(a_creation_that_failed_can_be_repeated)
{
	snprintf(path, sizeof path, "%s", test_path("created"));
	fault_loop_sampled(FAULT_ALL, 20000, create, NULL);
}

static int install(void **state)
{
	akin_error err;

	(void)state;
	CHECK_OK(store_faults_install(&err), &err);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_store_survives_every_failing_allocation),
		                            cmocka_unit_test(a_store_survives_every_failing_write_and_sync),
		                            cmocka_unit_test(a_failed_commit_does_not_come_back_after_a_crash),
		                            cmocka_unit_test(a_creation_that_failed_can_be_repeated) };

	return cmocka_run_group_tests(tests, install, NULL);
}
