/* cli/cmd_eval.c - akin eval: how good the ranking is, on pictures whose class or caption is known.
 * SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "common/json.h"
#include "common/text.h"

struct values {
	struct option_list labels;
	const char *html, *mode;
	int json;
};

static const struct option options[] = {
	{ .name = "label", .type = OPTION_LIST, .metavar = "COLUMN", .at = offsetof(struct values, labels),
	  .help = "column with the class, without it: label; several are joined" },
	{ .name = "html", .type = OPTION_FILE, .metavar = "REPORT", .at = offsetof(struct values, html),
	  .help = "write a report with the worst and best queries as pictures" },
	{ .name = "mode", .letter = 'm', .type = OPTION_STRING, .metavar = "MODE", .preset = "auto",
	  .at = offsetof(struct values, mode), .help = "captions by their meaning, by keyword, or auto, by both" },
	JSON_OPTION(struct values, "the measures as one JSON object"),
};

static const struct example examples[] = {
	{ "akin eval labels.csv", "index what is missing, ask with every picture, print the measures" },
	{ "akin eval --label style --label colour labels.csv", "a class is a style and a colour together" },
	{ "akin eval captions.csv", "ask with every caption for its picture" },
	{ "akin eval --model dinov2 --html report.html labels.csv", "another model, with a report to look at" },
};

/* ---- where the vectors are kept ---- */

/* FNV-1a: only to name a cache folder. */
static uint64_t hash_text(uint64_t hash, const char *s)
{
	do hash = (hash ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	while (*s++);
	return hash;
}

static bool make_folder(const char *path)
{
	if (mkdir(path, 0777) == 0 || errno == EEXIST) return true;
	say("cannot create folder %s: %s", path, strerror(errno));
	return false;
}

/* A scratch library for this CSV and model, so that a repeat reads no picture; NULL: said why. */
static char *scratch_dir(const struct cli *cli, const char *csv)
{
	char *cache = cli_xdg("CACHE"), *whole = realpath(csv, NULL), *parent = NULL, *dir = NULL;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	if (!cache) say("neither XDG_CACHE_HOME nor HOME is set; name a library with --library");
	if (!whole) say("cannot read %s: %s", csv, strerror(errno));
	if (!cache || !whole) goto out;
	hash = hash_text(hash_text(hash, whole), cli->globals.model ? cli->globals.model : "");
	parent = must_printf("%s/eval", cache);
	for (char *slash = strchr(parent + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (!make_folder(parent)) goto out;
		*slash = '/';
	}
	if (make_folder(parent)) dir = must_printf("%s/%016llx.akin", parent, (unsigned long long)hash);
out:
	free(parent);
	free(whole);
	free(cache);
	return dir;
}

/* ---- what came out ---- */

static json_t *at_cutoffs(const akin_eval *eval, const double *values)
{
	json_t *object = json_object();
	char key[24];

	for (size_t i = 0; i < akin_eval_n_k(eval); i++) {
		snprintf(key, sizeof key, "%zu", akin_eval_k(eval)[i]);
		json_set_real(object, key, values[i]);
	}
	return object;
}

static json_t *measures_json(const akin_eval *eval, const akin_measures *m)
{
	json_t *object = json_object();

	json_set_real(object, "map", m->map);
	json_object_set_new(object, "precision", at_cutoffs(eval, m->precision));
	json_object_set_new(object, "recall", at_cutoffs(eval, m->recall));
	json_set_real(object, "ndcg", m->ndcg);
	json_set_real(object, "r_precision", m->r_precision);
	json_set_real(object, "mrr", m->mrr);
	json_set_real(object, "median_rank", m->median_rank);
	json_set_count(object, "queries", m->queries);
	return object;
}

/* Scores of the first ten answers against the truth, a bin a tenth. */
static json_t *reliability_json(const akin_measures *m)
{
	json_t *bins = json_array();

	for (size_t i = 0; i < AKIN_EVAL_BINS; i++) {
		json_t *bin = json_object();

		json_set_count(bin, "answers", m->reliability[i].answers);
		json_set_real(bin, "score", m->reliability[i].score);
		json_set_real(bin, "relevant", m->reliability[i].relevant);
		json_array_append_new(bins, bin);
	}
	return bins;
}

static void put_json(const akin_eval *eval)
{
	json_t *object = measures_json(eval, akin_eval_overall(eval)), *classes = json_object();

	json_set_real(object, "seconds", akin_eval_seconds(eval));
	json_object_set_new(object, "reliability", reliability_json(akin_eval_overall(eval)));
	json_set_real(object, "calibration_error", akin_eval_overall(eval)->calibration_error);
	json_set_count(object, "unknown", akin_eval_unknown(eval));
	json_set_count(object, "skipped", akin_eval_skipped(eval));
	for (size_t c = 0; c < akin_eval_n_classes(eval); c++) {
		const akin_measures *m;
		char *name = text_to_utf8(akin_eval_class(eval, c, &m));

		json_object_set_new(classes, name, measures_json(eval, m));
		free(name);
	}
	if (akin_eval_n_classes(eval)) json_object_set_new(object, "classes", classes);
	else json_decref(classes);
	json_put_line(stdout, object);
}

/* P@10 where 10 is a cut-off, else at the largest that is smaller. */
static size_t cutoff_near_ten(const akin_eval *eval)
{
	size_t best = 0;

	for (size_t i = 0; i < akin_eval_n_k(eval); i++)
		if (akin_eval_k(eval)[i] <= 10) best = i;
	return best;
}

static void put_classes(const struct cli *cli, const akin_eval *eval)
{
	size_t n = akin_eval_n_classes(eval), ten = cutoff_near_ten(eval);
	const char *bold = cli->color ? "\x1b[1m" : "", *plain = cli->color ? "\x1b[0m" : "";
	const akin_measures *m;
	unsigned widest = 5;
	char head[24], number[TEXT_NUMBER];

	for (size_t c = 0; c < n; c++) {
		unsigned width = text_width(akin_eval_class(eval, c, &m));
		if (width > widest) widest = width;
	}
	snprintf(head, sizeof head, "P@%zu", akin_eval_n_k(eval) ? akin_eval_k(eval)[ten] : 0);
	printf("\n%sclass", bold);
	text_put_blanks(stdout, widest - 5);
	printf("  %7s  %6s  %6s  %6s%s\n", "queries", "mAP", head, "R-prec", plain);
	for (size_t c = 0; c < n; c++) {
		const char *name = akin_eval_class(eval, c, &m);

		text_put_visible(stdout, name);
		text_put_blanks(stdout, widest - text_width(name));
		printf("  %7s  %6.4f  %6.4f  %6.4f\n", text_number(m->queries, number), m->map, m->precision[ten],
		       m->r_precision);
	}
}

static void put_text(const struct cli *cli, const akin_eval *eval)
{
	const akin_measures *m = akin_eval_overall(eval);
	const char *bold = cli->color ? "\x1b[1m" : "", *plain = cli->color ? "\x1b[0m" : "";
	char number[TEXT_NUMBER];

	printf("%squeries  %s%s   ", bold, text_number(m->queries, number), plain);
	if (akin_eval_n_classes(eval))
		printf("%smAP  %.4f%s   nDCG  %.4f   R-precision  %.4f\n\n", bold, m->map, plain, m->ndcg, m->r_precision);
	else
		printf("%sMRR  %.4f%s   median rank  %.0f   nDCG  %.4f\n\n", bold, m->mrr, plain, m->median_rank, m->ndcg);
	printf("%sat k       precision     recall       nDCG%s\n", bold, plain);
	for (size_t i = 0; i < akin_eval_n_k(eval); i++)
		printf("%4zu  %14.4f %10.4f %10.4f\n", akin_eval_k(eval)[i], m->precision[i], m->recall[i],
		       m->ndcg_at[i]);
	if (akin_eval_n_classes(eval)) put_classes(cli, eval);
}

/* ---- the work ---- */

struct watch {
	const struct cli *cli;
	const volatile int *stop;
	bool shown;
};

static int on_progress(void *user, uint64_t done, uint64_t total)
{
	struct watch *watch = user;
	char a[TEXT_NUMBER], b[TEXT_NUMBER];

	if (out_is_terminal(stderr) && !watch->cli->globals.quiet) {
		fprintf(stderr, "\rasking %s of %s\x1b[K", text_number(done, a), text_number(total, b));
		watch->shown = true;
	}
	return *watch->stop;
}

static akin_status evaluate(const struct cli *cli, akin_library *lib, const akin_labels *labels, akin_mode mode,
                            akin_eval **eval, akin_error *err)
{
	struct index_words words = { .cli = cli, .summary = true };
	struct watch watch = { .cli = cli, .stop = interrupt_catch() };
	akin_index_params index = { .jobs = 0 };
	akin_eval_params params = { .on_progress = on_progress, .user = &watch, .mode = mode };
	akin_index_report report;
	size_t n = akin_labels_count(labels);
	akin_status st = index_run(&words, lib, akin_labels_paths(labels), n, &index, &report, err);

	if (st != AKIN_OK) return st;
	st = (akin_labels_are_captions(labels) ? akin_eval_captions : akin_eval_run)(
	        eval, lib, akin_labels_paths(labels), akin_labels_classes(labels), n, &params, err);
	if (watch.shown) fputs("\r\x1b[K", stderr);
	return st;
}

static int show(const struct cli *cli, const struct values *v, const char *csv, akin_library *lib,
                const akin_eval *eval)
{
	if (v->json) put_json(eval);
	else put_text(cli, eval);
	if (akin_eval_unknown(eval))
		cli_note(cli, "left out, since they could not be read: %llu",
		         (unsigned long long)akin_eval_unknown(eval));
	if (akin_eval_skipped(eval))
		cli_note(cli, "not asked, since alone in their class: %llu",
		         (unsigned long long)akin_eval_skipped(eval));
	if (v->html && !eval_report_write(v->html, csv, lib, eval)) return EXIT_FAILED;
	return akin_eval_overall(eval)->queries ? EXIT_DONE : EXIT_NOTHING;
}

static int run(struct cli *cli, const struct parsed *parsed)
{
	const struct values *v = parsed->values;
	const char *csv = parsed->args[0];
	char *dir = NULL;
	akin_labels *labels = NULL;
	akin_library *lib = NULL;
	akin_eval *eval = NULL;
	akin_error err = { .status = AKIN_OK };
	akin_mode mode;
	akin_status st;
	int code = EXIT_FAILED;

	if (!cli_take_mode(parsed, v->mode, &mode)) return EXIT_USAGE;
	st = akin_labels_read(&labels, csv, v->labels.items, v->labels.n, &err);
	if (st != AKIN_OK) {
		cli_fail(&err);
		goto out;
	}
	/* Only a library that was named: the default one must not fill with test pictures. */
	if (!cli->globals.library && !(dir = scratch_dir(cli, csv))) goto out;
	if (cli_open(cli, dir, AKIN_OPEN_CREATE, &lib) != AKIN_OK) goto out;
	st = evaluate(cli, lib, labels, mode, &eval, &err);
	if (st == AKIN_OK) code = show(cli, v, csv, lib, eval);
	else if (st == AKIN_ERR_CANCELLED) cli_note(cli, "stopped; run again to go on");
	else cli_fail(&err);
out:
	akin_eval_free(eval);
	akin_library_close(lib);
	akin_labels_free(labels);
	free(dir);
	return code;
}

const struct command command_eval = {
	.name = "eval",
	.summary = "measure the ranking on labelled pictures",
	.arguments = "LABELS.csv",
	.min_args = 1,
	.max_args = 1,
	.about = "LABELS.csv has a header line, a column path (relative to the file's folder) and a column with the "
	         "class. Every picture asks for its like among all others; an answer of the same class is right. "
	         "Measures are those of trec_eval: mean average precision, precision, recall and nDCG at k, "
	         "R-precision. A file with a column caption instead is asked with every caption, over all its pictures: recall "
	         "at k is the share of captions whose picture is among the first k.\n\n"
	         "The vectors are kept in a scratch library in the cache folder, or in the library that --library "
	         "names.",
	.options = options,
	.n_options = COUNT(options),
	.examples = examples,
	.n_examples = COUNT(examples),
	.values_bytes = sizeof(struct values),
	.run = run,
};
