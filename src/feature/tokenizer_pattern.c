/* feature/tokenizer_pattern.c - literals and regular expressions of a tokenizer.json, searched with PCRE2.
 *
 * The file's expressions were written for Oniguruma. Most read the same; what reads differently is translated (\s, \w)
 * or refused (\h, \b, POSIX classes, sets in sets, scripts), so that a match is the same match or an error.
 *
 * A hostile expression may backtrack for ever. One search may cost 100 steps; one that wants more is repeated with ever
 * more, out of a budget that one text has, so that the cost of all searches is bounded whatever their number.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "feature/tokenizer_parts.h"

enum { PATTERN_BYTES_MAX = 16384, STEPS_FIRST = 100, DEPTH_MAX = 20000, HEAP_KIB = 65536 };

struct pattern_run {
	const struct pattern *pattern;
	const char *text;
	size_t bytes, from, last_end;
	bool matched; /* last_end is the end of a match */
	uint32_t *budget;
	pcre2_general_context *general;
	pcre2_match_context *context;
	pcre2_match_data *data;
};

static void *take(PCRE2_SIZE bytes, void *unused)
{
	(void)unused;
	return mem_alloc(bytes);
}

static void give(void *p, void *unused)
{
	(void)unused;
	mem_free(p);
}

akin_status pattern_literal(struct pattern *p, const char *text, size_t bytes, akin_error *err)
{
	*p = (struct pattern){ 0 };
	if (!(p->literal = mem_alloc(bytes + 1))) return error_nomem(err);
	memcpy(p->literal, text, bytes);
	p->literal[bytes] = '\0';
	p->bytes = bytes;
	return AKIN_OK;
}

/* ---- from Oniguruma's dialect to PCRE2's ---- */

static const char spaces[] = "\\x{9}-\\x{d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}"
			     "\\x{205f}\\x{3000}";
static const char word[] = "\\p{L}\\p{M}\\p{N}\\p{Pc}";

static akin_status refuse(akin_error *err, const char *what)
{
	return error_set(err, AKIN_ERR_UNSUPPORTED,
			 "the expression has %s, which akin does not read as its tokenizer does", what);
}

/* \p{L}, \p{Lu}, \p{^L}: general categories. PCRE2 takes a script's name for its extensions, Oniguruma does not. */
static bool is_category(const char *s, const char *end)
{
	if (s < end && *s == '{') {
		if (++s < end && *s == '^') s++;
		if (s >= end || !strchr("LMNPSZC", *s)) return false;
		if (++s < end && *s >= 'a' && *s <= 'z') s++;
		return s < end && *s == '}';
	}
	return s < end && strchr("LMNPSZC", *s) != NULL;
}

/* *used: the bytes of the whole escape. */
static akin_status translate_escape(const char *s, const char *end, bool in_class, struct buf *out, size_t *used,
				    akin_error *err)
{
	const char c = s + 1 < end ? s[1] : '\0', *close;

	*used = 2;
	if (strchr("pPx", c) && c && s + 2 < end && s[2] == '{' && (close = memchr(s, '}', (size_t)(end - s))))
		*used = (size_t)(close - s) + 1;

	if (c == 's' || c == 'w') {
		const char *set = c == 's' ? spaces : word;
		buf_printf(out, in_class ? "%s" : "[%s]", set);
	} else if ((c == 'S' || c == 'W') && !in_class) {
		buf_printf(out, "[^%s]", c == 'S' ? spaces : word);
	} else if (c == '\0' || strchr("SWhHbBRXKGQECNOyYk", c)) {
		return refuse(err, "one of \\h \\b \\R \\X \\K \\G \\Q \\k, or \\S or \\W in a set");
	} else if ((c == 'p' || c == 'P') && !is_category(s + 2, end)) {
		return refuse(err, "a \\p{...} that is no general category");
	} else {
		buf_add(out, s, *used);
	}
	return AKIN_OK;
}

/* What may follow "(?": a group without capture, a lookaround, an atomic group, (?i) and (?i:...). */
static bool is_plain_group(const char *s, const char *end)
{
	static const char *const starts[] = { ":", "=", "!", ">", "<=", "<!", "i)", "i:", "-i)", "-i:" };

	for (size_t i = 0; i < COUNT(starts); i++)
		if ((size_t)(end - s) >= strlen(starts[i]) && !strncmp(s, starts[i], strlen(starts[i]))) return true;
	return false;
}

static akin_status translate(const char *s, size_t n, struct buf *out, akin_error *err)
{
	const char *const end = s + n;
	bool in_class = false;
	akin_status st = AKIN_OK;

	while (s < end && st == AKIN_OK) {
		const char next = s + 1 < end ? s[1] : '\0';
		size_t used = 1;

		if (*s == '\0') return refuse(err, "a NUL");
		if (*s == '\\') {
			st = translate_escape(s, end, in_class, out, &used, err);
			s += used;
			continue;
		}
		if (in_class && *s == '[') return refuse(err, "a set in a set");
		if (in_class && *s == '&' && next == '&') return refuse(err, "an intersection of sets");
		if (!in_class && *s == '{' && next == ',') return refuse(err, "{,n}");
		if (!in_class && *s == '}' && next == '+') return refuse(err, "{n}+");
		if (!in_class && *s == '(' && next == '*') return refuse(err, "(*");
		if (!in_class && *s == '(' && next == '?' && !is_plain_group(s + 2, end))
			return refuse(err, "a special group");
		if (*s == '[') {
			in_class = true;
			if (next == '^') used = 2;
			if (s + used < end && s[used] == ']') return refuse(err, "an empty set");
		} else if (*s == ']') {
			in_class = false;
		}
		buf_add(out, s, used);
		s += used;
	}
	if (st == AKIN_OK && out->failed) st = error_nomem(err);
	return st;
}

akin_status pattern_compile(struct pattern *p, const char *regex, size_t bytes, akin_error *err)
{
	pcre2_general_context *general = pcre2_general_context_create(take, give, NULL);
	pcre2_compile_context *context = general ? pcre2_compile_context_create(general) : NULL;
	struct buf text = BUF_EMPTY;
	PCRE2_SIZE at = 0;
	int code = 0;
	akin_status st = context ? AKIN_OK : error_nomem(err);

	*p = (struct pattern){ 0 };
	if (st == AKIN_OK && bytes > PATTERN_BYTES_MAX)
		st = error_set(err, AKIN_ERR_LIMIT, "the expression has more than %d bytes", PATTERN_BYTES_MAX);
	if (st == AKIN_OK) st = translate(regex, bytes, &text, err);
	if (st != AKIN_OK) goto out;
	pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	pcre2_set_parens_nest_limit(context, 50);
	p->code = pcre2_compile((PCRE2_SPTR)text.data, text.len, PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE, &code, &at,
				context);
	if (!p->code && code == PCRE2_ERROR_HEAP_FAILED) {
		st = error_nomem(err);
	} else if (!p->code) {
		char why[120] = "";

		pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
		st = error_set(err, AKIN_ERR_FORMAT, "the expression is wrong: %s", why);
	}
out:
	buf_deinit(&text);
	pcre2_compile_context_free(context);
	pcre2_general_context_free(general);
	return st;
}

void pattern_deinit(struct pattern *p)
{
	mem_free(p->literal);
	pcre2_code_free(p->code);
	*p = (struct pattern){ 0 };
}

/* ---- searching ---- */

akin_status pattern_run_create(struct pattern_run **out, const struct pattern *p, const char *text, size_t bytes,
			       uint32_t *budget, akin_error *err)
{
	struct pattern_run *run = mem_zalloc(sizeof *run);

	*out = NULL;
	if (!run) return error_nomem(err);
	*run = (struct pattern_run){ .pattern = p, .text = text, .bytes = bytes, .budget = budget };
	if (p->code) {
		run->general = pcre2_general_context_create(take, give, NULL);
		if (run->general) run->context = pcre2_match_context_create(run->general);
		if (run->general) run->data = pcre2_match_data_create(1, run->general);
		if (!run->context || !run->data) {
			pattern_run_destroy(run);
			return error_nomem(err);
		}
		pcre2_set_depth_limit(run->context, DEPTH_MAX);
		pcre2_set_heap_limit(run->context, HEAP_KIB);
	}
	*out = run;
	return AKIN_OK;
}

void pattern_run_destroy(struct pattern_run *run)
{
	if (!run) return;
	pcre2_match_data_free(run->data);
	pcre2_match_context_free(run->context);
	pcre2_general_context_free(run->general);
	mem_free(run);
}

static akin_status find_regex(struct pattern_run *run, size_t from, size_t *start, size_t *end, bool *found,
			      akin_error *err)
{
	uint32_t steps = STEPS_FIRST;
	int got;

	for (;;) {
		pcre2_set_match_limit(run->context, steps);
		got = pcre2_match(run->pattern->code, (PCRE2_SPTR)run->text, run->bytes, from, PCRE2_NO_UTF_CHECK,
				  run->data, run->context);
		if (got != PCRE2_ERROR_MATCHLIMIT || steps * 10 > *run->budget) break;
		steps *= 10;
		*run->budget -= steps;
	}
	*found = got >= 0;
	if (got == PCRE2_ERROR_NOMATCH) return AKIN_OK;
	if (got == PCRE2_ERROR_NOMEMORY) return error_nomem(err);
	if (got < 0)
		return error_set(err, AKIN_ERR_LIMIT, "an expression of the tokenizer takes too long on this text");
	*start = pcre2_get_ovector_pointer(run->data)[0];
	*end = pcre2_get_ovector_pointer(run->data)[1];
	return AKIN_OK;
}

static void find_literal(const struct pattern_run *run, size_t from, size_t *start, size_t *end, bool *found)
{
	const struct pattern *p = run->pattern;
	const char *at = run->text + from, *last = run->text + run->bytes;

	*found = false;
	if (!p->bytes) return;
	while ((size_t)(last - at) >= p->bytes &&
	       (at = memchr(at, p->literal[0], (size_t)(last - at) - p->bytes + 1))) {
		if (!memcmp(at, p->literal, p->bytes)) {
			*start = (size_t)(at - run->text);
			*end = *start + p->bytes;
			*found = true;
			return;
		}
		at++;
	}
}

/* An empty match right after a match is passed over: the search goes on a character later. */
akin_status pattern_next(struct pattern_run *run, size_t *start, size_t *end, bool *found, akin_error *err)
{
	*found = false;
	while (run->from <= run->bytes) {
		akin_status st = AKIN_OK;
		size_t step;

		if (run->pattern->code)
			st = find_regex(run, run->from, start, end, found, err);
		else
			find_literal(run, run->from, start, end, found);
		if (st != AKIN_OK || !*found) return st;
		if (*start != *end || !run->matched || run->last_end != *end) {
			run->from = run->last_end = *end;
			run->matched = true;
			return AKIN_OK;
		}
		*found = false;
		if (run->from >= run->bytes)
			step = 1;
		else
			char_at(run->text + run->from, run->bytes - run->from, &step);
		run->from += step;
	}
	return AKIN_OK;
}
