/* cli/cmd_list.c - akin list: the files of the library.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "common/json.h"
#include "common/text.h"

struct values {
	int missing, failed, all, json, paths, zero;
	const char *in, *filter;
};

static const struct option options[] = {
	{ .name = "in", .letter = 'i', .type = OPTION_FOLDER, .metavar = "FOLDER", .at = offsetof(struct values, in),
	  .help = "only files below this folder" },
	FILTER_OPTION(struct values),
	{ .name = "missing", .type = OPTION_FLAG, .at = offsetof(struct values, missing),
	  .help = "files that have vanished" },
	{ .name = "failed", .type = OPTION_FLAG, .at = offsetof(struct values, failed),
	  .help = "files that could not be read, and why" },
	{ .name = "all", .letter = 'a', .type = OPTION_FLAG, .at = offsetof(struct values, all),
	  .help = "files of every state" },
	{ .name = "paths", .type = OPTION_FLAG, .at = offsetof(struct values, paths),
	  .help = "only the paths, one a line" },
	{ .name = "null", .letter = '0', .type = OPTION_FLAG, .at = offsetof(struct values, zero),
	  .help = "only the paths, each ended by NUL" },
	JSON_OPTION(struct values, "one JSON object a line: id, path, state, reason, width, height, format, bytes"),
};

static const struct example examples[] = {
	{ "akin list", "every picture: id, size, path" },
	{ "akin list --failed", "what could not be read, and why" },
	{ "akin list -0 --missing | xargs -0 akin remove", "forget what has vanished" },
	{ "akin list --filter 'taken:2023 camera:canon NOT label:cat'", "what a filter finds" },
	{ "akin list --json --in ~/Pictures/2024", "one folder, for a program" },
};

struct listing {
	const struct values *values;
	bool color;
	size_t n;
	const akin_id *fitting; /* the filter's answer, ascending */
	size_t n_fitting;
};

static int compare_ids(const void *a, const void *b)
{
	const akin_id x = *(const akin_id *)a, y = *(const akin_id *)b;

	return (x > y) - (x < y);
}

static void put_json(const akin_listed *file)
{
	json_t *object = json_object();

	if (file->id) json_set_count(object, "id", (unsigned long long)file->id);
	json_set_path(object, "path", file->path);
	json_set_text(object, "state", file->state);
	if (file->reason) json_set_text(object, "reason", file->reason);
	json_set_count(object, "width", file->width);
	json_set_count(object, "height", file->height);
	json_set_text(object, "format", file->format ? file->format : "");
	json_set_count(object, "bytes", file->bytes);
	json_put_line(stdout, object);
}

static void put_row(const struct listing *l, const akin_listed *file)
{
	const char *dim = l->color ? "\x1b[2m" : "", *plain = l->color ? "\x1b[0m" : "";
	char size[24] = "";

	if (file->width) snprintf(size, sizeof size, "%ux%u", file->width, file->height);
	if (file->id) printf("%s%8lld  %11s%s  ", dim, (long long)file->id, size, plain);
	else printf("%s%8s  %11s%s  ", dim, "-", size, plain);
	cli_put_path(file->path);
	if (file->reason) {
		fputs(": ", stdout);
		text_put_visible(stdout, file->reason);
	} else if (strcmp(file->state, "present") != 0) {
		printf(" (%s)", file->state);
	}
	putchar('\n');
}

static int put_file(void *user, const akin_listed *file)
{
	struct listing *l = user;

	if (l->values->filter && (!l->n_fitting || !bsearch(&file->id, l->fitting, l->n_fitting, sizeof *l->fitting, compare_ids)))
		return 0;
	l->n++;
	if (l->values->json) {
		put_json(file);
	} else if (l->values->zero) {
		fwrite(file->path, 1, strlen(file->path) + 1, stdout);
	} else if (l->values->paths) {
		cli_put_path(file->path);
		putchar('\n');
	} else {
		put_row(l, file);
	}
	return ferror(stdout);
}

static int run(struct cli *cli, const struct parsed *parsed)
{
	const struct values *v = parsed->values;
	struct listing listing = { v, cli->color, 0, NULL, 0 };
	akin_id *fitting = NULL;
	unsigned kinds = 0;
	akin_library *lib = NULL;
	akin_error err = { .status = AKIN_OK };
	akin_status st = AKIN_OK;

	if (v->json + v->paths + v->zero > 1)
		return cli_misuse(parsed, "--json, --paths and --null exclude one another");
	if (v->missing || v->all) kinds |= AKIN_LIST_MISSING;
	if (v->failed || v->all) kinds |= AKIN_LIST_FAILED;
	if (v->all || !kinds) kinds |= AKIN_LIST_PRESENT;
	if (!cli_filter_fits(v->filter)) return EXIT_USAGE;
	if (cli_open(cli, NULL, AKIN_OPEN_READONLY, &lib) != AKIN_OK) return EXIT_FAILED;
	if (v->filter) st = akin_filter_ids(lib, v->filter, &fitting, &listing.n_fitting, &err);
	listing.fitting = fitting;
	if (st == AKIN_OK) st = akin_library_list(lib, kinds, v->in, put_file, &listing, &err);
	akin_library_close(lib);
	akin_ids_free(fitting);
	if (st != AKIN_OK) return cli_fail(&err);
	if (!listing.n) cli_note(cli, "no such files in the library");
	return listing.n ? EXIT_DONE : EXIT_NOTHING;
}

const struct command command_list = {
	.name = "list",
	.summary = "list the files of the library",
	.arguments = "",
	.about = "Lists the files that are there, ordered by path: id, size and path. A filter says which pictures, --in which of their files. --missing and --failed list the "
	         "others.",
	.options = options,
	.n_options = COUNT(options),
	.examples = examples,
	.n_examples = COUNT(examples),
	.values_bytes = sizeof(struct values),
	.run = run,
};
