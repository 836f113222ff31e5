/* feature/tokenizer_split.c - cutting one piece into words: where the cuts are, and what becomes of the delimiters.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "feature/tokenizer_parts.h"

/* Stretches that cover the piece in order; a delimiter is what the pattern matched (or did not, inverted). */
struct stretch {
	size_t at, end;
	bool delimiter;
};
struct stretches {
	struct stretch *s;
	size_t n, capacity;
};

static akin_status add(struct stretches *list, size_t at, size_t end, bool delimiter, akin_error *err)
{
	struct stretch *moved = mem_grow(list->s, &list->capacity, list->n, sizeof *list->s);

	if (!moved) return error_nomem(err);
	list->s = moved;
	list->s[list->n++] = (struct stretch){ at, end, delimiter };
	return AKIN_OK;
}

static akin_status by_pattern(const struct pattern *p, const char *in, size_t n, struct stretches *out,
			      uint32_t *budget, akin_error *err)
{
	struct pattern_run *run;
	size_t done = 0, start = 0, end = 0;
	bool found = true;
	akin_status st = pattern_run_create(&run, p, in, n, budget, err);

	while (st == AKIN_OK && found) {
		st = pattern_next(run, &start, &end, &found, err);
		if (st != AKIN_OK || !found) break;
		if (start > done) st = add(out, done, start, false, err);
		if (st == AKIN_OK) st = add(out, start, end, true, err);
		done = end;
	}
	if (st == AKIN_OK && done < n) st = add(out, done, n, false, err);
	pattern_run_destroy(run);
	return st;
}

/* Every character of the kind is a delimiter of its own. */
static akin_status by_character(bool (*is)(int32_t c), const char *in, size_t n, struct stretches *out, akin_error *err)
{
	akin_status st = AKIN_OK;
	size_t done = 0, bytes;

	for (size_t i = 0; i < n && st == AKIN_OK; i += bytes) {
		if (!is(char_at(in + i, n - i, &bytes))) continue;
		if (done < i) st = add(out, done, i, false, err);
		if (st == AKIN_OK) st = add(out, i, i + bytes, true, err);
		done = i + bytes;
	}
	if (st == AKIN_OK && done < n) st = add(out, done, n, false, err);
	return st;
}

enum kind { KIND_SPACE, KIND_WORD, KIND_OTHER };

/* Runs of \w and runs of neither \w nor space; the space between them is the delimiter. */
static akin_status by_words(const char *in, size_t n, struct stretches *out, akin_error *err)
{
	enum kind last = KIND_SPACE;
	akin_status st = AKIN_OK;
	size_t start = 0, bytes;

	for (size_t i = 0; i < n && st == AKIN_OK; i += bytes) {
		const int32_t c = char_at(in + i, n - i, &bytes);
		const enum kind kind = char_is_word(c) ? KIND_WORD : char_is_space(c) ? KIND_SPACE : KIND_OTHER;

		if (i && kind != last) {
			st = add(out, start, i, last == KIND_SPACE, err);
			start = i;
		}
		last = kind;
	}
	if (st == AKIN_OK && start < n) st = add(out, start, n, last == KIND_SPACE, err);
	return st;
}

/* Join stretches in place as the behaviour says; only SPLIT_REMOVED leaves delimiters behind, to be dropped. */
static void join(enum step_behaviour behaviour, struct stretches *list)
{
	bool before = false;
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		const struct stretch s = list->s[i];
		const bool joins = behaviour == SPLIT_CONTIGUOUS ? s.delimiter == before : s.delimiter && !before;

		if (joins && kept)
			list->s[kept - 1].end = s.end;
		else
			list->s[kept++] = (struct stretch){ s.at, s.end, false };
		before = s.delimiter;
	}
	list->n = kept;
}

/* The same from the end: a delimiter joins the stretch after it, unless that is one too. */
static void join_next(struct stretches *list)
{
	bool after = false;
	size_t first = list->n;

	for (size_t i = list->n; i-- > 0;) {
		const struct stretch s = list->s[i];

		if (s.delimiter && !after && first < list->n)
			list->s[first].at = s.at;
		else
			list->s[--first] = (struct stretch){ s.at, s.end, false };
		after = s.delimiter;
	}
	memmove(list->s, list->s + first, (list->n - first) * sizeof *list->s);
	list->n -= first;
}

static akin_status find(const struct step *step, const char *in, size_t n, struct stretches *out, uint32_t *budget,
			akin_error *err)
{
	switch (step->cut) {
	case CUT_PATTERN: return by_pattern(&step->pattern, in, n, out, budget, err);
	case CUT_SPACE: return by_character(char_is_space, in, n, out, err);
	case CUT_PUNCTUATION: return by_character(char_is_punctuation, in, n, out, err);
	case CUT_NUMBER: return by_character(char_is_number, in, n, out, err);
	default: return by_words(in, n, out, err);
	}
}

akin_status step_split(const struct step *step, const char *in, size_t n, bool leading, struct pieces *out,
		       uint32_t *budget, akin_error *err)
{
	struct stretches list = { 0 };
	akin_status st = find(step, in, n, &list, budget, err);

	for (size_t i = 0; step->invert && i < list.n; i++) list.s[i].delimiter = !list.s[i].delimiter;
	if (st == AKIN_OK && list.n && step->behaviour == SPLIT_WITH_NEXT)
		join_next(&list);
	else if (step->behaviour != SPLIT_REMOVED && step->behaviour != SPLIT_ISOLATED)
		join(step->behaviour, &list);
	for (size_t i = 0; i < list.n && st == AKIN_OK; i++) {
		const struct stretch *s = &list.s[i];

		if (step->behaviour == SPLIT_REMOVED && s->delimiter) continue;
		st = pieces_add(out, in + s->at, s->end - s->at, -1, leading && s->at == 0, err);
	}
	mem_free(list.s);
	return st;
}
