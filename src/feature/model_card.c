/* feature/model_card.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "feature/model_card.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/str.h"

enum { CARD_VERSION = 1, CARD_MAX_BYTES = 1 << 20, MAX_TENSOR_SIDE = 4096, MAX_DIM = 65536, MAX_TEXT_LENGTH = 4096 };

/* A reading position. The first mistake stays in `err`; all of them are told. Reading goes on after a mistake, so that
 * one look at the card finds them all. */
struct reader {
	akin_status st;
	akin_error *err;
	card_mistake *tell; /* may be NULL */
	void *user;
	const char *part;   /* the object being read: "input" */
};

/* The right form of every member that can be wrong. */
static const char *const examples[][2] = {
	{ "akin_model", "\"akin_model\": 1" },
	{ "name", "\"name\": \"clip-vit-b32\"" },
	{ "title", "\"title\": \"CLIP ViT-B/32, 224x224\"" },
	{ "source", "\"source\": \"openai/clip-vit-base-patch32, exported with optimum 1.20\"" },
	{ "licence", "\"licence\": \"MIT\"" },
	{ "file", "\"file\": \"picture.onnx\"" },
	{ "weights", "\"weights\": \"picture.bin\"" },
	{ "metric", "\"metric\": \"cosine\"" },
	{ "sha256", "\"sha256\": { \"picture.onnx\": \"64 digits, as sha256sum prints them\" }" },
	{ "input", "\"input\": { \"name\": \"pixel_values\", \"width\": 224, \"height\": 224 }" },
	{ "input.name", "\"name\": \"pixel_values\"" },
	{ "input.width", "\"width\": 224" },
	{ "input.height", "\"height\": 224" },
	{ "input.layout", "\"layout\": \"NCHW\"" },
	{ "input.channels", "\"channels\": \"RGB\"" },
	{ "input.resize", "\"resize\": \"shorter\"" },
	{ "input.resize_to", "\"resize_to\": 224" },
	{ "input.crop", "\"crop\": \"centre\"" },
	{ "input.filter", "\"filter\": \"bicubic\"" },
	{ "input.denoise", "\"denoise\": \"none\"" },
	{ "input.autocontrast", "\"autocontrast\": false" },
	{ "input.mean", "\"mean\": [122.771, 116.746, 104.094]" },
	{ "input.std", "\"std\": [68.501, 66.632, 70.323]" },
	{ "output", "\"output\": { \"embedding\": \"image_embeds\", \"dim\": 512 }" },
	{ "output.embedding", "\"embedding\": \"image_embeds\"" },
	{ "output.logits", "\"logits\": \"logits\"" },
	{ "output.pooling", "\"pooling\": \"none\"" },
	{ "output.gem_p", "\"gem_p\": 3" },
	{ "output.normalise", "\"normalise\": true" },
	{ "output.dim", "\"dim\": 512" },
	{ "labels.file", "\"file\": \"labels.tsv\"" },
	{ "labels.softmax", "\"softmax\": true" },
	{ "calibration.random_cosine", "\"random_cosine\": 0.33" },
	{ "calibration.random_distance", "\"random_distance\": 0.67" },
	{ "text", "\"text\": { \"file\": \"text.onnx\", \"tokenizer\": \"tokenizer.json\", \"length\": 77 }" },
	{ "text.file", "\"file\": \"text.onnx\"" },
	{ "text.weights", "\"weights\": \"text.bin\"" },
	{ "text.tokenizer", "\"tokenizer\": \"tokenizer.json\"" },
	{ "text.ids", "\"ids\": \"input_ids\"" },
	{ "text.mask", "\"mask\": \"attention_mask\"" },
	{ "text.types", "\"types\": \"token_type_ids\"" },
	{ "text.output", "\"output\": \"text_embeds\"" },
	{ "text.length", "\"length\": 77" },
	{ "text.pad_id", "\"pad_id\": 49407" },
	{ "text.normalise", "\"normalise\": true" },
	{ "text.logit_scale", "\"logit_scale\": 100" },
	{ "text.logit_bias", "\"logit_bias\": -12.9" },
};

static void wrong(struct reader *r, const char *member, const char *what)
{
	const char *example = "";
	char path[80];

	snprintf(path, sizeof path, "%s%s%s", r->part, r->part[0] ? "." : "", member);
	for (size_t i = 0; i < COUNT(examples); i++)
		if (!strcmp(examples[i][0], path)) example = examples[i][1];
	if (r->st == AKIN_OK)
		r->st = error_set(r->err, AKIN_ERR_FORMAT, "\"%s\" %s%s%s", path, what,
		                  example[0] ? "; for example " : "", example);
	if (r->tell) r->tell(r->user, path, what, example);
}

static char *text(struct reader *r, const json_t *object, const char *member, bool required)
{
	const json_t *value = json_object_get(object, member);
	char *copy;

	if (!value || json_is_null(value)) {
		if (required) wrong(r, member, "is missing");
		return NULL;
	}
	if (!json_is_string(value)) {
		wrong(r, member, "must be a text");
		return NULL;
	}
	if (!(copy = mem_strdup(json_string_value(value)))) r->st = error_nomem(r->err);
	return copy;
}

/* `missing` NAN: required. */
static double number(struct reader *r, const json_t *object, const char *member, double min, double max, double missing)
{
	const json_t *value = json_object_get(object, member);
	char what[96];

	if (!value || json_is_null(value)) {
		if (isnan(missing)) wrong(r, member, "is missing");
		return isnan(missing) ? min : missing;
	}
	if (json_is_number(value) && json_number_value(value) >= min && json_number_value(value) <= max)
		return json_number_value(value);
	snprintf(what, sizeof what, "must be a number from %g to %g", min, max);
	wrong(r, member, what);
	return min;
}

static bool flag(struct reader *r, const json_t *object, const char *member, bool missing)
{
	const json_t *value = json_object_get(object, member);

	if (!value || json_is_null(value)) return missing;
	if (!json_is_boolean(value)) wrong(r, member, "must be true or false");
	return json_is_true(value);
}

/* The position of the member's text in the NULL-ended list; the first is the default. */
static int choice(struct reader *r, const json_t *object, const char *member, const char *const *names)
{
	const json_t *value = json_object_get(object, member);
	char what[160] = "must be one of";
	size_t used = strlen(what);

	if (!value || json_is_null(value)) return 0;
	for (int i = 0; names[i]; i++) {
		if (json_is_string(value) && !strcmp(json_string_value(value), names[i])) return i;
		snprintf(what + used, sizeof what - used, " \"%s\"", names[i]);
		used = strlen(what);
	}
	wrong(r, member, what);
	return 0;
}

static void triple(struct reader *r, const json_t *object, const char *member, float missing, float out[3])
{
	const json_t *value = json_object_get(object, member);
	bool good = json_is_array(value) && json_array_size(value) == 3;

	for (size_t i = 0; i < 3; i++) out[i] = missing;
	if (!value || json_is_null(value)) return;
	for (size_t i = 0; i < 3 && good; i++) {
		const json_t *item = json_array_get(value, i);

		good = json_is_number(item) && isfinite((float)json_number_value(item));
		out[i] = (float)json_number_value(item);
	}
	if (!good) wrong(r, member, "must be an array of three numbers");
	for (size_t i = 0; i < 3 && !good; i++) out[i] = missing;
}

/* A name that stays inside the card's folder. */
static bool stays_inside(const char *name)
{
	if (!name[0] || name[0] == '/') return false;
	for (const char *p = name; p; p = strchr(p, '/'), p = p ? p + 1 : NULL)
		if (!strncmp(p, "..", 2) && (p[2] == '/' || p[2] == '\0')) return false;
	return true;
}

static char *file_name(struct reader *r, const json_t *object, const char *member, bool required)
{
	char *name = text(r, object, member, required);

	if (name && !stays_inside(name)) wrong(r, member, "must name a file in the card's folder");
	return name;
}

static void read_files(struct reader *r, const json_t *root, struct model_card *card)
{
	json_t *sums = json_object_get(root, "sha256"), *sum;
	const char *name;

	if (!json_is_object(sums)) {
		wrong(r, "sha256", sums ? "must be an object of file names and sums" : "is missing");
		return;
	}
	json_object_foreach(sums, name, sum) {
		const char *hex = json_string_value(sum);
		char what[160];

		if (card->n_files == CARD_MAX_FILES) {
			wrong(r, "sha256", "names too many files");
			return;
		}
		snprintf(what, sizeof what, "of %.80s must have 64 lower-case hexadecimal digits", name);
		if (!stays_inside(name)) wrong(r, "sha256", "names a file outside the card's folder");
		else if (!hex || strlen(hex) != 64 || strspn(hex, "0123456789abcdef") != 64) wrong(r, "sha256", what);
		else if (!(card->files[card->n_files].name = mem_strdup(name))) r->st = error_nomem(r->err);
		else memcpy(card->files[card->n_files++].sha256, hex, 65);
	}
}

/* A file, or a folder (SavedModel) of files, must be among those with a sum: only these are compared and copied. */
static void need_sum(struct reader *r, const json_t *root, const char *file)
{
	const size_t n = file ? strlen(file) : 0;
	json_t *sums = json_object_get(root, "sha256"), *sum;
	const char *name;
	char what[160];

	if (!file || !json_is_object(sums)) return;
	json_object_foreach(sums, name, sum)
		if (!strncmp(name, file, n) && (!name[n] || name[n] == '/')) return;
	snprintf(what, sizeof what, "has no sum for %.80s", file);
	wrong(r, "sha256", what);
}

static void read_input(struct reader *r, const json_t *input, struct model_card *card)
{
	static const char *const layouts[] = { "NCHW", "NHWC", NULL }, *const channels[] = { "RGB", "BGR", NULL };
	static const char *const resizes[] = { "shorter", "stretch", "pad", NULL };
	static const char *const filters[] = { "bicubic", "bilinear", "lanczos", NULL };
	static const char *const crops[] = { "centre", "none", NULL };
	static const char *const denoises[] = { "none", "median", "bilateral", NULL };
	struct image_recipe *recipe = &card->recipe;

	if (!json_is_object(input)) {
		wrong(r, "input", input ? "must be an object" : "is missing");
		return;
	}
	r->part = "input";
	card->input = text(r, input, "name", false);
	card->nchw = choice(r, input, "layout", layouts) == 0;
	card->bgr = choice(r, input, "channels", channels) == 1;
	recipe->width = (unsigned)number(r, input, "width", 8, MAX_TENSOR_SIDE, NAN);
	recipe->height = (unsigned)number(r, input, "height", 8, MAX_TENSOR_SIDE, NAN);
	recipe->resize = (enum resize_rule)choice(r, input, "resize", resizes);
	if (choice(r, input, "crop", crops) == 1 && recipe->resize == RESIZE_SHORTER) recipe->resize = RESIZE_STRETCH;
	recipe->resize_to = (unsigned)number(r, input, "resize_to", 8, MAX_TENSOR_SIDE, 0);
	recipe->filter = (enum resize_filter)choice(r, input, "filter", filters);
	recipe->denoise = (enum denoise_filter)choice(r, input, "denoise", denoises);
	recipe->autocontrast = flag(r, input, "autocontrast", false);
	triple(r, input, "mean", 0, card->mean);
	triple(r, input, "std", 1, card->std);
	if (card->std[0] == 0 || card->std[1] == 0 || card->std[2] == 0) wrong(r, "std", "must not hold a 0");
	if (recipe->resize_to && recipe->resize == RESIZE_SHORTER &&
	    recipe->resize_to < (recipe->width > recipe->height ? recipe->width : recipe->height))
		wrong(r, "resize_to", "must not be smaller than the input");
	r->part = "";
}

static void read_output(struct reader *r, const json_t *output, struct model_card *card)
{
	static const char *const poolings[] = { "none", "mean", "gem", "cls", NULL };

	if (!json_is_object(output)) {
		wrong(r, "output", output ? "must be an object" : "is missing");
		return;
	}
	r->part = "output";
	card->embedding = text(r, output, "embedding", false);
	card->logits = text(r, output, "logits", false);
	card->pooling = (enum infer_pooling)choice(r, output, "pooling", poolings);
	card->gem_p = (float)number(r, output, "gem_p", 0.1, 100, 3);
	card->normalise = flag(r, output, "normalise", true);
	card->dim = (unsigned)number(r, output, "dim", 1, MAX_DIM, NAN);
	r->part = "";
}

static void read_text(struct reader *r, const json_t *tower, struct card_text *t)
{
	if (!tower || json_is_null(tower)) return;
	if (!json_is_object(tower)) {
		wrong(r, "text", "must be an object");
		return;
	}
	r->part = "text";
	t->file = file_name(r, tower, "file", true);
	t->weights = file_name(r, tower, "weights", false);
	t->tokenizer = file_name(r, tower, "tokenizer", true);
	t->ids = text(r, tower, "ids", true);
	t->mask = text(r, tower, "mask", false);
	t->types = text(r, tower, "types", false);
	t->output = text(r, tower, "output", false);
	t->length = (unsigned)number(r, tower, "length", 4, MAX_TEXT_LENGTH, NAN);
	t->pad_id = (int64_t)number(r, tower, "pad_id", 0, INT32_MAX, -1);
	t->normalise = flag(r, tower, "normalise", true);
	t->logit_scale = number(r, tower, "logit_scale", 0, 1e6, 0);
	t->logit_bias = number(r, tower, "logit_bias", -1e6, 1e6, 0);
	r->part = "";
}

static void read_rest(struct reader *r, const json_t *root, struct model_card *card)
{
	static const char *const metrics[] = { "cosine", "l2", "ip", NULL }, *const kinds[] = { "picture", "text", NULL };
	static const enum metric metric_of[] = { METRIC_COSINE, METRIC_L2, METRIC_IP };
	const json_t *labels = json_object_get(root, "labels"), *calibration = json_object_get(root, "calibration");

	card->kind = (enum card_kind)choice(r, root, "kind", kinds);
	card->name = text(r, root, "name", true);
	if (card->name && (!card->name[0] || strchr(card->name, '/') || card->name[0] == '.'))
		wrong(r, "name", "must be a plain name");
	card->title = text(r, root, "title", false);
	card->source = text(r, root, "source", true);
	card->licence = text(r, root, "licence", true);
	card->file = file_name(r, root, "file", true);
	card->weights = file_name(r, root, "weights", false);
	card->metric = metric_of[choice(r, root, "metric", metrics)];
	if (json_is_object(labels)) {
		r->part = "labels";
		card->labels = file_name(r, labels, "file", true);
		card->softmax = flag(r, labels, "softmax", true);
	}
	r->part = json_is_object(calibration) ? "calibration" : "";
	if (json_is_object(calibration) && json_object_get(calibration, "random_cosine"))
		card->random_distance = 1 - number(r, calibration, "random_cosine", -1, 0.999, 0);
	else if (json_is_object(calibration))
		card->random_distance = number(r, calibration, "random_distance", 0, 1e30, 0);
	r->part = "";
}

/* Files that a picture's vector does not depend on. */
static bool is_beside(const struct model_card *card, const char *name)
{
	const char *const beside[] = { card->labels, card->text.file, card->text.weights, card->text.tokenizer };

	if (!strcmp(name, card->file)) return false; /* both towers in one file */
	for (size_t i = 0; i < COUNT(beside); i++)
		if (beside[i] && !strcmp(beside[i], name)) return true;
	return false;
}

/* The members that change a vector, in a canonical form. */
static akin_status identify(struct model_card *card, const json_t *root, akin_error *err)
{
	json_t *parts = json_object();
	const json_t *input = json_object_get(root, "input"), *output = json_object_get(root, "output");
	char *canonical;

	for (size_t i = 0; i < card->n_files; i++)
		if (!is_beside(card, card->files[i].name))
			json_object_set_new(parts, card->files[i].name, json_string(card->files[i].sha256));
	json_object_set_new(parts, "input", json_deep_copy(input));
	json_object_set_new(parts, "output", json_deep_copy(output));
	canonical = json_dumps(parts, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(parts);
	if (!canonical) return error_nomem(err);
	hash_content(canonical, strlen(canonical), card->hash);
	json_free_t release;
	json_get_alloc_funcs(NULL, &release);
	release(canonical);
	return AKIN_OK;
}

static void read_card(struct reader *r, const json_t *root, struct model_card *card)
{
	if (!json_is_object(root)) {
		wrong(r, "card", "must be a JSON object");
		return;
	}
	if (json_integer_value(json_object_get(root, "akin_model")) != CARD_VERSION) {
		wrong(r, "akin_model", "must be 1: this is no card, or one of a newer akin");
		return;
	}
	read_rest(r, root, card);
	read_files(r, root, card);
	if (card->kind == CARD_PICTURE) read_input(r, json_object_get(root, "input"), card);
	read_output(r, json_object_get(root, "output"), card);
	read_text(r, json_object_get(root, "text"), &card->text);
	need_sum(r, root, card->file);
	need_sum(r, root, card->weights);
	need_sum(r, root, card->text.file);
	need_sum(r, root, card->text.weights);
	need_sum(r, root, card->text.tokenizer);
}

static akin_status parse(struct model_card *card, const char *json, size_t n, card_mistake *tell, void *user,
                         akin_error *err)
{
	struct reader r = { AKIN_OK, err, tell, user, "" };
	json_error_t where;
	json_t *root;

	*card = (struct model_card){ 0 };
	if (n > CARD_MAX_BYTES) return error_set(err, AKIN_ERR_LIMIT, "the card has more than %d bytes", CARD_MAX_BYTES);
	if (!(root = json_loadb(json, n, JSON_REJECT_DUPLICATES, &where)))
		return error_set(err, AKIN_ERR_FORMAT, "line %d: %s", where.line, where.text);
	read_card(&r, root, card);
	if (r.st == AKIN_OK) r.st = identify(card, root, err);
	json_decref(root);
	if (r.st != AKIN_OK) model_card_deinit(card);
	return r.st;
}

akin_status model_card_parse(struct model_card *card, const char *json, size_t n, akin_error *err)
{
	return parse(card, json, n, NULL, NULL, err);
}

/* The card's own path, from its path or its folder's. */
static char *card_path(const char *path)
{
	char *whole = fs_absolute(path), *inside;

	if (!whole || !fs_is_dir(whole)) return whole;
	inside = fs_join(whole, "card.json");
	mem_free(whole);
	return inside;
}

static akin_status read_path(struct model_card *card, const char *path, card_mistake *tell, void *user,
                             akin_error *err)
{
	struct buf json = BUF_EMPTY;
	char *whole = card_path(path);
	akin_status st = AKIN_OK;

	*card = (struct model_card){ 0 };
	if (!whole) return error_nomem(err);
	if ((st = fs_read(whole, CARD_MAX_BYTES, &json, err)) != AKIN_OK) goto out;
	st = parse(card, json.data ? json.data : "", json.len, tell, user, err);
	if (st != AKIN_OK) {
		error_note(err, st, "%s", whole);
		goto out;
	}
	card->dir = fs_dirname(whole);
	card->path = whole;
	whole = NULL;
	if (!card->dir) {
		model_card_deinit(card);
		st = error_nomem(err);
	}
out:
	buf_deinit(&json);
	mem_free(whole);
	return st;
}

akin_status model_card_read(struct model_card *card, const char *path, akin_error *err)
{
	return read_path(card, path, NULL, NULL, err);
}

akin_status model_card_review(const char *path, card_mistake *tell, void *user, akin_error *err)
{
	struct model_card card;
	akin_status st = read_path(&card, path, tell, user, err);

	for (size_t i = 0; i < card.n_files && (st == AKIN_OK || st == AKIN_ERR_FORMAT); i++) {
		char *file = model_card_path_of(&card, card.files[i].name);

		if (!file) st = error_nomem(err);
		else if (!fs_exists(file)) {
			st = error_set(err, AKIN_ERR_FORMAT, "there is no file %s, which the card names", file);
			tell(user, "sha256", "names a file that is not there:", file);
		}
		mem_free(file);
	}
	model_card_deinit(&card);
	return st;
}

void model_card_deinit(struct model_card *card)
{
	struct card_text *t = &card->text;
	char *const texts[] = { card->name,    card->title,  card->source, card->licence,   card->dir,    card->path,
		                card->file,    card->weights, card->labels, card->input, card->embedding, card->logits,
		                t->file,       t->weights,   t->tokenizer, t->ids,       t->mask,         t->types,
		                t->output };

	for (size_t i = 0; i < COUNT(texts); i++) mem_free(texts[i]);
	for (size_t i = 0; i < CARD_MAX_FILES; i++) mem_free(card->files[i].name);
	*card = (struct model_card){ 0 };
}

char *model_card_path_of(const struct model_card *card, const char *name)
{
	return name && card->dir ? fs_join(card->dir, name) : NULL;
}

akin_status model_card_verify_files(const struct model_card *card, akin_error *err)
{
	char got[2 * HASH_BYTES + 1];

	for (size_t i = 0; i < card->n_files; i++) {
		char *path = model_card_path_of(card, card->files[i].name);
		akin_status st = path ? hash_sha256_file(path, got, err) : error_nomem(err);

		if (st == AKIN_OK && strcmp(got, card->files[i].sha256) != 0)
			st = error_set(err, AKIN_ERR_FORMAT, "%s has SHA-256 %s, its card says %s", path, got,
			               card->files[i].sha256);
		mem_free(path);
		if (st != AKIN_OK) return st;
	}
	return AKIN_OK;
}
