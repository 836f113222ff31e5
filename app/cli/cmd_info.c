/* cli/cmd_info.c - akin info: what is known of the library or of one picture.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
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
	         "and what the model's classifier sees on it, in English and Chinese.",
	.options = options,
	.n_options = COUNT(options),
	.examples = examples,
	.n_examples = COUNT(examples),
	.values_bytes = sizeof(struct values),
	.run = run,
};
