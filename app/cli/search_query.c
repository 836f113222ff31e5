/* cli/search_query.c - the words of a search to a query.
 *
 *   WORD     = PART [ @X,Y,W,H ] [ ^WEIGHT ]
 *   PART     = path of a file | id:N | http address | - (standard input) | text: TEXT | file: PATH | anything else: a text
 *   WORDS    = WORD { [ + | - ] WORD }
 *
 * A word is a picture when such a file exists; nothing is a text that was meant to be a picture: a name with a picture's
 * extension or with a slash, behind which there is no file, is a mistake. A lone - is the minus sign where one can stand,
 * between two words; elsewhere it is standard input. Texts beside one another are one text.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/search.h"

enum { PICTURE_MAX_BYTES = 256 << 20, MOST_WEIGHT = 1000 };

enum word_kind { WORD_FILE, WORD_ID, WORD_STDIN, WORD_URL, WORD_TEXT };

struct word {
	enum word_kind kind;
	char *text; /* free() it */
	akin_id id;
	akin_crop crop;
	bool cropped, weighted, forced;
	double weight;
};

struct builder {
	const struct parsed *parsed;
	bool allow_net;
	akin_query *query;
	char *text;  /* texts met so far that may go on; NULL: none */
	double text_weight;
	bool stdin_taken, misused;
};

/* ---- one word ---- */

static bool is_file(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && !S_ISDIR(info.st_mode);
}

static bool looks_like_a_path(const char *word)
{
	return strchr(word, '/') || akin_is_picture_name(word);
}

/* "^0.5" at the end. False: what stands there is no weight. */
static bool take_weight(struct word *w)
{
	char *hat = strrchr(w->text, '^'), *end;

	if (!hat || !hat[1] || hat == w->text || strspn(hat + 1, "0123456789.") != strlen(hat + 1)) return false;
	w->weight = strtod(hat + 1, &end);
	if (*end || !(w->weight > 0 && w->weight <= MOST_WEIGHT)) return false;
	*hat = '\0';
	return w->weighted = true;
}

/* "@x,y,w,h" at the end, cut off; *wrong: it is one, and a wrong one. */
static bool take_crop(struct word *w, akin_error *err, bool *wrong)
{
	char *at = strrchr(w->text, '@');

	if (!at || at == w->text || !strchr(at, ',') || strspn(at + 1, "0123456789.,%") != strlen(at + 1)) return false;
	*wrong = akin_crop_parse(&w->crop, at + 1, err) != AKIN_OK;
	*at = '\0';
	return w->cropped = true;
}

static bool complain(struct builder *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool complain(struct builder *b, const char *fmt, ...)
{
	char sentence[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(sentence, sizeof sentence, fmt, args);
	va_end(args);
	cli_misuse(b->parsed, "%s", sentence);
	b->misused = true;
	return false;
}

/* What is left without weight and rectangle. */
static bool tell_kind(struct builder *b, struct word *w, const char *whole)
{
	if (!strncmp(w->text, "text:", 5) || !strncmp(w->text, "file:", 5)) {
		w->kind = w->text[0] == 't' ? WORD_TEXT : WORD_FILE;
		w->forced = true;
		memmove(w->text, w->text + 5, strlen(w->text + 5) + 1);
	} else if (!strcmp(w->text, "-")) {
		w->kind = WORD_STDIN;
	} else if (cli_is_id(w->text, &w->id)) {
		w->kind = WORD_ID;
	} else if (fetch_is_url(w->text)) {
		w->kind = WORD_URL;
	} else if (is_file(w->text)) {
		w->kind = WORD_FILE;
	} else if (looks_like_a_path(w->text)) {
		say("there is no picture %s; to search for these words say text:%s", w->text, whole);
		return false;
	} else {
		w->kind = WORD_TEXT;
	}
	if (!w->text[0]) return complain(b, "\"%s\" says nothing to search for", whole);
	if (w->cropped && w->kind == WORD_TEXT) return complain(b, "%s: only a picture has parts", whole);
	if (w->kind == WORD_URL && !b->allow_net) return complain(b, "to fetch %s over the net say --allow-net", w->text);
	return true;
}

static bool read_word(struct builder *b, const char *word, struct word *w)
{
	akin_error err = { .status = AKIN_OK };
	bool wrong = false;

	*w = (struct word){ .text = must_printf("%s", word), .weight = 1 };
	if (is_file(word)) { /* whatever signs are in its name */
		w->kind = WORD_FILE;
		return true;
	}
	take_weight(w);
	if (strncmp(word, "text:", 5) != 0 && !is_file(w->text)) take_crop(w, &err, &wrong);
	if (wrong) return complain(b, "%s", err.text);
	return tell_kind(b, w, word);
}

/* ---- words to parts ---- */

static bool added(akin_status st, const akin_error *err)
{
	if (st != AKIN_OK) cli_fail(err);
	return st == AKIN_OK;
}

static bool flush_text(struct builder *b)
{
	akin_error err = { .status = AKIN_OK };
	bool ok = !b->text || added(akin_query_add_text(b->query, b->text, b->text_weight, &err), &err);

	free(b->text);
	b->text = NULL;
	return ok;
}

static bool add_text(struct builder *b, const struct word *w, int sign, bool signed_word)
{
	char *longer;

	if (b->text && (signed_word || w->forced) && !flush_text(b)) return false;
	longer = b->text ? must_printf("%s %s", b->text, w->text) : must_printf("%s", w->text);
	if (!b->text) b->text_weight = sign;
	if (w->weighted) b->text_weight *= w->weight;
	free(b->text);
	b->text = longer;
	return w->weighted || w->forced ? flush_text(b) : true;
}

static bool add_bytes(struct builder *b, const struct word *w, double weight)
{
	akin_error err = { .status = AKIN_OK };
	size_t n = 0;
	char *bytes;
	bool ok;

	if (w->kind == WORD_STDIN && b->stdin_taken) return complain(b, "standard input can be read only once");
	b->stdin_taken = b->stdin_taken || w->kind == WORD_STDIN;
	bytes = w->kind == WORD_STDIN ? read_stdin(PICTURE_MAX_BYTES, &n) : fetch_url(w->text, &n);
	if (!bytes) return false;
	ok = added(akin_query_add_bytes(b->query, bytes, n, w->cropped ? &w->crop : NULL, weight, &err), &err);
	free(bytes);
	return ok;
}

static bool add_word(struct builder *b, const char *word, int sign, bool signed_word)
{
	akin_error err = { .status = AKIN_OK };
	struct word w;
	const akin_crop *crop;
	bool ok = read_word(b, word, &w);
	double weight = sign * w.weight;

	crop = w.cropped ? &w.crop : NULL;
	if (ok && w.kind == WORD_TEXT) {
		ok = add_text(b, &w, sign, signed_word);
	} else if (ok) {
		ok = flush_text(b);
		if (ok && w.kind == WORD_FILE) ok = added(akin_query_add_file(b->query, w.text, crop, weight, &err), &err);
		else if (ok && w.kind == WORD_ID) ok = added(akin_query_add_id(b->query, w.id, crop, weight, &err), &err);
		else if (ok) ok = add_bytes(b, &w, weight);
	}
	free(w.text);
	return ok;
}

/* True for a + or - at word i that has a word on either side. */
static bool is_sign(const struct parsed *parsed, size_t i, bool after_word)
{
	const char *word = parsed->args[i];

	return after_word && i + 1 < parsed->n_args && (!strcmp(word, "+") || !strcmp(word, "-"));
}

static bool add_words(struct builder *b)
{
	const struct parsed *parsed = b->parsed;
	bool after_word = false, signed_word = false;
	int sign = 1;

	for (size_t i = 0; i < parsed->n_args; i++) {
		if (is_sign(parsed, i, after_word)) {
			sign = parsed->args[i][0] == '-' ? -1 : 1;
			signed_word = true;
			after_word = false;
			continue;
		}
		if (!add_word(b, parsed->args[i], sign, signed_word)) return false;
		after_word = true;
		signed_word = false;
		sign = 1;
	}
	return flush_text(b);
}

/* ---- feedback ---- */

/* N, id:N or the path of a picture of the library. */
static bool find_picture(akin_library *lib, const char *word, akin_id *id)
{
	akin_error err = { .status = AKIN_OK };
	char *end;

	errno = 0;
	*id = strtoll(word, &end, 10);
	if (word[0] >= '0' && word[0] <= '9' && !*end && !errno) return true;
	return added(cli_find(lib, word, id, &err), &err);
}

bool search_query_feedback(akin_query *query, akin_library *lib, const struct option_list *list, bool liked)
{
	for (size_t i = 0; i < list->n; i++) {
		akin_error err = { .status = AKIN_OK };
		akin_id id;

		if (!find_picture(lib, list->items[i], &id)) return false;
		if (!added(akin_query_add_feedback(query, id, liked, &err), &err)) return false;
	}
	return true;
}

bool search_query_words(akin_query *query, const struct parsed *parsed, bool allow_net, bool *misused)
{
	struct builder b = { .parsed = parsed, .allow_net = allow_net, .query = query };
	bool ok = add_words(&b);

	free(b.text);
	*misused = b.misused;
	return ok;
}
