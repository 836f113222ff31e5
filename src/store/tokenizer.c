/* store/tokenizer.c - FTS5's tokenizer "akin": folded words and their stems, signs and their pairs.
 *
 * A word stands in the index as it is and, behind STEM, as its English stem (FTS5's own porter makes it): queries ask for
 * stems, prefixes and the spelling hint for words. Of a run of signs every one and every pair stands there, so that a query
 * is found wherever it begins; one that stands alone is there once more, behind ALONE, which tells the word 狗 from a sign in
 * another word. The offsets that FTS5 is told are those of the folded text: highlight() and snippet() would go wrong.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <string.h>

#include "base/alloc.h"
#include "base/fold.h"
#include "base/words.h"

struct Fts5Tokenizer {
	fts5_tokenizer api; /* of porter */
	Fts5Tokenizer *porter;
	struct buf folded;
};

typedef int take_token(void *ctx, int flags, const char *token, int n, int start, int end);

struct run {
	Fts5Tokenizer *t;
	void *ctx;
	take_token *take;
	int flags;
	int emitted; /* in this position */
	char token[600];
	const char *last_sign; /* of a query: it follows if anything follows */
	size_t last_sign_n;
};

static int emit(struct run *r, int colocated, char mark, const char *text, size_t n)
{
	size_t at = 0;

	if (mark) r->token[at++] = mark;
	if (n > sizeof r->token - 1) n = sizeof r->token - 1;
	memcpy(r->token + at, text, n);
	return r->take(r->ctx, colocated ? FTS5_TOKEN_COLOCATED : 0, r->token, (int)(at + n), 0, (int)n);
}

/* ---- words ---- */

static int take_stem(void *ctx, int flags, const char *token, int n, int start, int end)
{
	struct run *r = ctx;

	(void)flags, (void)start, (void)end;
	return emit(r, r->emitted, TOKEN_STEM, token, (size_t)n);
}

static int put_word(struct run *r, const struct word *w)
{
	const bool document = !(r->flags & FTS5_TOKENIZE_QUERY);
	int rc = SQLITE_OK;

	r->emitted = document || r->flags & FTS5_TOKENIZE_PREFIX;
	if (r->emitted) rc = emit(r, 0, 0, w->text, w->n);
	if (rc != SQLITE_OK || r->flags & FTS5_TOKENIZE_PREFIX) return rc;
	return r->t->api.xTokenize(r->t->porter, r, FTS5_TOKENIZE_DOCUMENT, w->text, (int)w->n, take_stem);
}

/* ---- signs ---- */

static int put_signs_of_document(struct run *r, const struct word *w)
{
	const char *p = w->text, *end = p + w->n;
	size_t n = word_sign(p, w->n), next;
	int rc = SQLITE_OK;

	if (n == w->n) return (rc = emit(r, 0, 0, p, n)) != SQLITE_OK ? rc : emit(r, 1, TOKEN_ALONE, p, n);
	for (; rc == SQLITE_OK && p < end; p += n, n = next) {
		next = p + n < end ? word_sign(p + n, (size_t)(end - p) - n) : 0;
		rc = emit(r, 0, 0, p, n);
		if (rc == SQLITE_OK && next) rc = emit(r, 1, 0, p, n + next);
	}
	return rc;
}

/* The pairs; the last sign stands in the last one already, unless something follows. */
static int put_signs_of_query(struct run *r, const struct word *w, bool alone)
{
	const char *p = w->text, *end = p + w->n;
	size_t n = word_sign(p, w->n), next;
	int rc = SQLITE_OK;

	if (alone) return emit(r, 0, TOKEN_ALONE, p, n);
	if (n == w->n) return emit(r, 0, 0, p, n);
	for (; rc == SQLITE_OK && p + n < end; p += n, n = next) {
		next = word_sign(p + n, (size_t)(end - p) - n);
		rc = emit(r, 0, 0, p, n + next);
	}
	r->last_sign = p;
	r->last_sign_n = n;
	return rc;
}

static int put_last_sign(struct run *r)
{
	const char *sign = r->last_sign;

	r->last_sign = NULL;
	return sign ? emit(r, 0, 0, sign, r->last_sign_n) : SQLITE_OK;
}

static int tokenize(Fts5Tokenizer *t, void *ctx, int flags, const char *text, int n, take_token *take)
{
	struct run r = { .t = t, .ctx = ctx, .take = take, .flags = flags };
	struct word w;
	int rc = SQLITE_OK;

	buf_clear(&t->folded);
	buf_add(&t->folded, "", 0);
	fold_text(text, (size_t)n, &t->folded);
	if (t->folded.failed) return SQLITE_NOMEM;
	for (size_t at = 0; rc == SQLITE_OK && word_next(t->folded.data, t->folded.len, &at, &w);) {
		const bool alone = w.text > t->folded.data && w.text[-1] == TOKEN_ALONE;

		rc = put_last_sign(&r);
		if (rc != SQLITE_OK) break;
		if (!w.signs) rc = put_word(&r, &w);
		else rc = flags & FTS5_TOKENIZE_QUERY ? put_signs_of_query(&r, &w, alone) : put_signs_of_document(&r, &w);
	}
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* ---- one word in, the same word out: what porter makes stems of ---- */

static int create_plain(void *api, const char **args, int n_args, Fts5Tokenizer **out)
{
	(void)api, (void)args, (void)n_args;
	*out = (Fts5Tokenizer *)mem_zalloc(sizeof **out);
	return *out ? SQLITE_OK : SQLITE_NOMEM;
}

static int tokenize_plain(Fts5Tokenizer *t, void *ctx, int flags, const char *text, int n, take_token *take)
{
	(void)t, (void)flags;
	return take(ctx, 0, text, n, 0, n);
}

static void destroy(Fts5Tokenizer *t)
{
	if (!t) return;
	if (t->porter) t->api.xDelete(t->porter);
	buf_deinit(&t->folded);
	mem_free(t);
}

static int create(void *ctx, const char **args, int n_args, Fts5Tokenizer **out)
{
	static const char *plain = "akin_plain";
	fts5_api *api = ctx;
	void *porter_ctx;
	int rc = create_plain(NULL, NULL, 0, out);

	(void)args, (void)n_args;
	if (rc == SQLITE_OK) rc = api->xFindTokenizer(api, "porter", &porter_ctx, &(*out)->api);
	if (rc == SQLITE_OK) rc = (*out)->api.xCreate(porter_ctx, &plain, 1, &(*out)->porter);
	if (rc != SQLITE_OK) {
		destroy(*out);
		*out = NULL;
	}
	return rc;
}

/* akin_phrases(keyword): bit i says that the query's phrase i is in the row. */
static void sql_phrases(const Fts5ExtensionApi *api, Fts5Context *fts, sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	int64_t mask = 0;
	int n = 0, phrase, column, offset, rc = api->xInstCount(fts, &n);

	(void)argc, (void)argv;
	for (int i = 0; rc == SQLITE_OK && i < n; i++)
		if ((rc = api->xInst(fts, i, &phrase, &column, &offset)) == SQLITE_OK && phrase < 63) mask |= INT64_C(1) << phrase;
	if (rc != SQLITE_OK) sqlite3_result_error_code(ctx, rc);
	else sqlite3_result_int64(ctx, mask);
}

static int find_api(sqlite3 *db, fts5_api **api)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &stmt, NULL);

	*api = NULL;
	if (rc != SQLITE_OK) return rc;
	sqlite3_bind_pointer(stmt, 1, (void *)api, "fts5_api_ptr", NULL);
	(void)sqlite3_step(stmt);
	rc = sqlite3_finalize(stmt);
	return rc == SQLITE_OK && !*api ? SQLITE_ERROR : rc;
}

int tokenizer_register(struct conn *conn)
{
	fts5_tokenizer akin = { create, destroy, tokenize }, plain = { create_plain, destroy, tokenize_plain };
	fts5_api *api;
	int rc = find_api(conn->db, &api);

	if (rc == SQLITE_OK) rc = api->xCreateTokenizer(api, "akin_plain", NULL, &plain, NULL);
	if (rc == SQLITE_OK) rc = api->xCreateTokenizer(api, "akin", api, &akin, NULL);
	if (rc == SQLITE_OK) rc = api->xCreateFunction(api, "akin_phrases", NULL, sql_phrases, NULL);
	return rc;
}
