/* cli/search_answer.c - the answer of akin search: a table for people, JSON lines, or bare paths.
 * SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/search.h"
#include "common/json.h"
#include "common/text.h"

static json_t *words_json(const char *const *words, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++) {
		char *word = text_to_utf8(words[i]);

		json_array_append_new(array, json_string(word));
		free(word);
	}
	return array;
}

/* What each part gave, by the part's words, and what is common to the query and the hit. */
static void set_why(json_t *object, const akin_result *result, const akin_hit *hit)
{
	json_t *parts = json_array();

	for (size_t i = 0; i < akin_result_n_parts(result); i++) {
		json_t *part = json_object();

		json_set_path(part, "part", akin_result_part(result, i));
		json_set_real(part, "evidence", hit->evidence[i]);
		json_array_append_new(parts, part);
	}
	json_object_set_new(object, "parts", parts);
	json_object_set_new(object, "keywords", words_json(hit->keywords, hit->n_keywords));
	json_object_set_new(object, "labels", words_json(hit->labels, hit->n_labels));
}

static void put_json(const akin_result *result, const akin_hit *hit, bool why)
{
	json_t *object = json_object();

	json_set_count(object, "rank", hit->rank);
	json_set_real(object, "score", hit->score);
	json_set_real(object, "distance", hit->distance);
	json_set_count(object, "id", (unsigned long long)hit->id);
	json_set_path(object, "path", hit->path);
	json_set_count(object, "width", hit->width);
	json_set_count(object, "height", hit->height);
	if (hit->group) json_set_path(object, "group", hit->group);
	if (why) set_why(object, result, hit);
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

/* "; NAME: a, b" when there are any. */
static void put_words(const char *name, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i) fputs(", ", stdout);
		else printf("; %s: ", name);
		text_put_visible(stdout, words[i]);
	}
}

/* "beach.jpg +4.61, sunset +2.22; keywords: sunset; both: seashore, sandbar" below its hit. */
static void put_why(const akin_result *result, const akin_hit *hit, unsigned indent)
{
	text_put_blanks(stdout, indent);
	for (size_t i = 0; i < akin_result_n_parts(result); i++) {
		if (i) fputs(", ", stdout);
		text_put_visible(stdout, akin_result_part(result, i));
		printf(" %+.2f", hit->evidence[i]);
	}
	put_words("keywords", hit->keywords, hit->n_keywords);
	put_words("both", hit->labels, hit->n_labels);
	putchar('\n');
}

/* The group's name above its first hit. */
static void put_group(const char *bold, const char *plain, const akin_hit *hit, bool first)
{
	if (!first) putchar('\n');
	fputs(bold, stdout);
	text_put_visible(stdout, cli_shown_path(hit->group));
	printf("%s\n", plain);
}

static void put_table(const struct cli *cli, const akin_result *result, bool why)
{
	const char *bold = cli->color ? "\x1b[1m" : "", *dim = cli->color ? "\x1b[2m" : "",
		*plain = cli->color ? "\x1b[0m" : "";
	size_t n = akin_result_count(result);
	int ranks = snprintf(NULL, 0, "%zu", n);
	unsigned head = (unsigned)ranks + 9, width = out_is_terminal(stdout) ? out_width(stdout) : UINT_MAX;
	unsigned most = width > head ? width - head : 0, column = path_column(result, most);

	for (size_t i = 0; i < n; i++) {
		const akin_hit *hit = akin_result_hit(result, i), *before = i ? akin_result_hit(result, i - 1) : NULL;
		unsigned path = text_width(cli_shown_path(hit->path)), pad = path < column ? column - path : 0;
		char size[32];

		if (hit->group && (!before || strcmp(before->group, hit->group) != 0)) put_group(bold, plain, hit, !i);
		printf("%s%*zu%s  %s%.3f%s  ", dim, ranks, hit->rank, plain, bold, hit->score, plain);
		cli_put_path(hit->path);
		if (size_text(hit, size) && size_text(hit, size) + path + pad <= most) {
			text_put_blanks(stdout, pad);
			printf("%s%s%s", dim, size, plain);
		}
		putchar('\n');
		if (why) put_why(result, hit, (unsigned)ranks + 9);
	}
}

void search_put_answer(const struct cli *cli, const akin_result *result, enum search_form form, bool why)
{
	size_t n = akin_result_count(result);

	if (form == SEARCH_TABLE) put_table(cli, result, why);
	for (size_t i = 0; i < n; i++) {
		const akin_hit *hit = akin_result_hit(result, i);

		if (form == SEARCH_JSON) {
			put_json(result, hit, why);
		} else if (form == SEARCH_NULL) {
			fwrite(hit->path, 1, strlen(hit->path) + 1, stdout);
		} else if (form == SEARCH_PATHS) {
			cli_put_path(hit->path);
			putchar('\n');
		}
	}
}
