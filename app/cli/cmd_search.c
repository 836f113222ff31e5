/* cli/cmd_search.c - akin search: the pictures that are like a picture.
 * SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "common/json.h"
#include "common/text.h"

enum { PICTURE_MAX_BYTES = 512 << 20 };

struct values {
	int64_t k;
	double threshold;
	const char *in, *filter;
	int exact, with_self, json, paths, zero, preview, timings, allow_net;
};

static const struct option options[] = {
	{ .name = "k", .letter = 'k', .type = OPTION_INT, .metavar = "N", .min = 1, .max = 1000000, .preset = "10",
	  .at = offsetof(struct values, k), .help = "at most so many hits" },
	{ .name = "in", .letter = 'i', .type = OPTION_FOLDER, .metavar = "FOLDER", .at = offsetof(struct values, in),
	  .help = "only pictures below this folder" },
	FILTER_OPTION(struct values),
	{ .name = "threshold", .letter = 't', .type = OPTION_REAL, .metavar = "SCORE", .min = 0, .max = 1,
	  .at = offsetof(struct values, threshold), .help = "only hits with at least this score" },
	{ .name = "exact", .letter = 'e', .type = OPTION_FLAG, .at = offsetof(struct values, exact),
	  .help = "compare with every vector, whatever index there is" },
	{ .name = "with-self", .type = OPTION_FLAG, .at = offsetof(struct values, with_self),
	  .help = "the picture itself may be an answer" },
	{ .name = "preview", .letter = 'p', .type = OPTION_FLAG, .at = offsetof(struct values, preview),
	  .help = "show the hits as pictures in the terminal" },
	{ .name = "paths", .type = OPTION_FLAG, .at = offsetof(struct values, paths),
	  .help = "only the paths, one a line" },
	{ .name = "null", .letter = '0', .type = OPTION_FLAG, .at = offsetof(struct values, zero),
	  .help = "only the paths, each ended by NUL, as for xargs -0" },
	JSON_OPTION(struct values, "one JSON object a line: rank, score, distance, id, path, width, height"),
	{ .name = "timings", .type = OPTION_FLAG, .at = offsetof(struct values, timings),
	  .help = "tell on standard error where the milliseconds went" },
	{ .name = "allow-net", .type = OPTION_FLAG, .at = offsetof(struct values, allow_net),
	  .help = "let PICTURE be an http or https address" },
};

static const struct example examples[] = {
	{ "akin search beach.jpg", "the ten pictures most like beach.jpg, best first" },
	{ "akin search --preview -k 5 beach.jpg", "the five best, shown in the terminal" },
	{ "akin search --in ~/Pictures/2024 --threshold 0.8 id:1042",
	  "what is much like picture 1042, in one folder" },
	{ "akin search -0 beach.jpg | xargs -0 cp -t similar/", "copy what was found" },
	{ "curl -s https://example.org/cat.jpg | akin search - --json",
	  "a picture from standard input, answers for a program" },
};

/* ---- the query ---- */

static akin_status search_bytes(akin_library *lib, char *bytes, size_t n, const akin_search_params *params,
                                akin_result **result)
{
	akin_error err = { .status = AKIN_OK };
	akin_status st;

	if (!bytes) return AKIN_ERR_IO; /* said already */
	st = akin_search_bytes(lib, bytes, n, params, result, &err);
	free(bytes);
	if (st != AKIN_OK) cli_fail(&err);
	return st;
}

static akin_status search(akin_library *lib, const char *word, const akin_search_params *params, akin_result **result)
{
	akin_error err = { .status = AKIN_OK };
	akin_status st;
	akin_id id;
	size_t n;
	char *bytes;

	if (!strcmp(word, "-")) {
		bytes = read_stdin(PICTURE_MAX_BYTES, &n);
		return search_bytes(lib, bytes, n, params, result);
	}
	if (fetch_is_url(word)) {
		bytes = fetch_url(word, &n);
		return search_bytes(lib, bytes, n, params, result);
	}
	if (cli_is_id(word, &id)) st = akin_search_id(lib, id, params, result, &err);
	else st = akin_search_file(lib, word, params, result, &err);
	if (st != AKIN_OK) cli_fail(&err);
	return st;
}

/* ---- the answer ---- */

static void put_json(const akin_hit *hit)
{
	json_t *object = json_object();

	json_set_count(object, "rank", hit->rank);
	json_set_real(object, "score", hit->score);
	json_set_real(object, "distance", hit->distance);
	json_set_count(object, "id", (unsigned long long)hit->id);
	json_set_path(object, "path", hit->path);
	json_set_count(object, "width", hit->width);
	json_set_count(object, "height", hit->height);
	json_put_line(stdout, object);
}

/* "  (1024x768)"; "" for foreign vectors. Returns its columns. */
static unsigned size_text(const akin_hit *hit, char out[32])
{
	out[0] = '\0';
	return hit->width ? (unsigned)snprintf(out, 32, "  (%ux%u)", hit->width, hit->height) : 0;
}

/* Columns that the paths get. On a terminal a row whose path and size do not fit in `most` goes without its size rather
 * than over two lines, and has no say in where the sizes of the others stand. */
static unsigned path_column(const akin_result *result, unsigned most)
{
	unsigned paths = 0, sizes = 0;
	char size[32];

	for (size_t i = 0; i < akin_result_count(result); i++) {
		unsigned columns = size_text(akin_result_hit(result, i), size);
		if (columns > sizes) sizes = columns;
	}
	for (size_t i = 0; i < akin_result_count(result); i++) {
		unsigned columns = text_width(cli_shown_path(akin_result_hit(result, i)->path));
		if (columns > paths && columns + sizes <= most) paths = columns;
	}
	return paths;
}

static void put_table(const struct cli *cli, const akin_result *result)
{
	const char *bold = cli->color ? "\x1b[1m" : "", *dim = cli->color ? "\x1b[2m" : "",
		*plain = cli->color ? "\x1b[0m" : "";
	size_t n = akin_result_count(result);
	int ranks = snprintf(NULL, 0, "%zu", n);
	unsigned head = (unsigned)ranks + 9, width = out_is_terminal(stdout) ? out_width(stdout) : UINT_MAX;
	unsigned most = width > head ? width - head : 0, column = path_column(result, most);

	for (size_t i = 0; i < n; i++) {
		const akin_hit *hit = akin_result_hit(result, i);
		unsigned path = text_width(cli_shown_path(hit->path)), pad = path < column ? column - path : 0;
		char size[32];

		printf("%s%*zu%s  %s%.3f%s  ", dim, ranks, hit->rank, plain, bold, hit->score, plain);
		cli_put_path(hit->path);
		if (size_text(hit, size) && size_text(hit, size) + path + pad <= most) {
			text_put_blanks(stdout, pad);
			printf("%s%s%s", dim, size, plain);
		}
		putchar('\n');
	}
}

static void put_timings(const akin_timings *t)
{
	say("open %.1f ms, model %.1f, decode %.1f, embed %.1f, search %.1f, gather %.1f; together %.1f ms",
	    t->open_ms, t->model_ms,
	    t->decode_ms, t->embed_ms, t->search_ms, t->gather_ms,
	    t->open_ms + t->model_ms + t->decode_ms + t->embed_ms + t->search_ms + t->gather_ms);
}

static void put_answer(const struct cli *cli, const struct values *v, akin_library *lib, const akin_result *result)
{
	size_t n = akin_result_count(result);

	if (v->preview && n && out_is_terminal(stdout)) preview_hits(lib, result);
	if (!v->json && !v->paths && !v->zero) put_table(cli, result);
	for (size_t i = 0; i < n; i++) {
		const akin_hit *hit = akin_result_hit(result, i);

		if (v->json) {
			put_json(hit);
		} else if (v->zero) {
			fwrite(hit->path, 1, strlen(hit->path) + 1, stdout);
		} else if (v->paths) {
			cli_put_path(hit->path);
			putchar('\n');
		}
	}
}

static int nothing(const struct cli *cli, const struct values *v, akin_library *lib)
{
	akin_library_info info;

	if (akin_library_get_info(lib, &info, NULL) == AKIN_OK) {
		if (!info.pictures) cli_note(cli, "the library is empty; fill it: akin index FOLDER");
		else if (v->filter) cli_note(cli, "nothing like it fits %s", v->filter);
		else if (v->in) cli_note(cli, "nothing like it below %s", v->in);
		else if (v->threshold > 0) cli_note(cli, "nothing like it with a score of %g or more", v->threshold);
		else cli_note(cli, "nothing like it in the library");
		akin_library_info_deinit(&info);
	}
	return EXIT_NOTHING;
}

static int run(struct cli *cli, const struct parsed *parsed)
{
	const struct values *v = parsed->values;
	const char *word = parsed->args[0];
	akin_search_params params = {
		.k = (size_t)v->k, .threshold = v->threshold, .in = v->in, .filter = v->filter, .exact = v->exact, .with_self = v->with_self
	};
	akin_library *lib = NULL;
	akin_result *result = NULL;
	int code = EXIT_DONE;

	if (v->json + v->paths + v->zero > 1)
		return cli_misuse(parsed, "--json, --paths and --null exclude one another");
	if (fetch_is_url(word) && !v->allow_net)
		return cli_misuse(parsed, "to fetch %s over the net say --allow-net", word);
	if (!cli_filter_fits(v->filter)) return EXIT_USAGE;
	if (cli_open(cli, NULL, AKIN_OPEN_READONLY, &lib) != AKIN_OK) return EXIT_FAILED;
	if (search(lib, word, &params, &result) != AKIN_OK) code = EXIT_FAILED;
	if (code == EXIT_DONE) {
		put_answer(cli, v, lib, result);
		if (v->timings) put_timings(akin_result_timings(result));
		if (!akin_result_count(result)) code = nothing(cli, v, lib);
	}
	akin_result_free(result);
	akin_library_close(lib);
	return code;
}

const struct command command_search = {
	.name = "search",
	.summary = "find the pictures that are like a picture",
	.arguments = "PICTURE",
	.min_args = 1,
	.max_args = 1,
	.about = "PICTURE is a path, - for bytes on standard input, id:N for a picture of the library or, with "
	         "--allow-net, an http or https address. It need not be in the library. Each line of the answer has "
	         "rank, score, path and size; a score of 1 is the same picture, 0 is as far as pictures taken at "
	         "random.",
	.options = options,
	.n_options = COUNT(options),
	.examples = examples,
	.n_examples = COUNT(examples),
	.values_bytes = sizeof(struct values),
	.run = run,
};
