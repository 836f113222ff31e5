/* cli/cmd_search.c - akin search: the pictures that are like pictures, texts and any mixture of them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/search.h"

struct values {
	int64_t k;
	double threshold, diverse;
	const char *in, *filter, *mode, *sort, *group;
	struct option_list like, unlike;
	int all, exact, with_self, json, paths, zero, preview, timings, allow_net, why;
};

static const struct option options[] = {
	{ .name = "k", .letter = 'k', .type = OPTION_INT, .metavar = "N", .min = 1, .max = 1000000, .preset = "10",
	  .at = offsetof(struct values, k), .help = "at most so many hits" },
	{ .name = "in", .letter = 'i', .type = OPTION_FOLDER, .metavar = "FOLDER", .at = offsetof(struct values, in),
	  .help = "only pictures below this folder" },
	FILTER_OPTION(struct values),
	{ .name = "threshold", .letter = 't', .type = OPTION_REAL, .metavar = "SCORE", .min = 0, .max = 1,
	  .at = offsetof(struct values, threshold), .help = "only hits with at least this score" },
	{ .name = "all", .letter = 'a', .type = OPTION_FLAG, .at = offsetof(struct values, all),
	  .help = "texts bring the nearest pictures also where nothing fits" },
	{ .name = "like", .type = OPTION_LIST, .metavar = "ID", .at = offsetof(struct values, like),
	  .help = "feedback: this picture of the library was right" },
	{ .name = "unlike", .type = OPTION_LIST, .metavar = "ID", .at = offsetof(struct values, unlike),
	  .help = "feedback: this picture of the library was wrong" },
	{ .name = "mode", .letter = 'm', .type = OPTION_STRING, .metavar = "MODE", .preset = "auto",
	  .at = offsetof(struct values, mode),
	  .help = "texts by their meaning, by their keywords, or auto, by both" },
	{ .name = "sort", .type = OPTION_STRING, .metavar = "ORDER", .preset = "score", .at = offsetof(struct values, sort),
	  .help = "score, or taken: the best hits, the newest first" },
	{ .name = "group", .type = OPTION_STRING, .metavar = "BY", .at = offsetof(struct values, group),
	  .help = "put hits of the same folder or day together" },
	{ .name = "diverse", .type = OPTION_REAL, .metavar = "PART", .min = 0, .max = 1,
	  .at = offsetof(struct values, diverse),
	  .help = "prefer hits that differ from those before them" },
	{ .name = "why", .letter = 'w', .type = OPTION_FLAG, .at = offsetof(struct values, why),
	  .help = "say what each part of the query gave, and what the pictures have in common" },
	{ .name = "exact", .letter = 'e', .type = OPTION_FLAG, .at = offsetof(struct values, exact),
	  .help = "compare with every vector, whatever index there is" },
	{ .name = "with-self", .type = OPTION_FLAG, .at = offsetof(struct values, with_self),
	  .help = "the query's pictures themselves may be answers" },
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
	  .help = "let a WORD be an http or https address" },
};

static const struct example examples[] = {
	{ "akin search beach.jpg", "the ten pictures most like beach.jpg, best first" },
	{ "akin search two dogs running in the snow", "pictures by what is in them, in words of 16 languages" },
	{ "akin search --preview -k 5 beach.jpg", "the five best, shown in the terminal" },
	{ "akin search --in ~/Pictures/2024 --threshold 0.8 id:1042",
	  "what is much like picture 1042, in one folder" },
	{ "akin search -0 beach.jpg | xargs -0 cp -t similar/", "copy what was found" },
	{ "akin search beach.jpg^2 + \"at sunset\" - people.jpg",
	  "like beach.jpg above all, rather at sunset, not like people.jpg" },
	{ "akin search beach.jpg@10%,10%,50%,50%", "like a part of a picture" },
	{ "akin search beach.jpg --like 17 --like 40 --unlike 23", "again, with a word on the first answers" },
	{ "curl -s https://example.org/cat.jpg | akin search - --json",
	  "a picture from standard input, answers for a program" },
};

static void put_timings(const akin_timings *t)
{
	say("open %.1f ms, model %.1f, decode %.1f, embed %.1f, search %.1f, gather %.1f; together %.1f ms",
	    t->open_ms, t->model_ms,
	    t->decode_ms, t->embed_ms, t->search_ms, t->gather_ms,
	    t->open_ms + t->model_ms + t->decode_ms + t->embed_ms + t->search_ms + t->gather_ms);
}

static int nothing(const struct cli *cli, const struct values *v, akin_library *lib)
{
	akin_library_info info;

	if (akin_library_get_info(lib, &info, NULL) == AKIN_OK) {
		if (!info.pictures) cli_note(cli, "the library is empty; fill it: akin index FOLDER");
		else if (v->filter) cli_note(cli, "nothing like it fits %s", v->filter);
		else if (v->in) cli_note(cli, "nothing like it below %s", v->in);
		else if (v->threshold > 0) cli_note(cli, "nothing like it with a score of %g or more", v->threshold);
		else if (!v->all) cli_note(cli, "nothing in the library fits; --all shows the nearest");
		else cli_note(cli, "nothing like it in the library");
		akin_library_info_deinit(&info);
	}
	return EXIT_NOTHING;
}

static bool take_params(const struct parsed *parsed, akin_search_params *params)
{
	static const char *const sorts[] = { "score", "taken" },
	                  *const groups[] = { "none", "folder", "day" };
	const struct values *v = parsed->values;
	akin_mode mode;
	int sort, group;

	if (!cli_filter_fits(v->filter)) return false;
	if (!cli_take_mode(parsed, v->mode, &mode)) return false;
	if (!cli_choose(parsed, "sort", v->sort, sorts, COUNT(sorts), &sort)) return false;
	if (!cli_choose(parsed, "group", v->group, groups, COUNT(groups), &group)) return false;
	*params = (akin_search_params){ .k = (size_t)v->k, .threshold = v->threshold, .in = v->in, .filter = v->filter,
		                        .exact = v->exact, .with_self = v->with_self, .mode = mode, .sort = (akin_sort)sort,
		                        .group = (akin_group)group, .diverse = v->diverse, .why = v->why, .all = v->all };
	return true;
}

static int answer(const struct cli *cli, const struct values *v, akin_library *lib, const akin_result *result)
{
	enum search_form form = v->json ? SEARCH_JSON : v->zero ? SEARCH_NULL : v->paths ? SEARCH_PATHS : SEARCH_TABLE;

	if (v->preview && akin_result_count(result) && out_is_terminal(stdout)) preview_hits(lib, result);
	search_put_answer(cli, result, form, v->why);
	if (v->timings) put_timings(akin_result_timings(result));
	if (akin_result_hint(result)) cli_note(cli, "did you mean: %s", akin_result_hint(result));
	return akin_result_count(result) ? EXIT_DONE : nothing(cli, v, lib);
}

static int ask(const struct cli *cli, const struct values *v, akin_query *query, const akin_search_params *params)
{
	akin_error err = { .status = AKIN_OK };
	akin_library *lib = NULL;
	akin_result *result = NULL;
	int code = EXIT_FAILED;

	if (cli_open(cli, NULL, AKIN_OPEN_READONLY, &lib) != AKIN_OK) return EXIT_FAILED;
	if (search_query_feedback(query, lib, &v->like, true) && search_query_feedback(query, lib, &v->unlike, false)) {
		if (akin_search(lib, query, params, &result, &err) == AKIN_OK) code = answer(cli, v, lib, result);
		else cli_fail(&err);
	}
	akin_result_free(result);
	akin_library_close(lib);
	return code;
}

static int run(struct cli *cli, const struct parsed *parsed)
{
	const struct values *v = parsed->values;
	akin_error err = { .status = AKIN_OK };
	akin_search_params params;
	akin_query *query;
	bool misused = false;
	int code;

	if (v->json + v->paths + v->zero > 1)
		return cli_misuse(parsed, "--json, --paths and --null exclude one another");
	if (!parsed->n_args && !v->like.n) return cli_misuse(parsed, "say what to search for");
	if (!take_params(parsed, &params) || !cli_filter_fits(v->filter)) return EXIT_USAGE;
	if (akin_query_create(&query, &err) != AKIN_OK) return cli_fail(&err);
	if (search_query_words(query, parsed, v->allow_net, &misused)) code = ask(cli, v, query, &params);
	else code = misused ? EXIT_USAGE : EXIT_FAILED;
	akin_query_free(query);
	return code;
}

const struct command command_search = {
	.name = "search",
	.summary = "find pictures by picture, by text or by a mixture",
	.arguments = "WORD [[+|-] WORD]...",
	.max_args = 256,
	.about = "A WORD is a picture when there is such a file; it need not be in the library. id:N is a picture of the "
	         "library, - is one on standard input and, with --allow-net, an http or https address one on the net. "
	         "Anything else is a text, and texts beside one another are one text. text: or file: before a word decides "
	         "what it is.\n\n"
	         "Several words are several examples; what follows a lone + is wanted too, what follows a lone - between two "
	         "words is not. ^ and a number behind a word are its weight (1 without it), @x,y,w,h behind a picture is the "
	         "part that is meant, in pixels or in percent.\n\n"
	         "Each line of the answer has rank, score, path and size; a score of 1 is the same picture, 0.5 says: as likely "
	         "as not akin.",
	.options = options,
	.n_options = COUNT(options),
	.examples = examples,
	.n_examples = COUNT(examples),
	.values_bytes = sizeof(struct values),
	.run = run,
};
