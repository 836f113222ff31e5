/* feature/tokenizer_bpe.c - byte pair encoding: a word's characters, joined pair by pair, the pair that training joined
 * first before all others, and of equal ones the leftmost (Sennrich et al. 2016).
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "feature/tokenizer_parts.h"

/* A doubly linked list in an array; a symbol joined to its left neighbour has id -1. */
struct symbol {
	int32_t id, previous, next;
};
struct candidate {
	uint32_t rank, at;
	int32_t id; /* what the pair becomes: tells an old candidate from a new one at the same place */
};
struct word {
	const struct token_model *model;
	struct symbol *symbol;
	struct candidate *heap;
	size_t n, n_heap;
};

static int by_pair(const void *a, const void *b)
{
	const struct bpe_merge *x = a, *y = b;

	if (x->pair != y->pair) return x->pair < y->pair ? -1 : 1;
	return (x->rank > y->rank) - (x->rank < y->rank);
}

/* Of a pair that is there twice the last counts. */
void bpe_sort(struct token_model *m)
{
	size_t kept = 0;

	if (m->n_merges) qsort(m->merge, m->n_merges, sizeof *m->merge, by_pair);
	for (size_t i = 0; i < m->n_merges; i++) {
		if (kept && m->merge[kept - 1].pair == m->merge[i].pair) kept--;
		m->merge[kept++] = m->merge[i];
	}
	m->n_merges = kept;
}

static const struct bpe_merge *find_merge(const struct token_model *m, int32_t left, int32_t right)
{
	const uint64_t pair = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
	size_t low = 0, high = m->n_merges;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (m->merge[middle].pair < pair)
			low = middle + 1;
		else
			high = middle;
	}
	return low < m->n_merges && m->merge[low].pair == pair ? &m->merge[low] : NULL;
}

/* ---- candidates, the best first ---- */

static bool before(const struct candidate *a, const struct candidate *b)
{
	return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static void push(struct word *w, int32_t at)
{
	const struct symbol *s = &w->symbol[at];
	const struct bpe_merge *merge = s->next < 0 ? NULL : find_merge(w->model, s->id, w->symbol[s->next].id);
	size_t i = w->n_heap;

	if (!merge) return;
	w->heap[w->n_heap++] = (struct candidate){ merge->rank, (uint32_t)at, merge->id };
	while (i && before(&w->heap[i], &w->heap[(i - 1) / 2])) {
		const struct candidate swap = w->heap[i];

		w->heap[i] = w->heap[(i - 1) / 2];
		w->heap[(i - 1) / 2] = swap;
		i = (i - 1) / 2;
	}
}

static struct candidate pop(struct word *w)
{
	const struct candidate best = w->heap[0], last = w->heap[--w->n_heap];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < w->n_heap) {
		if (child + 1 < w->n_heap && before(&w->heap[child + 1], &w->heap[child])) child++;
		if (!before(&w->heap[child], &last)) break;
		w->heap[i] = w->heap[child];
		i = child;
	}
	w->heap[i] = last;
	return best;
}

static void merge_all(struct word *w)
{
	for (size_t i = 0; i + 1 < w->n; i++) push(w, (int32_t)i);
	while (w->n_heap) {
		const struct candidate top = pop(w);
		struct symbol *left = &w->symbol[top.at], *right;
		const struct bpe_merge *merge;

		if (left->id < 0 || left->next < 0) continue;
		right = &w->symbol[left->next];
		merge = find_merge(w->model, left->id, right->id);
		if (!merge || merge->id != top.id) continue;
		left->id = top.id;
		right->id = -1;
		left->next = right->next;
		if (right->next >= 0) w->symbol[right->next].previous = (int32_t)top.at;
		if (left->previous >= 0) push(w, left->previous);
		push(w, (int32_t)top.at);
	}
}

/* ---- from characters to symbols ---- */

/* Symbols never outnumber the bytes of the word and its affixes; each merge adds two candidates at most. */
static akin_status make_room(struct model_scratch *scratch, size_t symbols, struct word *w, akin_error *err)
{
	if (symbols > scratch->symbols_capacity) {
		void *moved = mem_realloc(scratch->symbols, symbols * sizeof *w->symbol);

		if (!moved) return error_nomem(err);
		scratch->symbols = moved;
		scratch->symbols_capacity = symbols;
	}
	if (3 * symbols > scratch->heap_capacity) {
		void *moved = mem_realloc(scratch->heap, 3 * symbols * sizeof *w->heap);

		if (!moved) return error_nomem(err);
		scratch->heap = moved;
		scratch->heap_capacity = 3 * symbols;
	}
	w->symbol = scratch->symbols;
	w->heap = scratch->heap;
	return AKIN_OK;
}

static void append(struct word *w, int32_t id)
{
	w->symbol[w->n] = (struct symbol){ id, (int32_t)w->n - 1, -1 };
	if (w->n) w->symbol[w->n - 1].next = (int32_t)w->n;
	w->n++;
}

/* A character without an entry: its bytes, if all of them have one; else the unknown token, once for each character or
 * for a run of them. It waits in `unknown` until a known character follows, which bytes are not: so does `tokenizers`.
 */
static void append_strange(struct word *w, const char *text, size_t n, bool *unknown)
{
	const struct token_model *m = w->model;

	if (m->byte_fallback && model_has_bytes(m, text, n)) {
		for (size_t i = 0; i < n; i++) append(w, m->byte_id[(uint8_t)text[i]]);
		return;
	}
	if (m->unknown < 0) return;
	if (*unknown && !m->fuse_unknown) append(w, m->unknown);
	*unknown = true;
}

static void append_characters(struct word *w, const char *bytes, size_t n)
{
	const struct token_model *m = w->model;
	const size_t prefix = strlen(m->prefix), suffix = strlen(m->suffix);
	bool unknown = false;
	size_t used;

	for (size_t i = 0; i < n; i += used) {
		char text[2 * TOKENIZER_AFFIX_MAX + 8];
		size_t len = 0;
		int32_t id;

		char_at(bytes + i, n - i, &used);
		if (i) memcpy(text, m->prefix, prefix), len = prefix;
		memcpy(text + len, bytes + i, used);
		len += used;
		if (i + used >= n) memcpy(text + len, m->suffix, suffix), len += suffix;
		if ((id = vocab_find(&m->vocab, text, len)) < 0) {
			append_strange(w, text, len, &unknown);
			continue;
		}
		if (unknown) append(w, m->unknown);
		unknown = false;
		append(w, id);
	}
	if (unknown) append(w, m->unknown);
}

akin_status bpe_encode(const struct token_model *m, struct model_scratch *scratch, const char *word, size_t n,
		       struct id_list *ids, akin_error *err)
{
	const size_t most = n * (1 + strlen(m->prefix)) + strlen(m->suffix) + 1;
	struct word w = { .model = m };
	akin_status st = AKIN_OK;

	if (m->whole_words_first && n) {
		const int32_t id = vocab_find(&m->vocab, word, n);
		if (id >= 0) return ids_add(ids, id, err);
	}
	if ((st = make_room(scratch, most, &w, err)) != AKIN_OK) return st;
	append_characters(&w, word, n);
	merge_all(&w);
	for (size_t i = 0; i < w.n && st == AKIN_OK; i++)
		if (w.symbol[i].id >= 0) st = ids_add(ids, w.symbol[i].id, err);
	return st;
}

/* ---- byte fallback, for Unigram too ---- */

void model_find_bytes(struct token_model *m)
{
	for (unsigned byte = 0; byte < 256; byte++) {
		char name[8];

		snprintf(name, sizeof name, "<0x%02X>", byte);
		m->byte_id[byte] = vocab_find(&m->vocab, name, 6);
	}
}

bool model_has_bytes(const struct token_model *m, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (m->byte_id[(uint8_t)bytes[i]] < 0) return false;
	return true;
}
