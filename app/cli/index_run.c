/* cli/index_run.c
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "common/progress.h"
#include "common/text.h"

enum { FAILURES_SHOWN = 10 };

struct failure {
	char *path, *reason;
};

struct run {
	const struct index_words *words;
	const volatile int *stop;
	struct progress progress;
	struct failure failures[FAILURES_SHOWN];
	uint64_t n_failures;
	bool dry;
};

/* By akin_outcome: as a count in the summary, and as what would be done to one file. */
static const char *const done_word[AKIN_OUTCOMES] = { "added",     "unchanged", "changed", "moved",
	                                              "duplicate", "missing",   "pruned",  "could not be read" };
static const char *const file_word[AKIN_OUTCOMES] = { "add",       "keep",    "read again", "move",
	                                              "duplicate", "missing", "prune",      "unreadable" };

static void remember_failure(struct run *run, const akin_file_event *event)
{
	if (run->words->errors) {
		text_put_escaped(run->words->errors, event->path);
		putc('\t', run->words->errors);
		text_put_escaped(run->words->errors, event->reason ? event->reason : "");
		putc('\n', run->words->errors);
	}
	if (run->n_failures < FAILURES_SHOWN) {
		struct failure *f = &run->failures[run->n_failures];

		f->path = must_printf("%s", event->path);
		f->reason = must_printf("%s", event->reason ? event->reason : "");
	}
	run->n_failures++;
}

static int on_file(void *user, const akin_file_event *event)
{
	struct run *run = user;

	if (event->outcome == AKIN_FILE_FAILED) remember_failure(run, event);
	if (run->words->list && event->outcome != AKIN_FILE_UNCHANGED) {
		printf("%-10s  ", file_word[event->outcome]);
		if (event->old_path) {
			cli_put_path(event->old_path);
			fputs(" -> ", stdout);
		}
		cli_put_path(event->path);
		putchar('\n');
	}
	return *run->stop;
}

static int on_progress(void *user, const akin_progress *now)
{
	struct run *run = user;

	if (!run->words->cli->globals.quiet) progress_show(&run->progress, now);
	return *run->stop;
}

static void put_summary(const struct run *run, const akin_index_report *report)
{
	static const akin_outcome order[] = {
		AKIN_FILE_ADDED,     AKIN_FILE_CHANGED, AKIN_FILE_MOVED,  AKIN_FILE_DUPLICATE,
		AKIN_FILE_UNCHANGED, AKIN_FILE_MISSING, AKIN_FILE_PRUNED, AKIN_FILE_FAILED,
	};
	uint64_t read = report->count[AKIN_FILE_ADDED] + report->count[AKIN_FILE_CHANGED];
	char sentence[512], number[TEXT_NUMBER];
	size_t len = 0;

	for (size_t i = 0; i < COUNT(order); i++) {
		uint64_t n = report->count[order[i]];

		if (!n) continue;
		len += (size_t)snprintf(sentence + len, sizeof sentence - len, "%s%s %s%s", len ? ", " : "",
		                        text_number(n, number),
		                        done_word[order[i]], order[i] == AKIN_FILE_DUPLICATE && n > 1 ? "s" : "");
	}
	if (!len) snprintf(sentence, sizeof sentence, "no pictures found");
	if (read && !run->dry && report->seconds > 0)
		cli_note(run->words->cli, "%s in %.1f s (%.1f pictures/s)", sentence, report->seconds,
		         (double)read / report->seconds);
	else
		cli_note(run->words->cli, "%s%s in %.1f s", run->dry ? "dry run: " : "", sentence, report->seconds);
}

static void put_failures(const struct run *run)
{
	uint64_t shown = run->n_failures < FAILURES_SHOWN ? run->n_failures : FAILURES_SHOWN;
	char number[TEXT_NUMBER];

	for (uint64_t i = 0; i < shown; i++) {
		const struct failure *f = &run->failures[i];
		size_t n = strlen(f->path);

		/* A reason may begin with the path: once is enough. */
		if (!strncmp(f->reason, f->path, n)) cli_note(run->words->cli, "  %s", f->reason);
		else cli_note(run->words->cli, "  %s: %s", f->path, f->reason);
	}
	if (run->n_failures > shown)
		cli_note(run->words->cli, "  and %s more%s", text_number(run->n_failures - shown, number),
		         run->words->errors ? "" : "; --errors FILE names them all");
}

akin_status index_run(const struct index_words *words, akin_library *lib, const char *const *paths, size_t n_paths,
                      akin_index_params *params, akin_index_report *report, akin_error *err)
{
	struct run run = { .words = words, .stop = interrupt_catch(), .dry = params->dry_run };
	akin_status st;

	params->on_file = on_file;
	params->on_progress = on_progress;
	params->user = &run;
	st = akin_library_index(lib, paths, n_paths, params, report, err);
	progress_clear(&run.progress);
	if (words->summary && (st == AKIN_OK || st == AKIN_ERR_CANCELLED)) {
		put_summary(&run, report);
		put_failures(&run);
	}
	for (size_t i = 0; i < FAILURES_SHOWN; i++) {
		free(run.failures[i].path);
		free(run.failures[i].reason);
	}
	return st;
}

/* ---- watching ---- */

static int tell(void *user, const akin_file_event *event)
{
	struct run *run = user;

	if (event->outcome == AKIN_FILE_UNCHANGED) return *run->stop;
	progress_clear(&run->progress);
	if (event->outcome == AKIN_FILE_FAILED) remember_failure(run, event);
	if (event->old_path) cli_note(run->words->cli, "moved: %s -> %s", event->old_path, event->path);
	else if (event->reason)
		cli_note(run->words->cli, "%s: %s: %s", done_word[event->outcome], event->path, event->reason);
	else cli_note(run->words->cli, "%s: %s", done_word[event->outcome], event->path);
	return *run->stop;
}

akin_status index_watch(const struct index_words *words, akin_library *lib, const char *const *paths, size_t n_paths,
                        akin_index_params *params, akin_error *err)
{
	struct run run = { .words = words, .stop = interrupt_catch() };
	akin_status st;

	params->on_file = tell;
	params->on_progress = on_progress;
	params->user = &run;
	cli_note(words->cli, "watching; Ctrl-C ends it");
	st = akin_library_watch(lib, paths, n_paths, params, run.stop, err);
	progress_clear(&run.progress);
	for (size_t i = 0; i < FAILURES_SHOWN; i++) {
		free(run.failures[i].path);
		free(run.failures[i].reason);
	}
	return st;
}
