/* cli/vectors_info.c - akin vectors info, check, convert.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/vectors.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/text.h"

enum { CHUNK_ROWS = 1024 };

/* ---- info ---- */

struct facts {
	const char *format, *kind, *metric, *element;
	uint64_t dim, count, bytes;
};

static void put_facts(const struct cli *cli, const struct vectors_values *v, const char *path, const struct facts *f)
{
	const char *dim = cli->color ? "\x1b[2m" : "", *plain = cli->color ? "\x1b[0m" : "";
	char number[TEXT_NUMBER];

	if (v->json) {
		json_t *object = json_object();

		json_set_path(object, "file", path);
		json_set_text(object, "format", f->format);
		if (f->kind) json_set_text(object, "kind", f->kind);
		if (f->metric) json_set_text(object, "metric", f->metric);
		json_set_text(object, "type", f->element);
		json_set_count(object, "vectors", f->count);
		json_set_count(object, "dim", f->dim);
		if (f->bytes) json_set_count(object, "bytes", f->bytes);
		json_put_line(stdout, object);
		return;
	}
	printf("%sformat%s   %s\n", dim, plain, f->format);
	if (f->kind) printf("%skind%s     %s\n", dim, plain, f->kind);
	if (f->metric) printf("%smetric%s   %s\n", dim, plain, f->metric);
	printf("%stype%s     %s\n", dim, plain, f->element);
	printf("%svectors%s  %s of %llu dimensions\n", dim, plain, text_number(f->count, number),
	       (unsigned long long)f->dim);
	if (f->bytes) printf("%ssize%s     %s\n", dim, plain, text_bytes(f->bytes, number));
}

static bool part_of(const struct parsed *parsed, akin_vectors_part *part)
{
	static const char *const names[] = { "base", "queries", "truth" };
	const struct vectors_values *v = parsed->values;

	for (int i = 0; i < 3; i++) {
		*part = (akin_vectors_part)i;
		if (!v->part || !strcmp(v->part, names[i])) return true;
	}
	cli_misuse(parsed, "--part must be one of base, queries, truth, not '%s'", v->part);
	return false;
}

static int info_index(struct cli *cli, const struct parsed *parsed)
{
	akin_index_stats s;
	akin_index *index;
	akin_error err;

	if (akin_index_open(&index, parsed->args[1], &err) != AKIN_OK) return cli_fail(&err);
	akin_index_get_stats(index, &s);
	put_facts(cli, parsed->values, parsed->args[1],
	          &(struct facts){ "akin index", akin_index_kind_name(s.kind), akin_metric_name(s.metric),
	                           akin_element_name(s.element), s.dim, s.count, s.bytes });
	akin_index_destroy(index);
	return EXIT_DONE;
}

int vectors_info(struct cli *cli, const struct parsed *parsed)
{
	akin_vectors_info info;
	akin_vectors_part part;
	akin_vectors *file;
	akin_error err;

	if (parsed->n_args != 2) return cli_misuse(parsed, "info wants one file");
	if (!part_of(parsed, &part)) return EXIT_USAGE;
	if (vectors_is_index(parsed->args[1])) return info_index(cli, parsed);
	if (akin_vectors_open(&file, parsed->args[1], part, &err) != AKIN_OK) return cli_fail(&err);
	akin_vectors_get_info(file, &info);
	put_facts(cli, parsed->values, parsed->args[1],
	          &(struct facts){ info.format, NULL, info.metric ? akin_metric_name(info.metric) : NULL,
	                           akin_element_name(info.element), info.dim, info.count, 0 });
	akin_vectors_close(file);
	return EXIT_DONE;
}

/* ---- check ---- */

/* Reads every row once. */
static akin_status check_rows(const akin_vectors *file, akin_error *err)
{
	akin_vectors_info info;
	akin_status st = AKIN_OK;
	void *row;

	akin_vectors_get_info(file, &info);
	row = must_zalloc(4 * info.dim + 1);
	for (size_t i = 0; i < info.count && st == AKIN_OK; i++)
		st = akin_vectors_read(file, i, 1, info.element, row, err);
	free(row);
	return st;
}

int vectors_check(struct cli *cli, const struct parsed *parsed)
{
	akin_vectors *file = NULL;
	akin_index *index = NULL;
	akin_vectors_part part;
	akin_status st;
	akin_error err;

	if (parsed->n_args != 2) return cli_misuse(parsed, "check wants one file");
	if (!part_of(parsed, &part)) return EXIT_USAGE;
	if (vectors_is_index(parsed->args[1])) {
		if ((st = akin_index_open(&index, parsed->args[1], &err)) == AKIN_OK)
			st = akin_index_check(index, 1, &err);
	} else if ((st = akin_vectors_open(&file, parsed->args[1], part, &err)) == AKIN_OK) {
		st = check_rows(file, &err);
	}
	if (st == AKIN_OK) cli_note(cli, "%s is sound", parsed->args[1]);
	else say("%s: %s", parsed->args[1], err.text);
	akin_index_destroy(index);
	akin_vectors_close(file);
	return st == AKIN_OK ? EXIT_DONE : EXIT_FAILED;
}

/* ---- convert ---- */

/* What is converted: an index by its ids, or a file by its rows. */
struct source {
	akin_index *index;
	int64_t *ids;
	akin_vectors *file;
	akin_index_spec spec;
	size_t count;
};

static void source_close(struct source *s)
{
	akin_index_destroy(s->index);
	akin_bytes_free(s->ids);
	akin_vectors_close(s->file);
}

/* False: said why, with *code. */
static bool source_open(const struct parsed *parsed, struct source *s, int *code)
{
	const char *path = parsed->args[1];
	akin_vectors_info info;
	akin_vectors_part part;
	akin_index_stats stats;
	akin_error err;

	*code = EXIT_USAGE;
	if (!part_of(parsed, &part)) return false;
	*code = EXIT_FAILED;
	if (vectors_is_index(path)) {
		if (akin_index_open(&s->index, path, &err) != AKIN_OK) goto fail;
		akin_index_get_stats(s->index, &stats);
		s->spec = (akin_index_spec){ .metric = stats.metric, .element = stats.element, .dim = stats.dim };
		if (akin_index_ids(s->index, &s->ids, &s->count, &err) == AKIN_OK) return true;
		goto fail;
	}
	if (akin_vectors_open(&s->file, path, part, &err) != AKIN_OK) goto fail;
	akin_vectors_get_info(s->file, &info);
	s->count = info.count;
	*code = EXIT_USAGE;
	return vectors_spec(parsed, s->file, &s->spec);
fail:
	cli_fail(&err);
	return false;
}

static akin_status copy_rows(const struct source *s, akin_vectors_writer *writer, akin_error *err)
{
	const size_t row_bytes = s->spec.element == AKIN_ELEMENT_BITS ? (s->spec.dim + 7) / 8 : 4 * s->spec.dim;
	void *rows = must_zalloc(CHUNK_ROWS * row_bytes);
	akin_status st = AKIN_OK;

	for (size_t i = 0; i < s->count && st == AKIN_OK;) {
		size_t n = s->index || s->count - i < CHUNK_ROWS ? 1 : CHUNK_ROWS;

		if (s->index) st = akin_index_get(s->index, s->ids[i], rows, err);
		else st = akin_vectors_read(s->file, i, n, s->spec.element, rows, err);
		if (st == AKIN_OK) st = akin_vectors_writer_put(writer, rows, n, err);
		i += n;
	}
	free(rows);
	return st;
}

/* The format that a name asks for: its extension, "faiss" for .index as well. */
static const char *format_of(const struct vectors_values *v, const char *path)
{
	const char *dot = strrchr(path, '.');

	if (v->format) return v->format;
	if (!dot || strchr(dot, '/')) return "";
	return !strcmp(dot, ".index") ? "faiss" : dot + 1;
}

/* faiss-ivf and faiss-hnsw: they need an index to learn from, which a plain file becomes first. */
static int convert_to_faiss(struct cli *cli, const struct parsed *parsed, akin_faiss_kind kind)
{
	const struct vectors_values *v = parsed->values;
	const akin_index_spec spec = { .lists = (uint32_t)v->lists,
				       .links = (size_t)v->links,
				       .seed = (uint64_t)v->seed };
	akin_index *index = NULL;
	double seconds;
	akin_error err;
	int code = EXIT_DONE;

	if (vectors_open_any(cli, parsed, parsed->args[1], &index, &seconds, &err) != AKIN_OK ||
	    akin_index_write_faiss(index, parsed->args[2], kind, &spec, (unsigned)cli->globals.threads, &err) !=
		AKIN_OK)
		code = cli_fail(&err);
	else cli_note(cli, "%s: a Faiss index", parsed->args[2]);
	akin_index_destroy(index);
	return code;
}

int vectors_convert(struct cli *cli, const struct parsed *parsed)
{
	akin_vectors_writer *writer = NULL;
	struct source source = { .index = NULL };
	char count[TEXT_NUMBER];
	const char *to;
	akin_error err;
	int code;

	if (parsed->n_args != 3) return cli_misuse(parsed, "convert wants a file to read and a file to write");
	to = parsed->args[2];
	if (!strcmp(format_of(parsed->values, to), "faiss-ivf")) return convert_to_faiss(cli, parsed, AKIN_FAISS_IVF);
	if (!strcmp(format_of(parsed->values, to), "faiss-hnsw")) return convert_to_faiss(cli, parsed, AKIN_FAISS_HNSW);
	if (!source_open(parsed, &source, &code)) goto out;
	if (akin_vectors_writer_create(&writer, to, format_of(parsed->values, to), &source.spec, source.count, &err) !=
		AKIN_OK ||
	    copy_rows(&source, writer, &err) != AKIN_OK || akin_vectors_writer_commit(writer, &err) != AKIN_OK) {
		code = cli_fail(&err);
		goto out;
	}
	cli_note(cli, "%s: %s vectors", to, text_number(source.count, count));
	code = EXIT_DONE;
out:
	akin_vectors_writer_destroy(writer);
	source_close(&source);
	return code;
}
