/* cli/cmd_models.c - akin models: which models there are, whether they are whole, adding one.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/cli.h"
#include "common/json.h"
#include "common/text.h"

struct values {
	int json;
};

static const struct option options[] = { JSON_OPTION(struct values, "one JSON object a line, with list and info") };

static const struct example examples[] = {
	{ "akin models", "the models that are there; the star marks the default" },
	{ "akin models info efficientnet-lite2", "where it comes from, its licence, its files" },
	{ "akin models add ~/dinov2/card.json", "verify a model and copy it where akin finds it" },
	{ "akin models verify", "compare every model's files with the sums of its card and run it once" },
};

static void on_bad(void *user, const char *card_path, const char *reason)
{
	(void)user;
	say("%s: %s", card_path, reason);
}

static const char *or_dash(const char *s)
{
	return s && s[0] ? s : "-";
}

/* Pixels, or text. */
static const char *input_of(const akin_model_info *m, char *out, size_t room)
{
	if (!m->width) return "text";
	snprintf(out, room, "%ux%u", m->width, m->height);
	return out;
}

static void put_json(const akin_model_info *m)
{
	json_t *object = json_object();

	json_set_text(object, "name", m->name);
	json_set_text(object, "title", m->title ? m->title : "");
	json_set_text(object, "source", m->source ? m->source : "");
	json_set_text(object, "licence", m->licence ? m->licence : "");
	json_set_path(object, "card", m->card_path);
	json_set_path(object, "file", m->model_path);
	json_set_text(object, "metric", m->metric ? m->metric : "");
	json_set_count(object, "width", m->width);
	json_set_count(object, "height", m->height);
	json_set_count(object, "dim", m->dim);
	json_set_count(object, "bytes", m->bytes);
	json_set_count(object, "text_length", m->text_length);
	json_object_set_new(object, "default", json_boolean(m->is_default));
	json_put_line(stdout, object);
}

static void put_key(const struct cli *cli, const char *key)
{
	printf("%s%-9s%s  ", cli->color ? "\x1b[2m" : "", key, cli->color ? "\x1b[0m" : "");
}

static void put_line(const struct cli *cli, const char *key, const char *value)
{
	put_key(cli, key);
	text_put_visible(stdout, or_dash(value));
	putchar('\n');
}

static void put_info(const struct cli *cli, const akin_model_info *m)
{
	char size[TEXT_NUMBER], input[24];

	put_key(cli, "name");
	printf("%s%s\n", m->name, m->is_default ? " (default)" : "");
	put_line(cli, "title", m->title);
	put_line(cli, "source", m->source);
	put_line(cli, "licence", m->licence);
	put_key(cli, "input");
	puts(input_of(m, input, sizeof input));
	put_key(cli, "vector");
	printf("%u dimensions, compared by %s\n", m->dim, or_dash(m->metric));
	if (m->text_length) {
		put_key(cli, "text");
		printf("a tower of its own, %u tokens\n", m->text_length);
	}
	put_line(cli, "card", m->card_path);
	put_line(cli, "file", m->model_path);
	put_key(cli, "size");
	puts(text_bytes(m->bytes, size));
}

static void put_rows(const struct cli *cli, const akin_model_list *list)
{
	unsigned widest = 0;

	for (size_t i = 0; i < akin_model_list_count(list); i++) {
		unsigned width = text_width(akin_model_list_get(list, i)->name);
		if (width > widest) widest = width;
	}
	for (size_t i = 0; i < akin_model_list_count(list); i++) {
		const akin_model_info *m = akin_model_list_get(list, i);
		char size[TEXT_NUMBER], input[24];

		printf("%c %s", m->is_default ? '*' : ' ', m->name);
		text_put_blanks(stdout, widest - text_width(m->name) + 2);
		printf("%s%9s  %5u  %9s%s  %s\n", cli->color ? "\x1b[2m" : "",
		       input_of(m, input, sizeof input), m->dim,
		       text_bytes(m->bytes, size),
		       cli->color ? "\x1b[0m" : "", m->title ? m->title : "");
	}
}

/* `name` NULL: all of them. */
static int show(const struct cli *cli, const struct values *v, const char *name)
{
	akin_model_list *list = NULL;
	akin_error err;
	size_t shown = 0;

	if (akin_models_list(&list, cli->globals.models, on_bad, NULL, &err) != AKIN_OK) return cli_fail(&err);
	for (size_t i = 0; i < akin_model_list_count(list); i++) {
		const akin_model_info *m = akin_model_list_get(list, i);

		if (name && strcmp(m->name, name) != 0) continue;
		shown++;
		if (v->json) put_json(m);
		else if (name) put_info(cli, m);
	}
	if (!name && !v->json) put_rows(cli, list);
	if (!shown && name) say("there is no model named %s; akin models lists them", name);
	else if (!shown) cli_note(cli, "no models found; --models DIR tells where they lie");
	akin_model_list_free(list);
	return shown ? EXIT_DONE : EXIT_NOTHING;
}

static int verify_one(const struct cli *cli, const char *name)
{
	akin_error err;

	if (akin_model_verify(name, cli->globals.models, &err) != AKIN_OK) return cli_fail(&err);
	printf("%s: sound\n", name);
	return EXIT_DONE;
}

static int verify_all(const struct cli *cli)
{
	akin_model_list *list = NULL;
	akin_error err;
	int code = EXIT_NOTHING;

	if (akin_models_list(&list, cli->globals.models, on_bad, NULL, &err) != AKIN_OK) return cli_fail(&err);
	for (size_t i = 0; i < akin_model_list_count(list); i++) {
		int one = verify_one(cli, akin_model_list_get(list, i)->name);

		code = code == EXIT_FAILED || one == EXIT_FAILED ? EXIT_FAILED : EXIT_DONE;
	}
	akin_model_list_free(list);
	return code;
}

static void on_mistake(void *user, const char *member, const char *what, const char *example)
{
	size_t *n = user;

	(*n)++;
	say("\"%s\" %s%s%s", member, what, example[0] ? "; for example " : "", example);
}

static int add(const struct cli *cli, const char *card)
{
	akin_error err;
	size_t mistakes = 0;

	if (akin_model_review(card, on_mistake, &mistakes, &err) != AKIN_OK) {
		if (!mistakes) return cli_fail(&err);
		say("%s has %zu mistake%s", card, mistakes, mistakes == 1 ? "" : "s");
		return EXIT_FAILED;
	}
	if (akin_model_add(card, &err) != AKIN_OK) return cli_fail(&err);
	cli_note(cli, "added; use it with --model NAME");
	return EXIT_DONE;
}

static int run(struct cli *cli, const struct parsed *parsed)
{
	const char *what = parsed->n_args ? parsed->args[0] : "list";
	const char *name = parsed->n_args > 1 ? parsed->args[1] : NULL;

	if (!strcmp(what, "list") && !name) return show(cli, parsed->values, NULL);
	if (!strcmp(what, "info") && name) return show(cli, parsed->values, name);
	if (!strcmp(what, "add") && name) return add(cli, name);
	if (!strcmp(what, "verify")) return name ? verify_one(cli, name) : verify_all(cli);
	return cli_misuse(parsed, "models wants list, info NAME, add CARD or verify [NAME]");
}

const struct command command_models = {
	.name = "models",
	.summary = "list, describe, add and verify models",
	.arguments = "[list | info NAME | add CARD | verify [NAME]]",
	.words = "list info add verify",
	.max_args = 2,
	.about = "A model is a network in a file that OpenVINO reads (ONNX, IR, TensorFlow, TFLite) and a card that "
	         "says how to feed it. list prints name, input size, dimensions of the vector, bytes on disk and "
	         "title.",
	.options = options,
	.n_options = COUNT(options),
	.examples = examples,
	.n_examples = COUNT(examples),
	.values_bytes = sizeof(struct values),
	.run = run,
};
