/* programs/tokenize.c - print the ids that a tokenizer.json gives; tools/models/agree_tokenizers.py compares them.
 *
 *   tokenize TOKENIZER.JSON [LENGTH] < LINES      each line a text in hexadecimal, since a text may hold anything
 *
 * A line of ids for each line of input; "error: ..." where there is none.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "feature/tokenizer.h"

enum { LINE_MAX_BYTES = 4 * TOKENIZER_TEXT_MAX };

static unsigned digit(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a') + 10;
}

static void print_ids(const struct tokenizer *t, char *line)
{
	const size_t n = strspn(line, "0123456789abcdef") / 2;
	struct token_ids ids;
	akin_error err;

	for (size_t i = 0; i < n; i++) line[i] = (char)(digit(line[2 * i]) << 4 | digit(line[2 * i + 1]));
	if (tokenizer_encode(t, line, n, &ids, &err) != AKIN_OK) {
		printf("error: %s\n", err.text);
		return;
	}
	for (size_t i = 0; i < ids.n; i++) printf("%s%lld", i ? " " : "", (long long)ids.id[i]);
	putchar('\n');
	token_ids_deinit(&ids);
}

int main(int argc, char **argv)
{
	struct tokenizer_fit fit = { .pad_id = -1 };
	struct tokenizer *t;
	akin_error err;
	int64_t length = 0;
	char *line;

	if (argc < 2 || (argc > 2 && !str_to_i64(argv[2], 1, TOKENIZER_LENGTH_MAX, &length))) return 2;
	fit.length = (size_t)length;
	if (tokenizer_open(&t, argv[1], &fit, &err) != AKIN_OK) {
		fprintf(stderr, "tokenize: %s\n", err.text);
		return 3;
	}
	if (!(line = mem_alloc(LINE_MAX_BYTES))) return 3;
	while (fgets(line, LINE_MAX_BYTES, stdin)) print_ids(t, line);
	mem_free(line);
	tokenizer_close(t);
	return 0;
}
