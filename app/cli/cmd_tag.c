/* cli/cmd_tag.c - akin tag: words that the user gives to pictures.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "common/json.h"
#include "common/text.h"

struct values {
	int add, remove, zero, json;
};

static const struct option options[] = {
	{ .name = "add", .type = OPTION_FLAG, .at = offsetof(struct values, add),
	  .help = "give TAG to the pictures; this is what happens without it, too" },
	{ .name = "remove", .letter = 'r', .type = OPTION_FLAG, .at = offsetof(struct values, remove),
	  .help = "take TAG away from the pictures" },
	{ .name = "null", .letter = '0', .type = OPTION_FLAG, .at = offsetof(struct values, zero),
	  .help = "paths on standard input end with NUL" },
	JSON_OPTION(struct values, "list the tags as one JSON object a line: tag, pictures"),
};

static const struct example examples[] = {
	{ "akin tag holiday beach.jpg id:1042", "two pictures are called holiday" },
	{ "akin tag", "every tag and how many pictures have it" },
	{ "akin tag --remove holiday id:1042", "one of them no longer is" },
	{ "akin list --filter 'taken:2023-07 near(43.7,7.3,20km)' -0 | akin tag -0 nice", "tag what a filter finds" },
	{ "akin search --filter tag:holiday beach.jpg", "search among them" },
};

struct listing {
	bool json;
	size_t n;
};

static int put_tag(void *user, const char *tag, uint64_t pictures)
{
	struct listing *l = user;
	char number[TEXT_NUMBER];

	l->n++;
	if (l->json) {
		json_t *object = json_object();

		json_set_text(object, "tag", tag);
		json_set_count(object, "pictures", pictures);
		json_put_line(stdout, object);
	} else {
		printf("%8s  ", text_number(pictures, number));
		text_put_visible(stdout, tag);
		putchar('\n');
	}
	return ferror(stdout);
}

static int list_tags(const struct cli *cli, const struct values *v)
{
	struct listing listing = { v->json != 0, 0 };
	akin_library *lib = NULL;
	akin_error err;
	akin_status st;

	if (cli_open(cli, NULL, AKIN_OPEN_READONLY, &lib) != AKIN_OK) return EXIT_FAILED;
	st = akin_tag_list(lib, put_tag, &listing, &err);
	akin_library_close(lib);
	if (st != AKIN_OK) return cli_fail(&err);
	if (!listing.n) cli_note(cli, "no picture has a tag yet; give one: akin tag TAG PICTURE");
	return listing.n ? EXIT_DONE : EXIT_NOTHING;
}

static akin_status find_all(akin_library *lib, const struct path_list *list, akin_id *ids, akin_error *err)
{
	akin_status st = AKIN_OK;

	for (size_t i = 0; i < list->n && st == AKIN_OK; i++) st = cli_find(lib, list->items[i], &ids[i], err);
	return st;
}

static int set_tags(const struct cli *cli, const struct values *v, const char *tag, const struct path_list *list)
{
	akin_id *ids = must_zalloc((list->n + 1) * sizeof *ids);
	akin_library *lib = NULL;
	akin_error err = { .status = AKIN_OK };
	char number[TEXT_NUMBER];
	uint64_t n = 0;
	akin_status st;

	if (cli_open(cli, NULL, 0, &lib) != AKIN_OK) {
		free(ids);
		return EXIT_FAILED;
	}
	st = find_all(lib, list, ids, &err);
	if (st == AKIN_OK)
		st = v->remove ? akin_tag_remove(lib, tag, ids, list->n, &n, &err) : akin_tag_add(lib, tag, ids, list->n, &n, &err);
	akin_library_close(lib);
	free(ids);
	if (st != AKIN_OK) {
		cli_fail(&err);
		return st == AKIN_ERR_NOT_FOUND ? EXIT_NOTHING : EXIT_FAILED;
	}
	cli_note(cli, "%s %s %s", text_number(n, number), n == 1 ? "picture" : "pictures", v->remove ? "untagged" : "tagged");
	return list->n ? EXIT_DONE : EXIT_NOTHING;
}

static int run(struct cli *cli, const struct parsed *parsed)
{
	const struct values *v = parsed->values;
	struct parsed pictures = *parsed;
	struct path_list list;
	int code;

	if (v->add && v->remove) return cli_misuse(parsed, "--add and --remove exclude one another");
	if (!parsed->n_args && !v->remove && !v->add && !v->zero) return list_tags(cli, v);
	if (!parsed->n_args || (parsed->n_args == 1 && !v->zero)) return cli_misuse(parsed, "tag needs a tag and pictures");
	pictures.args++;
	pictures.n_args--;
	if (!path_list_read(&list, &pictures, v->zero)) return EXIT_FAILED;
	code = set_tags(cli, v, parsed->args[0], &list);
	path_list_free(&list);
	return code;
}

const struct command command_tag = {
	.name = "tag",
	.summary = "give words to pictures, or list them",
	.arguments = "[TAG PATH|id:N...]",
	.max_args = SIZE_MAX,
	.about = "Gives TAG to pictures of the library, or takes it away. Without arguments: every tag and how many "
	         "pictures have it. Case and accents do not matter. Tags belong to the picture and stay when its files "
	         "move; searches and lists find them with --filter tag:TAG. PATH - reads paths from standard input, one a "
	         "line.",
	.options = options,
	.n_options = COUNT(options),
	.examples = examples,
	.n_examples = COUNT(examples),
	.values_bytes = sizeof(struct values),
	.run = run,
};
