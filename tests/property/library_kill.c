/* kill -9 in the middle of indexing, 50 times: whatever a callback told of is there afterwards, the library is sound, and
 * the next run goes on.
 * The child does all the work: this process never loads the model, so that fork() copies no threads.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "test.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "akin/akin.h"
#include "base/fs.h"
#include "image/image.h"
#include "pictures.h"

enum { PICTURES = 600, KILLS = 50 };

static akin_library *open_library(const char *dir)
{
	const akin_open_params open = { .flags = AKIN_OPEN_CREATE, .model = TINY_MODEL, .cache_dir = test_path("cache"), .threads = 1 };
	akin_library *lib;
	akin_error err;

	CHECK_OK(akin_library_open(&lib, dir, &open, &err), &err);
	return lib;
}

/* One record an event: whole, since it is shorter than PIPE_BUF. */
static int tell(void *user, const akin_file_event *event)
{
	char record[256] = { 0 };

	snprintf(record, sizeof record, "%s", fs_basename(event->path));
	return event->outcome == AKIN_FILE_ADDED && write(*(int *)user, record, sizeof record) != sizeof record;
}

static void child(const char *dir, const char *folder, int fd)
{
	akin_library *lib = open_library(dir);
	const akin_index_params params = { .on_file = tell, .user = &fd, .jobs = 1 };
	akin_error err;

	_exit(akin_library_index(lib, &folder, 1, &params, NULL, &err) == AKIN_OK ? 0 : 1);
}

static void make_folder(const char *folder)
{
	struct buf png = BUF_EMPTY;
	akin_error err;

	CHECK_OK(fs_mkdirs(folder, &err), &err);
	for (int i = 0; i < PICTURES; i++) {
		char name[512];

		picture_make((uint64_t)i, &png);
		snprintf(name, sizeof name, "%s/%04d.png", folder, i);
		picture_write(name, png.data, png.len);
	}
	buf_deinit(&png);
}

static size_t check_acknowledged(const char *dir, const char *folder, const bool *told)
{
	akin_library *lib = open_library(dir);
	uint64_t findings = 0;
	size_t n = 0;
	akin_error err;

	for (int i = 0; i < PICTURES; i++) {
		char name[512];
		akin_picture picture;
		akin_id id;

		if (!told[i]) continue;
		n++;
		snprintf(name, sizeof name, "%s/%04d.png", folder, i);
		CHECK_OK(akin_picture_find(lib, name, &id, &err), &err);
		CHECK_OK(akin_picture_get(lib, id, &picture, &err), &err);
		CHECK(picture.has_vector, "%s lost its vector\n", name);
		akin_picture_deinit(&picture);
	}
	CHECK_OK(akin_library_check(lib, 0, NULL, NULL, &findings, &err), &err);
	CHECK(findings == 0, "%d findings\n", (int)findings);
	akin_library_close(lib);
	return n;
}

TEST(what_was_told_survives_kill_9)
{
	const char *dir = test_path("kill.akin"), *folder = test_path("pictures");
	static bool told[PICTURES];
	struct rng rng = { 9 };
	size_t kills = 0, whole_runs = 0, most = 0;
	akin_error err;

	make_folder(folder);
	while (kills < KILLS) {
		int pipes[2], status;
		char record[256];
		pid_t pid;

		CHECK(pipe(pipes) == 0);
		pid = fork();
		if (pid == 0) child(dir, folder, pipes[1]);
		close(pipes[1]);
		usleep((useconds_t)(50000 + rng_below(&rng, 400000)));
		kill(pid, SIGKILL);
		while (read(pipes[0], record, sizeof record) == sizeof record) told[strtol(record, NULL, 10)] = true;
		close(pipes[0]);
		CHECK(waitpid(pid, &status, 0) == pid);
		most = check_acknowledged(dir, folder, told) > most ? check_acknowledged(dir, folder, told) : most;
		if (WIFSIGNALED(status)) kills++;
		else whole_runs++;
		CHECK(whole_runs < 200, "the runs are too short to be killed\n");
		if (!WIFSIGNALED(status) || most == PICTURES) { /* all indexed: from the beginning */
			CHECK_OK(fs_remove_tree(dir, &err), &err);
			memset(told, 0, sizeof told);
			most = 0;
		}
	}
	print_message("%d kills, %d whole runs between them\n", (int)kills, (int)whole_runs);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_was_told_survives_kill_9) };
	akin_error err;

	/* libvips makes the pictures; its threads are off, so that the children are whole. */
	if (image_init(&err) != AKIN_OK) return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
