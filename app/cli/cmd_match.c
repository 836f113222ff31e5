/* cli/cmd_match.c - akin match: whether one picture, or part of it, is in another, with proof.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/cli.h"
#include "common/json.h"

struct values {
	const char *local, *model, *draw;
	int64_t budget, side;
	double ratio;
	int upright, json, preview;
};

static const char *const kinds[] = { "sift", "surf", "orb" };
static const char *const models[] = { "homography", "affine", "similarity", "fundamental" };

static const struct option options[] = {
	{ .name = "local", .type = OPTION_STRING, .metavar = "KIND", .preset = "sift",
	  .at = offsetof(struct values, local),
	  .help = "kind of local features: sift finds most, surf is faster, orb fastest" },
	{ .name = "geometry", .letter = 'g', .type = OPTION_STRING, .metavar = "MAP", .preset = "homography",
	  .at = offsetof(struct values, model),
	  .help = "most general map allowed between the two: similarity, affine, homography (flat things), or "
	          "fundamental (solid things from two places)" },
	{ .name = "features", .letter = 'n', .type = OPTION_INT, .metavar = "N", .min = 1, .max = 100000,
	  .preset = "2000",
	  .at = offsetof(struct values, budget), .help = "at most so many features a picture" },
	{ .name = "side", .type = OPTION_INT, .metavar = "PIXELS", .min = 16, .max = 4096, .preset = "1024",
	  .at = offsetof(struct values, side), .help = "make larger pictures so small first" },
	{ .name = "ratio", .type = OPTION_REAL, .metavar = "R", .min = 0, .max = 1,
	  .at = offsetof(struct values, ratio),
	  .help = "most of nearest by second nearest distance; without it 0.8, for orb 0.85" },
	{ .name = "upright", .letter = 'u', .type = OPTION_FLAG, .at = offsetof(struct values, upright),
	  .help = "nothing is turned" },
	{ .name = "draw", .letter = 'd', .type = OPTION_FILE, .metavar = "FILE", .at = offsetof(struct values, draw),
	  .help = "write both pictures, the lines between them and the outline of A in B as a PNG" },
	{ .name = "preview", .letter = 'p', .type = OPTION_FLAG, .at = offsetof(struct values, preview),
	  .help = "show that picture in the terminal" },
	JSON_OPTION(struct values,
	            "as one JSON object: found, model, matches, inliers, log10_nfa, precision, box, map"),
};

static const struct example examples[] = {
	{ "akin match logo.png page.jpg", "whether the logo is on the page, and where" },
	{ "akin match --draw proof.png crop.jpg photo.jpg", "with a picture of what belongs together" },
	{ "akin match --local orb --json a.jpg b.jpg", "faster, for a program" },
};

/* Index of the word in the list; n: not there. */
static size_t place_of(const char *word, const char *const *list, size_t n)
{
	size_t i = 0;

	while (i < n && strcmp(word, list[i]) != 0) i++;
	return i;
}

static void put_json(const struct parsed *parsed, const akin_match_info *info)
{
	json_t *object = json_object(), *box = json_array(), *map = json_array();

	json_set_path(object, "a", parsed->args[0]);
	json_set_path(object, "b", parsed->args[1]);
	json_object_set_new(object, "found", json_boolean(info->found));
	json_set_text(object, "model", models[info->model]);
	json_set_count(object, "matches", info->n_matches);
	json_set_count(object, "inliers", info->n_inliers);
	json_set_real(object, "log10_nfa", info->log10_nfa);
	json_set_real(object, "precision", info->precision);
	for (size_t i = 0; i < 8 && info->has_box; i++) json_array_append_new(box, json_real(info->box[i]));
	for (size_t i = 0; i < 9 && info->found; i++) json_array_append_new(map, json_real(info->map[i]));
	json_object_set_new(object, "box", info->has_box ? box : json_null());
	json_object_set_new(object, "map", info->found ? map : json_null());
	if (!info->has_box) json_decref(box);
	if (!info->found) json_decref(map);
	json_put_line(stdout, object);
}

static void put_text(const struct parsed *parsed, const akin_match_info *info)
{
	static const char *const names[] = { "a homography", "an affine map", "a similarity", "a fundamental matrix" };

	if (!info->found) {
		printf("not found: %zu of %zu matches agree, log10 NFA %.1f\n", info->n_inliers, info->n_matches,
		       info->log10_nfa);
		return;
	}
	cli_put_path(parsed->args[0]);
	fputs(" is in ", stdout);
	cli_put_path(parsed->args[1]);
	printf(": %zu of %zu matches agree within %.1f pixels on %s, log10 NFA %.1f\n", info->n_inliers,
	       info->n_matches,
	       info->precision,
	       names[info->model],
	       info->log10_nfa);
	if (info->has_box)
		printf("corners (%.1f, %.1f) (%.1f, %.1f) (%.1f, %.1f) (%.1f, %.1f)\n", info->box[0], info->box[1],
		       info->box[2],
		       info->box[3], info->box[4], info->box[5], info->box[6], info->box[7]);
}

static akin_status show(const struct values *v, const akin_match *match, akin_error *err)
{
	unsigned char *rgb = NULL;
	unsigned width, height;
	akin_status st = AKIN_OK;

	if (v->draw) st = akin_match_draw_file(match, v->draw, err);
	if (st != AKIN_OK || !v->preview || !out_is_terminal(stdout)) return st;
	if ((st = akin_match_draw(match, &rgb, &width, &height, err)) == AKIN_OK) preview_rgb(rgb, width, height);
	akin_bytes_free(rgb);
	return st;
}

static int run(struct cli *cli, const struct parsed *parsed)
{
	const struct values *v = parsed->values;
	size_t kind = place_of(v->local, kinds, COUNT(kinds)), model = place_of(v->model, models, COUNT(models));
	const akin_local_params features = { .kind = (akin_local_kind)kind, .budget = (unsigned)v->budget,
		                             .max_side = (unsigned)v->side, .upright = v->upright,
		                             .keep_picture = v->draw || v->preview };
	const akin_match_params params = { .model = (akin_match_model)model, .ratio = v->ratio };
	akin_local *a = NULL, *b = NULL;
	akin_match *match = NULL;
	akin_error err = { .status = AKIN_OK };
	akin_status st;
	int found = 0;

	(void)cli;
	if (kind == COUNT(kinds)) return cli_misuse(parsed, "--local is sift, surf or orb, not %s", v->local);
	if (model == COUNT(models))
		return cli_misuse(parsed, "--geometry is similarity, affine, homography or fundamental, not %s",
		                  v->model);
	st = akin_local_read(&a, parsed->args[0], &features, &err);
	if (st == AKIN_OK) st = akin_local_read(&b, parsed->args[1], &features, &err);
	if (st == AKIN_OK) st = akin_match_create(&match, a, b, &params, &err);
	if (st == AKIN_OK) st = show(v, match, &err);
	if (st == AKIN_OK) {
		found = akin_match_get(match)->found;
		if (v->json) put_json(parsed, akin_match_get(match));
		else put_text(parsed, akin_match_get(match));
	}
	akin_match_free(match);
	akin_local_free(a);
	akin_local_free(b);
	if (st != AKIN_OK) return cli_fail(&err);
	return found ? EXIT_DONE : EXIT_NOTHING;
}

const struct command command_match = {
	.name = "match",
	.summary = "tell whether one picture, or part of it, is in another",
	.arguments = "A B",
	.min_args = 2,
	.max_args = 2,
	.about = "Compares local features of the two pictures and looks for a geometric map that many of them agree on. "
	         "Needs no library and no model. It is found when fewer than one in a million comparisons of unrelated "
	         "pictures is expected to agree as well by chance: log10 NFA of -6 or less. The corners are those of A "
	         "in B, in pixels, from the top left one clockwise.\n\n"
	         "Exit status 1 says that nothing was found.",
	.options = options,
	.n_options = COUNT(options),
	.examples = examples,
	.n_examples = COUNT(examples),
	.values_bytes = sizeof(struct values),
	.run = run,
};
