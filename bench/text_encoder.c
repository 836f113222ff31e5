/* bench/text_encoder.c - the text encoder's speed, and its answers for other programs.
 *
 *   bench_text_encoder MODEL [LINES [SECONDS]]   one thread: the time to be ready, to cut, to encode one by one and in
 *                                                batches, for each line of the file LINES (default: 16 captions); each
 * is the best of runs that last SECONDS (default 1) bench_text_encoder MODEL -                   texts from stdin, each
 * as a uint32 of bytes and the bytes; to stdout for each a uint32 of pieces, their uint32 ids and dim floats
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/str.h"
#include "feature/text_encoder.h"
#include "simd/kernels.h"

static const char *const captions[] = {
	"A dog runs through the snow .",
	"Two children are playing with a ball on the beach",
	"a red car at night",
	"两只狗在雪地里奔跑",
	"一个男孩在水中玩耍",
	"犬が雪の中を走っている",
	"Un perro corre por la nieve",
	"Ein Hund läuft durch den Schnee",
	"Un chien court dans la neige",
	"Собака бежит по снегу",
	"كلب يجري في الثلج",
	"눈 속을 달리는 개",
	"Um cão correndo na neve",
	"Bir köpek karda koşuyor",
	"สุนัขวิ่งในหิมะ",
	"Pies biegnie po śniegu",
};

static void die(const char *what)
{
	fprintf(stderr, "bench_text_encoder: %s\n", what);
	exit(2);
}

/* ---- answers for other programs ---- */

static void answer(const struct text_encoder *encoder)
{
	const size_t dim = text_encoder_dim(encoder);
	float *vector = mem_calloc(dim, sizeof *vector);
	uint32_t bytes, n32;

	while (vector && fread(&bytes, sizeof bytes, 1, stdin) == 1) {
		char *text = mem_alloc((size_t)bytes + 1);
		uint32_t *ids;
		size_t n;
		akin_error err;

		if (!text || fread(text, 1, bytes, stdin) != bytes) die("stdin ends within a text");
		if (text_encoder_pieces(encoder, text, bytes, &ids, &n, &err) != AKIN_OK ||
		    text_encode(encoder, text, bytes, vector, &err) != AKIN_OK)
			die(err.text);
		n32 = (uint32_t)n;
		fwrite(&n32, sizeof n32, 1, stdout);
		fwrite(ids, sizeof *ids, n, stdout);
		fwrite(vector, sizeof *vector, dim, stdout);
		mem_free(ids);
		mem_free(text);
	}
	mem_free(vector);
}

/* ---- times ---- */

struct lines {
	struct text *line;
	size_t n, bytes, pieces;
	struct buf file;
};

static void read_lines(struct lines *lines, const char *path)
{
	size_t capacity = 0;
	akin_error err;

	if (!path)
		for (size_t i = 0; i < COUNT(captions); i++) buf_printf(&lines->file, "%s\n", captions[i]);
	else if (fs_read(path, 1 << 30, &lines->file, &err) != AKIN_OK)
		die(err.text);
	for (char *at = lines->file.data, *end; at && (end = strchr(at, '\n')); at = end + 1) {
		if (end == at) continue;
		if (!(lines->line = mem_grow(lines->line, &capacity, lines->n, sizeof *lines->line))) die("no memory");
		lines->line[lines->n++] = (struct text){ at, (size_t)(end - at) };
		lines->bytes += (size_t)(end - at);
	}
	if (!lines->n) die("there are no lines");
}

static void cut(const struct text_encoder *encoder, struct lines *lines, float *out)
{
	(void)out;
	lines->pieces = 0;
	for (size_t i = 0; i < lines->n; i++) {
		uint32_t *ids;
		size_t n;

		if (text_encoder_pieces(encoder, lines->line[i].bytes, lines->line[i].n, &ids, &n, NULL) != AKIN_OK)
			die("cut");
		lines->pieces += n;
		mem_free(ids);
	}
}

static void encode(const struct text_encoder *encoder, struct lines *lines, float *out)
{
	for (size_t i = 0; i < lines->n; i++)
		if (text_encode(encoder, lines->line[i].bytes, lines->line[i].n, out, NULL) != AKIN_OK) die("encode");
}

static void encode_many(const struct text_encoder *encoder, struct lines *lines, float *out)
{
	if (text_encode_many(encoder, lines->line, lines->n, out, NULL) != AKIN_OK) die("encode_many");
}

/* Seconds a line. */
static double best_of(void (*run)(const struct text_encoder *, struct lines *, float *),
		      const struct text_encoder *encoder, struct lines *lines, float *out, double seconds)
{
	double best = 1e9, begin = clock_seconds(), from;

	do {
		from = clock_seconds();
		run(encoder, lines, out);
		if (clock_seconds() - from < best) best = clock_seconds() - from;
	} while (clock_seconds() - begin < seconds);
	return best / (double)lines->n;
}

static double ready(const char *model)
{
	struct text_encoder *encoder;
	double best = 1e9;
	akin_error err;

	for (int i = 0; i < 10; i++) {
		double from = clock_seconds();

		if (text_encoder_open(&encoder, model, &err) != AKIN_OK) die(err.text);
		if (clock_seconds() - from < best) best = clock_seconds() - from;
		text_encoder_close(encoder);
	}
	return best;
}

int main(int argc, char **argv)
{
	struct text_encoder *encoder;
	struct lines lines = { 0 };
	double seconds = 1, first, one, many, cutting, from = clock_seconds();
	akin_error err;
	float *out;

	if (argc < 2 || (argc > 3 && !str_to_double(argv[3], 0.01, 1e4, &seconds))) die("MODEL [LINES [SECONDS]]");
	if (text_encoder_open(&encoder, argv[1], &err) != AKIN_OK) die(err.text);
	first = clock_seconds() - from;
	if (argc > 2 && !strcmp(argv[2], "-")) {
		answer(encoder);
		text_encoder_close(encoder);
		return 0;
	}
	read_lines(&lines, argc > 2 ? argv[2] : NULL);
	if (!(out = mem_calloc(lines.n * text_encoder_dim(encoder), sizeof *out))) die("no memory");
	cutting = best_of(cut, encoder, &lines, out, seconds);
	one = best_of(encode, encoder, &lines, out, seconds);
	many = best_of(encode_many, encoder, &lines, out, seconds);
	printf("kernels %s; %zu texts of %.1f bytes and %.1f pieces on average; one thread\n", kernels_best()->name,
	       lines.n, (double)lines.bytes / (double)lines.n, (double)lines.pieces / (double)lines.n);
	printf("ready, first time in this process  %8.2f ms\n", 1e3 * first);
	printf("ready, best of 10                  %8.2f ms\n", 1e3 * ready(argv[1]));
	printf("cut into pieces                    %8.1f us a text\n", 1e6 * cutting);
	printf("encode, with cutting               %8.1f us a text, %8.0f texts/s\n", 1e6 * one, 1 / one);
	printf("encode many, with cutting          %8.1f us a text, %8.0f texts/s\n", 1e6 * many, 1 / many);
	mem_free(out);
	mem_free(lines.line);
	buf_deinit(&lines.file);
	text_encoder_close(encoder);
	return 0;
}
