/* store/keywords.c - words that pictures are found by: of their tags, names, folders, texts, labels and cameras.
 *
 * A row of the table `keyword` is made of the rows of other tables. Whoever changes one of them says so (keywords_touch); before
 * the commit the rows of all pictures that were touched are made again, so that words never lie behind.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fold.h"
#include "base/spell.h"
#include "base/str.h"
#include "base/words.h"
#include "types/hit.h"

/* Labels below this probability are more often wrong than right. */
#define LEAST_PROBABILITY "0.1"

/* The order of columns is that of keyword in schema2.sql, and of WEIGHTS. */
#define ROWS                                                                                                         \
	"SELECT p.id,"                                                                                               \
	" (SELECT group_concat(name, char(10)) FROM (SELECT name FROM tag WHERE picture_id = p.id ORDER BY folded)),"    \
	" (SELECT group_concat(akin_name(path), char(10)) FROM"                                                      \
	"  (SELECT path FROM file WHERE picture_id = p.id AND state <> 2 ORDER BY path)),"                           \
	" (SELECT group_concat(akin_folder(path), char(10)) FROM"                                                    \
	"  (SELECT path FROM file WHERE picture_id = p.id AND state <> 2 ORDER BY path)),"                           \
	" (SELECT coalesce(title, '') || char(10) || coalesce(caption, '') || char(10) || coalesce(keywords, '') ||"     \
	"  char(10) || coalesce(creator, '') FROM description WHERE picture_id = p.id),"                             \
	" (SELECT sidecar FROM description WHERE picture_id = p.id),"                                                \
	" (SELECT group_concat(name || char(10) || name_zh, char(10)) FROM (SELECT name, name_zh FROM label"             \
	"  JOIN class USING (model_id, class_index) WHERE picture_id = p.id AND probability >= " LEAST_PROBABILITY   \
	"  ORDER BY model_id, class_index)),"                                                                        \
	" (SELECT coalesce(make, '') || ' ' || coalesce(model, '') || ' ' || coalesce(lens, '')"                         \
	"  FROM description WHERE picture_id = p.id)"                                                                \
	" FROM picture p"
#define COLUMNS "(rowid, tags, names, folders, texts, sidecar, labels, camera)"
#define WEIGHTS "bm25(10.0, 6.0, 2.0, 5.0, 3.0, 4.0, 2.0)"

const char keywords_rows_that_lie[] =
        "SELECT 'the keywords of picture ' || id || ' are not its own' FROM (SELECT * FROM (" ROWS ") EXCEPT"
        " SELECT rowid, tags, names, folders, texts, sidecar, labels, camera FROM keyword)"
        " UNION ALL SELECT 'keywords of picture ' || rowid || ', which is not there' FROM keyword"
        " WHERE rowid NOT IN (SELECT id FROM picture)";

/* ---- keeping in step ---- */

akin_status keywords_touch(struct store *store, int64_t picture_id, akin_error *err)
{
	void *grown;

	/* One picture is often touched several times in a row. */
	if (store->n_touched && store->touched[store->n_touched - 1] == picture_id) return AKIN_OK;
	grown = mem_grow(store->touched, &store->touched_capacity, store->n_touched, sizeof *store->touched);
	if (!grown) return error_nomem(err);
	store->touched = grown;
	store->touched[store->n_touched++] = picture_id;
	return AKIN_OK;
}

akin_status keywords_flush(struct store *store, akin_error *err)
{
	akin_status st = AKIN_OK;

	if (store->n_touched) qsort(store->touched, store->n_touched, sizeof *store->touched, id_order);
	for (size_t i = 0; st == AKIN_OK && i < store->n_touched; i++) {
		const int64_t id = store->touched[i];

		if (i && store->touched[i - 1] == id) continue;
		st = query_run(store, "DELETE FROM keyword WHERE rowid = ?1", id, err);
		if (st == AKIN_OK)
			st = query_run(store, "INSERT INTO keyword " COLUMNS " " ROWS " WHERE p.id = ?1", id, err);
	}
	store->n_touched = 0;
	return st;
}

akin_status store_keywords_rebuild(struct store *store, akin_error *err)
{
	akin_status st = query_run(store, "DELETE FROM keyword", 0, err);

	store->n_touched = 0;
	if (st == AKIN_OK) st = query_run(store, "INSERT INTO keyword " COLUMNS " " ROWS, 0, err);
	return st;
}

/* ---- a query of words as one of FTS5 ---- */

enum { MAX_TERMS = 63, MAX_QUERY_BYTES = 4096 };

struct words_query {
	struct buf match;
	char *term[MAX_TERMS]; /* what phrase i is told as */
	size_t n_terms;
	bool failed;
};

static void words_query_deinit(struct words_query *wq)
{
	for (size_t i = 0; i < wq->n_terms; i++) mem_free(wq->term[i]);
	buf_deinit(&wq->match);
}

/* One phrase: `text` is what FTS5 is given, `shown` what it is told as. */
static void add_phrase(struct words_query *wq, const char *join, char mark, const char *text, size_t n, const char *shown,
                       size_t n_shown, bool prefix)
{
	if (wq->n_terms == MAX_TERMS) return;
	if (wq->n_terms) buf_puts(&wq->match, join);
	buf_puts(&wq->match, "\"");
	if (mark) buf_add(&wq->match, &mark, 1);
	for (size_t i = 0; i < n; i++) buf_add(&wq->match, text[i] == '"' || !text[i] ? " " : text + i, 1);
	buf_puts(&wq->match, prefix ? "\"*" : "\"");
	if (!(wq->term[wq->n_terms] = str_printf("%.*s", (int)n_shown, shown))) wq->failed = true;
	else wq->n_terms++;
}

/* A sentence without blanks is found by its pairs of signs and by words of one sign, since nobody says where its words end. */
static void add_signs(struct words_query *wq, const struct word *w)
{
	const char *p = w->text, *end = p + w->n;
	size_t n = word_sign(p, w->n), next;

	if (n == w->n) {
		add_phrase(wq, " OR ", 0, p, n, p, n, false);
		return;
	}
	for (; p < end; p += n, n = next) {
		next = p + n < end ? word_sign(p + n, (size_t)(end - p) - n) : 0;
		if (next) add_phrase(wq, " OR ", 0, p, n + next, p, n + next, false);
		add_phrase(wq, " OR ", TOKEN_ALONE, p, n, p, n, false);
	}
}

static bool is_small_word(const char *word, size_t n)
{
	static const char *const small[] = { "a",  "an", "and", "are", "as", "at", "by",  "for",  "from", "in",
		                             "is", "it", "its", "of",  "on", "or", "the", "this", "to",   "with" };

	for (size_t i = 0; i < COUNT(small); i++)
		if (strlen(small[i]) == n && !memcmp(small[i], word, n)) return true;
	return false;
}

/* A term: what stands between blanks or quotes, folded. */
static void add_term(struct words_query *wq, enum keyword_mode mode, const char *term, size_t n, bool quoted, bool prefix,
                     bool keep_small)
{
	size_t at = 0, words = 0;
	struct word w, only = { 0 };

	while (word_next(term, n, &at, &w)) words++, only = w;
	if (!words || (mode == KEYWORDS_ANY && words == 1 && !quoted && !keep_small && is_small_word(only.text, only.n))) return;
	if (quoted || prefix || mode == KEYWORDS_ALL) {
		add_phrase(wq, mode == KEYWORDS_ANY ? " OR " : " AND ", 0, term, n, term, n, prefix);
		return;
	}
	/* "beach-party" is a phrase; where scripts meet, or signs are many, each counts by itself. */
	for (at = 0; word_next(term, n, &at, &w);) {
		if (w.signs) add_signs(wq, &w);
		else add_phrase(wq, " OR ", 0, w.text, w.n, w.text, w.n, false);
	}
}

static void add_terms(struct words_query *wq, enum keyword_mode mode, const char *text, bool keep_small)
{
	static const char blanks[] = " \t\r\n";

	for (const char *p = text; *(p += strspn(p, blanks));) {
		const bool quoted = *p == '"';
		size_t n = quoted ? strcspn(++p, "\"") : strcspn(p, " \t\r\n\"");
		const bool prefix = quoted ? p[n] == '"' && p[n + 1] == '*' : n > 1 && p[n - 1] == '*';

		add_term(wq, mode, p, prefix && !quoted ? n - 1 : n, quoted, prefix, keep_small);
		p += n;
		if (quoted && *p == '"') p += prefix ? 2 : 1;
	}
}

static akin_status make_query(struct words_query *wq, const char *text, enum keyword_mode mode, akin_error *err)
{
	struct buf folded = BUF_EMPTY;
	bool failed;

	*wq = (struct words_query){ .n_terms = 0 };
	buf_add(&folded, "", 0);
	fold_text(text, strnlen(text, MAX_QUERY_BYTES), &folded);
	if (!folded.failed) add_terms(wq, mode, folded.data, false);
	if (!folded.failed && !wq->n_terms) add_terms(wq, mode, folded.data, true); /* nothing but small words */
	failed = folded.failed || wq->match.failed || wq->failed;
	buf_deinit(&folded);
	if (!failed) return AKIN_OK;
	words_query_deinit(wq);
	return error_nomem(err);
}

/* ---- asking ---- */

static bool tell(struct query *q, const struct words_query *wq, int (*each)(void *ctx, const struct store_keyword_hit *hit), void *ctx)
{
	const uint64_t mask = (uint64_t)sqlite3_column_int64(q->stmt, 2);
	const char *terms[MAX_TERMS];
	struct store_keyword_hit hit = { .picture_id = sqlite3_column_int64(q->stmt, 0),
		                         .score = -sqlite3_column_double(q->stmt, 1), .terms = terms };

	for (size_t i = 0; i < wq->n_terms; i++)
		if (mask >> i & 1) terms[hit.n_terms++] = wq->term[i];
	return each(ctx, &hit) == 0;
}

akin_status store_keywords_search(struct store *store, const char *query, enum keyword_mode mode, size_t limit,
                                  int (*each)(void *ctx, const struct store_keyword_hit *hit), void *ctx, akin_error *err)
{
	struct words_query wq;
	struct query q;
	akin_status st = make_query(&wq, query, mode, err);

	if (st != AKIN_OK || !wq.n_terms) return st;
	query_open(&q, store, "SELECT rowid, rank, akin_phrases(keyword) FROM keyword WHERE keyword MATCH ?1"
	                      " AND rank MATCH '" WEIGHTS "' ORDER BY rank, rowid LIMIT ?2");
	query_text(&q, 1, wq.match.data);
	query_int(&q, 2, limit ? (int64_t)limit : -1);
	while (query_next(&q))
		if (!tell(&q, &wq, each, ctx)) break;
	st = query_close(&q, err);
	words_query_deinit(&wq);
	return st;
}

/* ---- the vocabulary ---- */

static int count_hit(void *ctx, const struct store_keyword_hit *hit)
{
	(void)hit;
	*(bool *)ctx = true;
	return 1;
}

static bool is_latin(const char *word)
{
	for (; *word; word++)
		if (*word < 'a' || *word > 'z') return false;
	return true;
}

struct candidate {
	char *word;
	unsigned distance;
	int64_t pictures;
};

/* The nearer word, then the more frequent one. */
static void consider(struct query *q, const char *wanted, struct candidate *best)
{
	const char *word = query_column_text(q, 0);
	const int64_t pictures = sqlite3_column_int64(q->stmt, 1);
	unsigned distance;

	if (!is_latin(word) || (distance = spell_distance(wanted, word, 2)) > 2 || 3 * distance > strlen(wanted)) return;
	if (best->word && (distance > best->distance || (distance == best->distance && pictures <= best->pictures))) return;
	mem_free(best->word);
	*best = (struct candidate){ mem_strdup(word), distance, pictures };
	if (!best->word) q->rc = SQLITE_NOMEM;
}

akin_status store_keywords_nearest(struct store *store, const char *word, char **nearest, akin_error *err)
{
	struct candidate best = { 0 };
	char *wanted = fold_string(word);
	bool known = false;
	struct query q;
	akin_status st = AKIN_OK;

	*nearest = NULL;
	if (!wanted) return error_nomem(err);
	if (is_latin(wanted) && *wanted) st = store_keywords_search(store, wanted, KEYWORDS_ALL, 1, count_hit, &known, err);
	if (st == AKIN_OK && is_latin(wanted) && *wanted && !known) {
		query_open(&q, store, "SELECT term, doc FROM vocabulary WHERE term >= 'a' AND term < '{' ORDER BY term");
		while (query_next(&q)) consider(&q, wanted, &best);
		st = query_close(&q, err);
	}
	mem_free(wanted);
	if (st == AKIN_OK) *nearest = best.word;
	else mem_free(best.word);
	return st;
}
