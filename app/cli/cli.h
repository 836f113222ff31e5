/* cli/cli.h - what the commands share: options of every command, opening the library, naming pictures, printing paths.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_CLI_CLI_H
#define AKIN_CLI_CLI_H

#include <math.h>
#include <stddef.h>

#include "akin/akin.h"
#include "common/options.h"
#include "common/out.h"

struct globals {
	const char *library, *model, *models;
	int64_t threads;
	int quiet, no_color, help, version;
};

struct cli {
	const struct program *program;
	struct globals globals;
	bool color; /* of stdout */
};

extern const struct program akin_program;
extern const struct command command_index, command_search, command_match, command_list, command_info, command_tag,
        command_remove, command_check, command_rebuild, command_export, command_import, command_models, command_eval,
        command_vectors, command_help, command_completion, command_version;

/* ---- session.c ---- */

/* Say what went wrong and return EXIT_FAILED. */
int cli_fail(const akin_error *err);
/* A mistake in the command line that the table cannot see: says it with the way to help, returns EXIT_USAGE. */
int cli_misuse(const struct parsed *parsed, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The word's place in the list, 0 for NULL; false: said that it is not there. */
bool cli_choose(const struct parsed *parsed, const char *option, const char *word, const char *const *words, int n, int *out);
/* The value of an option --mode; false: said that there is no such mode. */
bool cli_take_mode(const struct parsed *parsed, const char *word, akin_mode *mode);
/* A word on stderr, unless --quiet. */
void cli_note(const struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Folder of the library: --library, AKIN_LIBRARY, else default.akin in the data folder. free() it. */
char *cli_library_dir(const struct cli *cli);
/* Open it, or say why not. `dir` NULL: cli_library_dir. */
akin_status cli_open(const struct cli *cli, const char *dir, unsigned flags, akin_library **lib);
/* XDG folder of akin, kind "DATA" or "CACHE"; NULL when there is no home. free() it. */
char *cli_xdg(const char *kind);

/* True for "id:N"; *id receives N. A file of such a name is ./id:N. */
bool cli_is_id(const char *word, akin_id *id);
/* Id of a picture named by path or id:N. */
akin_status cli_find(akin_library *lib, const char *word, akin_id *id, akin_error *err);

/* A path on stdout: as it is for programs; on a terminal visible, and relative if it lies below the working folder. */
void cli_put_path(const char *path);
/* The path as cli_put_path will show it; borrowed from `path`. */
const char *cli_shown_path(const char *path);

/* Whether --filter can be understood; else says what is wrong and where, with the filter and a mark below that place. NULL is. */
bool cli_filter_fits(const char *filter);

/* ---- interrupt.c ---- */

/* From now on the first SIGINT or SIGTERM makes the returned number nonzero, the second kills. */
const volatile int *interrupt_catch(void);

/* ---- paths.c ---- */

struct path_list {
	const char **items;
	size_t n;
	char *text; /* what stdin gave; items point into it */
};
/* The arguments, with "-" replaced by what stdin lists, divided by newlines or, when `zero`, by NUL. With `zero`, stdin
 * is also read when there is no argument. False: said why. */
bool path_list_read(struct path_list *list, const struct parsed *parsed, bool zero);
void path_list_free(struct path_list *list);
/* All bytes of stdin, a 0 after them; NULL: said why. free() it. */
char *read_stdin(size_t max_bytes, size_t *n);

/* ---- fetch.c ---- */

bool fetch_is_url(const char *word);
/* Bytes behind an http or https address, within limits on bytes, time and redirects; NULL: said why. free() it. */
char *fetch_url(const char *url, size_t *n);

/* ---- preview.c ---- */

/* Draw the hits as small pictures on the terminal: side by side in character cells, one below the other where the
 * terminal can show pixels. */
void preview_hits(akin_library *lib, const akin_result *result);
/* One picture as wide as the terminal: 8-bit RGB rows without padding. */
void preview_rgb(const unsigned char *rgb, unsigned width, unsigned height);

/* ---- index_run.c ---- */

/* Progress line and summary around akin_library_index; used by index and eval. `params` callbacks are set here. */
struct index_words {
	const struct cli *cli;
	FILE *errors;  /* every unreadable file and its reason; NULL: none */
	bool list;     /* print what happens to each file on stdout (dry run) */
	bool summary;  /* print the summary on stderr */
};
akin_status index_run(const struct index_words *words, akin_library *lib, const char *const *paths, size_t n_paths,
                      akin_index_params *params, akin_index_report *report, akin_error *err);
/* The same for akin_library_watch; tells each change on stderr. */
akin_status index_watch(const struct index_words *words, akin_library *lib, const char *const *paths, size_t n_paths,
                        akin_index_params *params, akin_error *err);

/* ---- eval_report.c ---- */

/* Write the measures and the worst and best queries as one HTML file that needs nothing else. False: said why. */
bool eval_report_write(const char *path, const char *title, akin_library *lib, const akin_eval *eval);

/* Rows of options that several commands have. */
#define FILTER_OPTION(owner)                                                                                         \
	{ .name = "filter", .letter = 'f', .type = OPTION_STRING, .metavar = "FILTER", .at = offsetof(owner, filter), \
	  .help = "only pictures that fit, as in 'taken:2023 NOT label:truck'; docs/filters.md" }
#define JSON_OPTION(owner, words) { .name = "json", .type = OPTION_FLAG, .at = offsetof(owner, json), .help = words }

#endif
