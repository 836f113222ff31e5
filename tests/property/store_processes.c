/* store/: several processes at once, and processes killed at any moment.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store/store.h"

static akin_error err;
static const struct file_stamp stamp = { 1, 2, 3, 4 };

static void no_finding(void *ctx, const char *finding)
{
	(void)ctx;
	CHECK(false, "%s\n", finding);
}

/* One picture in one transaction; its number is its hash and its path. */
static akin_status add(struct store *s, uint32_t number)
{
	struct store_picture picture = { .info = { 1, 1, "png" } };
	const float vector[2] = { (float)number, 1 };
	const uint8_t hash[HASH_BYTES] = { 0 };
	char path[32];
	int64_t model;
	akin_status st;

	memcpy(picture.hash, &number, sizeof number);
	snprintf(path, sizeof path, "/p/%u", number);
	if ((st = store_begin(s, &err)) != AKIN_OK) return st;
	if ((st = store_model_ensure(s, "m", hash, 2, METRIC_COSINE, &model, &err)) != AKIN_OK ||
	    (st = store_picture_put(s, &picture, &picture.id, &err)) != AKIN_OK ||
	    (st = store_file_put(s, path, picture.id, &stamp, &err)) != AKIN_OK ||
	    (st = store_feature_put(s, picture.id, model, STORE_F32, vector, sizeof vector, &err)) != AKIN_OK) {
		store_rollback(s);
		return st;
	}
	return store_commit(s, &err);
}

static bool has(struct store *s, uint32_t number)
{
	uint8_t hash[HASH_BYTES] = { 0 };
	int64_t id;

	memcpy(hash, &number, sizeof number);
	CHECK_OK(store_picture_by_hash(s, hash, &id, &err), &err);
	return id != 0;
}

TEST(processes_that_write_at_once_lose_nothing)
{
	enum { PROCESSES = 3, EACH = 60 };
	const char *path = test_path("shared");
	struct store *s;
	int how;

	for (uint32_t p = 0; p < PROCESSES; p++) {
		if (fork()) continue;
		/* All create it, too: one of them does. */
		if (store_open(&s, path, STORE_CREATE, &err) != AKIN_OK) goto bad;
		store_set_busy_ms(s, 60000);
		for (uint32_t i = 0; i < EACH; i++)
			if (add(s, p * EACH + i) != AKIN_OK) goto bad;
		store_close(s);
		_exit(0);
bad:
		fprintf(stderr, "process %u: %s\n", p, err.text);
		_exit(1);
	}
	for (int p = 0; p < PROCESSES; p++) CHECK(wait(&how) > 0 && how == 0);
	CHECK_OK(store_open(&s, path, STORE_READ, &err), &err);
	for (uint32_t i = 0; i < PROCESSES * EACH; i++) CHECK(has(s, i), "picture %u is lost\n", i);
	CHECK_OK(store_check(s, true, no_finding, NULL, &err), &err);
	store_close(s);
}

TEST(a_second_writer_is_told_and_a_reader_is_not_blocked)
{
	const char *path = test_path("busy");
	struct store *first, *second;

	CHECK_OK(store_open(&first, path, STORE_CREATE, &err), &err);
	CHECK_OK(store_open(&second, path, STORE_WRITE, &err), &err);
	store_set_busy_ms(second, 10);
	CHECK_OK(add(first, 1), &err);
	CHECK_OK(store_begin(first, &err), &err);
	CHECK_STATUS(store_begin(second, &err), AKIN_ERR_BUSY);
	CHECK(strstr(err.text, "another akin process is writing to ") && strstr(err.text, path), "%s\n", err.text);
	CHECK_STATUS(store_compact(second, &err), AKIN_ERR_BUSY);
	CHECK(has(second, 1));
	store_rollback(first);
	CHECK_OK(add(second, 2), &err);
	store_close(second);
	store_close(first);
}

/* Writes pictures from `number` on and reports each after its commit, until it is killed. */
static void write_until_killed(const char *path, uint32_t number, int report)
{
	struct store *s;

	if (store_open(&s, path, STORE_WRITE, &err) != AKIN_OK) _exit(1);
	for (;; number++) {
		if (add(s, number) != AKIN_OK) _exit(2);
		if (write(report, &number, sizeof number) != sizeof number) _exit(1);
		if (number % 16 == 0 && store_compact(s, &err) != AKIN_OK) _exit(3);
	}
}

TEST(what_was_acknowledged_survives_kill_9)
{
	const char *path = test_path("killed");
	struct rng rng = { 9 };
	uint32_t number;
	int acknowledged = 0;
	struct store *s;

	CHECK_OK(store_open(&s, path, STORE_CREATE, &err), &err);
	store_close(s);
	for (int round = 0; round < 50; round++) {
		const struct timespec pause = { 0, (long)(1000000 + rng_below(&rng, 40000000)) };
		int pipe_ends[2], how;
		pid_t child;

		CHECK(pipe(pipe_ends) == 0);
		if (!(child = fork())) write_until_killed(path, (uint32_t)round * 100000 + 1, pipe_ends[1]);
		close(pipe_ends[1]);
		/* Every other writer is killed wherever it is, also while it opens; the others get to write something first. */
		if (round % 2 && read(pipe_ends[0], &number, sizeof number) == sizeof number) acknowledged++;
		nanosleep(&pause, NULL);
		CHECK(kill(child, SIGKILL) == 0 && waitpid(child, &how, 0) == child && WIFSIGNALED(how), "status %x\n", how);
		CHECK_OK(store_open(&s, path, round % 2 ? STORE_READ : STORE_WRITE, &err), &err);
		CHECK(round % 2 == 0 || has(s, (uint32_t)round * 100000 + 1), "round %d: the first picture is gone\n", round);
		while (read(pipe_ends[0], &number, sizeof number) == sizeof number) {
			CHECK(has(s, number), "round %d: picture %u was acknowledged and is gone\n", round, number);
			acknowledged++;
		}
		close(pipe_ends[0]);
		CHECK_OK(store_check(s, true, no_finding, NULL, &err), &err);
		store_close(s);
	}
	CHECK(acknowledged >= 25, "only %d acknowledged\n", acknowledged);
}

TEST_MAIN(cmocka_unit_test(processes_that_write_at_once_lose_nothing),
          cmocka_unit_test(a_second_writer_is_told_and_a_reader_is_not_blocked),
          cmocka_unit_test(what_was_acknowledged_survives_kill_9))
