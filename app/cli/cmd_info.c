/* cli/cmd_info.c - akin info: what is known of the library or of one picture.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "common/json.h"
#include "common/text.h"

struct values {
	int json;
};

static const struct option options[] = { JSON_OPTION(struct values, "as one JSON object") };

static const struct example examples[] = {
	{ "akin info", "how many pictures, which model, how large" },
	{ "akin info ~/Pictures/beach.jpg", "one picture: its files, size, and what seems to be on it" },
	{ "akin info --json id:1042", "the same for a program" },
};

static void put_key(const struct cli *cli, const char *key)
{
	printf("%s%-9s%s  ", cli->color ? "\x1b[2m" : "", key, cli->color ? "\x1b[0m" : "");
}

/* ---- the library ---- */

static void library_json(const akin_library_info *info)
{
	json_t *object = json_object();

	json_set_path(object, "library", info->dir);
	if (info->model) json_set_text(object, "model", info->model);
	json_set_count(object, "dim", info->dim);
	json_set_count(object, "pictures", info->pictures);
	json_set_count(object, "features", info->features);
	json_set_count(object, "files", info->files);
	json_set_count(object, "missing_files", info->missing_files);
	json_set_count(object, "failed_files", info->failed_files);
	json_set_count(object, "generation", info->generation);
	json_set_count(object, "store_bytes", info->store_bytes);
	json_set_count(object, "index_bytes", info->index_bytes);
	json_set_count(object, "schema", info->schema);
	json_put_line(stdout, object);
}

static void library_text(const struct cli *cli, const akin_library_info *info)
{
	char a[TEXT_NUMBER], b[TEXT_NUMBER], c[TEXT_NUMBER];

	put_key(cli, "library");
	cli_put_path(info->dir);
	putchar('\n');
	put_key(cli, "pictures");
	printf("%s\n", text_number(info->pictures, a));
	put_key(cli, "files");
	printf("%s present, %s missing, %s unreadable\n", text_number(info->files, a),
	       text_number(info->missing_files, b),
	       text_number(info->failed_files, c));
	put_key(cli, "model");
	if (info->model)
		printf("%s, %u dimensions, %s vectors\n", info->model, info->dim, text_number(info->features, a));
	else puts("none used yet");
	put_key(cli, "size");
	printf("%s store, %s index\n", text_bytes(info->store_bytes, a), text_bytes(info->index_bytes, b));
	put_key(cli, "schema");
	printf("%u, generation %" PRIu64 "\n", info->schema, info->generation);
}

static int library(const struct cli *cli, const struct values *v, akin_library *lib)
{
	akin_library_info info;
	akin_error err;

	if (akin_library_get_info(lib, &info, &err) != AKIN_OK) return cli_fail(&err);
	if (v->json) library_json(&info);
	else library_text(cli, &info);
	akin_library_info_deinit(&info);
	return EXIT_DONE;
}

/* ---- a picture ---- */

static void add_time(int64_t seconds, char *out, size_t n)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(out, n, "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(out, n, "%lld", (long long)seconds);
}

static void set_list(json_t *object, const char *key, char **texts, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) json_array_append_new(list, json_string(texts[i]));
	json_object_set_new(object, key, list);
}

static void facts_json(json_t *object, const akin_picture *p)
{
	const struct {
		const char *key, *text;
	} texts[] = { { "taken", p->taken }, { "camera_make", p->camera_make }, { "camera_model", p->camera_model },
		      { "lens", p->lens }, { "title", p->title }, { "caption", p->caption }, { "creator", p->creator },
		      { "sidecar", p->sidecar } };
	json_t *colours = json_array();

	for (size_t i = 0; i < COUNT(texts); i++)
		if (texts[i].text) json_set_text(object, texts[i].key, texts[i].text);
	if (!isnan(p->latitude)) {
		json_set_real(object, "latitude", p->latitude);
		json_set_real(object, "longitude", p->longitude);
	}
	if (!isnan(p->altitude)) json_set_real(object, "altitude", p->altitude);
	if (p->rating != AKIN_RATING_UNKNOWN) json_object_set_new(object, "rating", json_integer(p->rating));
	if (p->is_grey >= 0) json_object_set_new(object, "grey", json_boolean(p->is_grey));
	for (size_t i = 0; i < p->n_colours; i++) {
		json_t *colour = json_object();

		json_set_text(colour, "name", p->colours[i].name);
		json_set_text(colour, "hex", p->colours[i].hex);
		json_set_count(colour, "percent", p->colours[i].percent);
		json_array_append_new(colours, colour);
	}
	json_object_set_new(object, "colours", colours);
	set_list(object, "keywords", p->keywords, p->n_keywords);
	set_list(object, "tags", p->tags, p->n_tags);
}

static void picture_json(const akin_picture *p)
{
	json_t *object = json_object(), *files = json_array(), *labels = json_array();
	char added[40];

	json_set_count(object, "id", (unsigned long long)p->id);
	for (size_t i = 0; i < p->n_paths; i++) {
		json_t *file = json_object();

		json_set_path(file, "path", p->paths[i]);
		json_set_text(file, "state", i < p->n_present ? "present" : "missing");
		json_array_append_new(files, file);
	}
	json_object_set_new(object, "files", files);
	json_set_count(object, "width", p->width);
	json_set_count(object, "height", p->height);
	json_set_text(object, "format", p->format);
	json_set_count(object, "bytes", p->bytes);
	json_set_text(object, "hash", p->hash);
	add_time(p->added_at, added, sizeof added);
	json_set_text(object, "added", added);
	json_object_set_new(object, "has_vector", json_boolean(p->has_vector));
	for (size_t i = 0; i < p->n_labels; i++) {
		json_t *label = json_object();

		json_set_text(label, "name", p->labels[i].name);
		if (p->labels[i].name_zh[0]) json_set_text(label, "name_zh", p->labels[i].name_zh);
		json_set_real(label, "probability", (double)p->labels[i].probability);
		json_array_append_new(labels, label);
	}
	json_object_set_new(object, "labels", labels);
	facts_json(object, p);
	json_put_line(stdout, object);
}

static void picture_labels(const struct cli *cli, const akin_picture *p)
{
	unsigned widest = 0;

	for (size_t i = 0; i < p->n_labels; i++) {
		unsigned width = text_width(p->labels[i].name);
		if (width > widest) widest = width;
	}
	for (size_t i = 0; i < p->n_labels; i++) {
		const akin_label *label = &p->labels[i];

		put_key(cli, i ? "" : "labels");
		printf("%5.1f %%  %s", 100 * (double)label->probability, label->name);
		if (label->name_zh[0]) {
			text_put_blanks(stdout, widest - text_width(label->name) + 2);
			fputs(label->name_zh, stdout);
		}
		putchar('\n');
	}
}

static void put_fact(const struct cli *cli, const char *key, const char *text)
{
	if (!text) return;
	put_key(cli, key);
	text_put_visible(stdout, text);
	putchar('\n');
}

static void put_words(const struct cli *cli, const char *key, char **words, size_t n)
{
	if (!n) return;
	put_key(cli, key);
	for (size_t i = 0; i < n; i++) {
		if (i) fputs(", ", stdout);
		text_put_visible(stdout, words[i]);
	}
	putchar('\n');
}

/* Makers repeat their name in that of the model: "Canon", "Canon EOS 40D". */
static void put_camera(const struct cli *cli, const akin_picture *p)
{
	const char *make = p->camera_make ? p->camera_make : "", *model = p->camera_model ? p->camera_model : "";
	const bool repeated = !strncmp(model, make, strcspn(make, " "));
	char *both = must_printf("%s%s%s", repeated ? "" : make, repeated || !*make || !*model ? "" : " ", model);

	put_fact(cli, "camera", *both ? both : NULL);
	free(both);
	put_fact(cli, "lens", p->lens);
}

static void picture_facts(const struct cli *cli, const akin_picture *p)
{
	put_fact(cli, "taken", p->taken);
	put_camera(cli, p);
	if (!isnan(p->latitude)) {
		put_key(cli, "place");
		printf("%.6f, %.6f", p->latitude, p->longitude);
		if (!isnan(p->altitude)) printf(", %.0f m", p->altitude);
		putchar('\n');
	}
	put_fact(cli, "title", p->title);
	put_fact(cli, "caption", p->caption);
	put_fact(cli, "creator", p->creator);
	put_words(cli, "keywords", p->keywords, p->n_keywords);
	put_words(cli, "tags", p->tags, p->n_tags);
	if (p->rating != AKIN_RATING_UNKNOWN) {
		put_key(cli, "rating");
		printf("%d\n", p->rating);
	}
	for (size_t i = 0; i < p->n_colours; i++) {
		if (!i) put_key(cli, "colours");
		printf("%s%s %s %u %%", i ? ", " : "", p->colours[i].name, p->colours[i].hex, p->colours[i].percent);
		if (i + 1 == p->n_colours) puts(p->is_grey == 1 ? " (no colour)" : "");
	}
}

static void picture_text(const struct cli *cli, const akin_picture *p)
{
	char size[TEXT_NUMBER], added[40];

	for (size_t i = 0; i < p->n_paths; i++) {
		put_key(cli, i ? "" : "file");
		cli_put_path(p->paths[i]);
		puts(i < p->n_present ? "" : " (missing)");
	}
	put_key(cli, "id");
	printf("%lld\n", (long long)p->id);
	if (p->width) {
		put_key(cli, "picture");
		printf("%ux%u, %s, %s\n", p->width, p->height, p->format, text_bytes(p->bytes, size));
	}
	if (p->hash[0]) {
		put_key(cli, "hash");
		puts(p->hash);
	}
	add_time(p->added_at, added, sizeof added);
	put_key(cli, "added");
	puts(added);
	if (!p->has_vector) {
		put_key(cli, "vector");
		puts("none; akin index makes it");
	}
	picture_facts(cli, p);
	picture_labels(cli, p);
}

static int picture(const struct cli *cli, const struct values *v, akin_library *lib, const char *word)
{
	akin_picture p;
	akin_error err;
	akin_id id;
	akin_status st = cli_find(lib, word, &id, &err);

	if (st == AKIN_OK) st = akin_picture_get(lib, id, &p, &err);
	if (st != AKIN_OK) {
		cli_fail(&err);
		return st == AKIN_ERR_NOT_FOUND ? EXIT_NOTHING : EXIT_FAILED;
	}
	if (v->json) picture_json(&p);
	else picture_text(cli, &p);
	akin_picture_deinit(&p);
	return EXIT_DONE;
}

static int run(struct cli *cli, const struct parsed *parsed)
{
	akin_library *lib = NULL;
	int code;

	if (cli_open(cli, NULL, AKIN_OPEN_READONLY, &lib) != AKIN_OK) return EXIT_FAILED;
	code = parsed->n_args ? picture(cli, parsed->values, lib, parsed->args[0]) : library(cli, parsed->values, lib);
	akin_library_close(lib);
	return code;
}

const struct command command_info = {
	.name = "info",
	.summary = "tell what is known of the library or of a picture",
	.arguments = "[PICTURE|id:N]",
	.max_args = 1,
	.about = "Without an argument: the library. With one: that picture, its files, its size, when it was added, "
	         "what its file says (when, where and with which camera it was taken, title, caption, keywords), its "
	         "tags and colours, and what the model's classifier sees on it, in English and Chinese.",
	.options = options,
	.n_options = COUNT(options),
	.examples = examples,
	.n_examples = COUNT(examples),
	.values_bytes = sizeof(struct values),
	.run = run,
};
