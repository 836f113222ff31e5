/* cli/cmd_index.c - akin index: make folders of pictures part of the library.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "cli/cli.h"
#include "common/json.h"

struct values {
	int64_t jobs;
	int hidden, follow_symlinks, prune, dry_run, retry_failed, watch, zero, json;
	const char *errors;
};

static const struct option options[] = {
	{ .name = "jobs", .letter = 'j', .type = OPTION_INT, .metavar = "N", .min = 0, .max = 256,
	  .at = offsetof(struct values, jobs),
	  .help = "files read at once; 0 is cores + 1" },
	{ .name = "hidden", .type = OPTION_FLAG, .at = offsetof(struct values, hidden),
	  .help = "also hidden files and folders, @eaDir and .git" },
	{ .name = "follow-symlinks", .type = OPTION_FLAG, .at = offsetof(struct values, follow_symlinks),
	  .help = "also folders behind symbolic links; loops are recognised" },
	{ .name = "prune", .type = OPTION_FLAG, .at = offsetof(struct values, prune),
	  .help = "forget vanished files instead of marking them missing" },
	{ .name = "dry-run", .letter = 'n', .type = OPTION_FLAG, .at = offsetof(struct values, dry_run),
	  .help = "tell what would be done to each file; store nothing" },
	{ .name = "retry-failed", .type = OPTION_FLAG, .at = offsetof(struct values, retry_failed),
	  .help = "read files again that could not be read before" },
	{ .name = "watch", .letter = 'w', .type = OPTION_FLAG, .at = offsetof(struct values, watch),
	  .help = "then go on following changes until Ctrl-C" },
	{ .name = "null", .letter = '0', .type = OPTION_FLAG, .at = offsetof(struct values, zero),
	  .help = "paths on standard input end with NUL, as of find -print0" },
	{ .name = "errors", .type = OPTION_FILE, .metavar = "FILE", .at = offsetof(struct values, errors),
	  .help = "write every unreadable file to FILE: path, tab, reason" },
	JSON_OPTION(struct values, "the summary as one JSON object on standard output"),
};

static const struct example examples[] = {
	{ "akin index ~/Pictures", "read every picture below; run it again and only changes are read" },
	{ "akin index --prune --errors unreadable.tsv ~/Pictures /mnt/camera",
	  "two folders; forget files that are gone, and list "
	                                                                      "what could not be read" },
	{ "find . -newer stamp -name '*.jpg' -print0 | akin index -0",
	  "only the files that find names, whatever bytes are in them" },
	{ "akin index --watch ~/Pictures", "keep the library true while files come and go" },
};

static void put_json(const akin_index_report *report, bool stopped)
{
	static const char *const key[AKIN_OUTCOMES] = { "added",     "unchanged", "changed", "moved",
		                                        "duplicate", "missing",   "pruned",  "failed" };
	json_t *object = json_object();

	for (size_t i = 0; i < AKIN_OUTCOMES; i++) json_set_count(object, key[i], report->count[i]);
	json_set_count(object, "bytes", report->bytes);
	json_set_real(object, "seconds", report->seconds);
	json_object_set_new(object, "stopped", json_boolean(stopped));
	json_put_line(stdout, object);
}

/* What happened is told; the exit code is left. */
static int conclude(const struct cli *cli, akin_status st, bool watched, const akin_error *err)
{
	if (st == AKIN_OK) return EXIT_DONE;
	if (st != AKIN_ERR_CANCELLED) return cli_fail(err);
	if (watched) return EXIT_DONE;
	cli_note(cli, "stopped; run again to go on");
	return EXIT_FAILED;
}

static int index_paths(const struct cli *cli, const struct values *v, const struct path_list *paths, FILE *errors)
{
	akin_index_params params = { .jobs = (unsigned)v->jobs,
		                     .hidden = v->hidden,
		                     .follow_symlinks = v->follow_symlinks,
		                     .prune = v->prune,
		                     .dry_run = v->dry_run,
		                     .retry_failed = v->retry_failed };
	struct index_words words = { cli, errors, v->dry_run && !v->json, true };
	akin_index_report report = { .seconds = 0 };
	akin_library *lib = NULL;
	akin_error err = { .status = AKIN_OK };
	akin_status st = cli_open(cli, NULL, AKIN_OPEN_CREATE, &lib);

	if (st != AKIN_OK) return EXIT_FAILED;
	if (v->watch) {
		st = index_watch(&words, lib, paths->items, paths->n, &params, &err);
	} else {
		st = index_run(&words, lib, paths->items, paths->n, &params, &report, &err);
		if (v->json && (st == AKIN_OK || st == AKIN_ERR_CANCELLED)) put_json(&report, st != AKIN_OK);
	}
	akin_library_close(lib);
	return conclude(cli, st, v->watch, &err);
}

static int run(struct cli *cli, const struct parsed *parsed)
{
	const struct values *v = parsed->values;
	struct path_list paths;
	FILE *errors = NULL;
	int code;

	if (!parsed->n_args && !v->zero) return cli_misuse(parsed, "index needs a folder or file");
	if (v->watch && v->dry_run) return cli_misuse(parsed, "--watch and --dry-run exclude each other");
	if (!path_list_read(&paths, parsed, v->zero)) {
		path_list_free(&paths);
		return EXIT_FAILED;
	}
	if (v->errors && !(errors = fopen(v->errors, "we"))) {
		say("cannot write %s: %s", v->errors, strerror(errno));
		path_list_free(&paths);
		return EXIT_FAILED;
	}
	code = index_paths(cli, v, &paths, errors);
	if (errors && (fflush(errors) != 0 || ferror(errors))) {
		say("cannot write %s: %s", v->errors, strerror(errno));
		code = EXIT_FAILED;
	}
	if (errors) fclose(errors);
	path_list_free(&paths);
	return code;
}

const struct command command_index = {
	.name = "index",
	.summary = "make pictures part of the library",
	.arguments = "PATH...",
	.max_args = SIZE_MAX,
	.about = "Walks the folders, reads each picture, and remembers what is in it. Run again, it reads only what "
	         "is new or changed; a moved or renamed file is recognised by its content. Interrupted at any moment, "
	         "the next run goes on from there.\n\n"
	         "A file given by name is tried whatever it is called; in folders only names of pictures are. PATH - "
	         "reads paths from standard input, one a line. Ctrl-C stops after what is being read, a second Ctrl-C "
	         "at once.",
	.options = options,
	.n_options = COUNT(options),
	.examples = examples,
	.n_examples = COUNT(examples),
	.values_bytes = sizeof(struct values),
	.run = run,
};
