/* feature/tokenizer_parts.h - what a tokenizer is made of; for the files tokenizer*.c only.
 *
 * A text goes through four stations, each a list read from the file:
 *   1. tokens that stand for themselves ("<|endoftext|>") are cut out (tokenizer_added.c);
 *   2. steps rewrite the rest and cut it into words (tokenizer_steps.c): the file's normalizers and pre-tokenizers,
 *      taken apart into the same few primitives (BertNormalizer is four of them, Metaspace three);
 *   3. the model turns each word into ids (tokenizer_bpe.c, tokenizer_wordpiece.c, tokenizer_unigram.c);
 *   4. the ids are cut to length, framed by special ones, and padded (tokenizer.c).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_FEATURE_TOKENIZER_PARTS_H
#define AKIN_FEATURE_TOKENIZER_PARTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"
#include "feature/tokenizer.h"

enum {
	TOKENIZER_FILE_MAX = 128 << 20, /* the largest known, of 256,000 pieces and their merges, has 34 MB */
	TOKENIZER_STEPS_MAX = 64,
	TOKENIZER_DEPTH_MAX = 8,        /* of Sequence in Sequence */
	TOKENIZER_PIECE_MAX = 1024,     /* bytes of one vocabulary entry */
	TOKENIZER_AFFIX_MAX = 64,       /* bytes of "##" or "</w>" */
	TOKENIZER_REWRITTEN_MAX = 2 << 20, /* what steps make of a text: NFKD alone grows some characters elevenfold */
	TOKENIZER_SEARCH_BUDGET = 20 * 1000 * 1000, /* steps of regular expressions: 0.3 s */
};

/* ---- strings and their ids: tokenizer_vocab.c ---- */

/* Sorted by bytes, so that finding every entry that begins at a place of the text is narrowing a range, one byte after
 * the other; a plain look-up is the same walk. */
struct vocab_entry {
	uint32_t at, bytes;
	int32_t id;
};
struct vocab {
	struct buf text; /* all entries' bytes */
	struct vocab_entry *entry;
	size_t n, capacity;
	uint32_t first[257]; /* entries beginning with byte b: first[b] .. first[b + 1] */
};
struct vocab_walk {
	uint32_t low, high, depth;
};

/* Any number of adds, then one sort. Of equal strings the last added stays. */
akin_status vocab_add(struct vocab *v, const char *bytes, size_t n, int32_t id, akin_error *err);
akin_status vocab_sort(struct vocab *v, akin_error *err);
void vocab_deinit(struct vocab *v);
int32_t vocab_find(const struct vocab *v, const char *bytes, size_t n); /* -1: not there */
struct vocab_walk vocab_start(const struct vocab *v);
/* One byte further; false when no entry goes that way. */
bool vocab_step(const struct vocab *v, struct vocab_walk *walk, uint8_t byte);
int32_t vocab_here(const struct vocab *v, const struct vocab_walk *walk); /* the entry that ends here, or -1 */

/* ---- regular expressions and literals: tokenizer_pattern.c ---- */

struct pattern {
	char *literal; /* NULL: `code` */
	size_t bytes;
	void *code;    /* pcre2_code_8 */
};
struct pattern_run; /* opaque: one search through one text */

akin_status pattern_literal(struct pattern *p, const char *text, size_t bytes, akin_error *err);
/* AKIN_ERR_FORMAT also for what Oniguruma (which the file was written for) and PCRE2 read differently. */
akin_status pattern_compile(struct pattern *p, const char *regex, size_t bytes, akin_error *err);
void pattern_deinit(struct pattern *p);
/* `budget`: matching steps left for this text, beyond those of an ordinary search; shared by all its searches. */
akin_status pattern_run_create(struct pattern_run **out, const struct pattern *p, const char *text, size_t bytes,
                               uint32_t *budget, akin_error *err);
void pattern_run_destroy(struct pattern_run *run);
/* The next match; *found false when there is none. */
akin_status pattern_next(struct pattern_run *run, size_t *start, size_t *end, bool *found, akin_error *err);

/* ---- pieces of a text ---- */

struct piece {
	size_t at, bytes;
	int32_t id;   /* of an added token; -1: text still to be worked on */
	bool leading; /* begins where the text began: Metaspace "first" asks */
};
struct pieces {
	struct buf text;
	struct piece *piece;
	size_t n, capacity;
};

/* Append a copy of the bytes as a piece; nothing for an empty one, as an empty word has no tokens. */
akin_status pieces_add(struct pieces *p, const char *bytes, size_t n, int32_t id, bool leading, akin_error *err);
void pieces_clear(struct pieces *p);
void pieces_deinit(struct pieces *p);

/* ---- characters: tokenizer_chars.c ---- */

/* The character at the start of valid UTF-8, its length to *bytes. */
int32_t char_at(const char *s, size_t n, size_t *bytes);
size_t char_write(int32_t code, char out[4]);
/* Append the text with every byte that is no UTF-8 replaced by U+FFFD. */
void chars_repair(const char *text, size_t n, struct buf *out);
bool char_is_space(int32_t c);       /* Unicode's White_Space */
bool char_is_word(int32_t c);        /* \w of Unicode TR18 */
bool char_is_number(int32_t c);      /* Nd, Nl, No */
bool char_is_punctuation(int32_t c); /* P*, and all of ASCII's */
bool char_is_mark(int32_t c);        /* Mn, Mc, Me */
bool char_is_nonspacing(int32_t c);  /* Mn */
bool char_is_control(int32_t c);     /* Cc, Cf, Co: BERT's "other", less tab and line ends */
bool char_is_cjk(int32_t c);         /* BERT's blocks of Han characters */
size_t char_lower(int32_t c, int32_t out[2]);
int32_t char_of_byte(uint8_t byte);  /* GPT-2's visible character for each byte */

/* ---- steps: tokenizer_steps.c (the list), tokenizer_rewrite.c, tokenizer_split.c ---- */

enum step_kind {
	STEP_NFC, STEP_NFD, STEP_NFKC, STEP_NFKD, STEP_LOWERCASE, STEP_STRIP, STEP_DROP, STEP_CLEAN, STEP_SPACE_CJK,
	STEP_NMT, STEP_REPLACE, STEP_PREPEND, STEP_CHARSMAP, STEP_BYTES,
	STEP_SPLIT, /* the first that cuts; those before rewrite */
};
enum step_cut { CUT_PATTERN, CUT_SPACE, CUT_PUNCTUATION, CUT_NUMBER, CUT_WORDS };
enum step_behaviour { SPLIT_REMOVED, SPLIT_ISOLATED, SPLIT_WITH_PREVIOUS, SPLIT_WITH_NEXT, SPLIT_CONTIGUOUS };
enum step_prepend { PREPEND_ALWAYS, PREPEND_IF_MISSING, PREPEND_IF_LEADING };

struct step {
	enum step_kind kind;
	bool left, right;              /* STEP_STRIP */
	bool (*drop)(int32_t c);       /* STEP_DROP */
	enum step_prepend prepend;     /* STEP_PREPEND */
	struct pattern pattern;        /* STEP_REPLACE; STEP_SPLIT by CUT_PATTERN */
	char *content;                 /* STEP_REPLACE, STEP_PREPEND */
	size_t content_bytes;
	struct charsmap *charsmap;     /* STEP_CHARSMAP */
	enum step_cut cut;             /* STEP_SPLIT */
	enum step_behaviour behaviour;
	bool invert;
};
struct steps {
	struct step step[TOKENIZER_STEPS_MAX];
	size_t n;
};

/* Take pieces through all steps; `scratch` is overwritten. Pieces with an id stay as they are. */
akin_status steps_run(const struct steps *steps, struct pieces *pieces, struct pieces *scratch, uint32_t *budget,
                      akin_error *err);
void steps_deinit(struct steps *steps);
/* One rewriting step on one piece; the result is appended to `out`. */
akin_status step_rewrite(const struct step *step, const char *in, size_t n, bool *leading, struct buf *out,
                         uint32_t *budget, akin_error *err);
/* One cutting step on one piece. */
akin_status step_split(const struct step *step, const char *in, size_t n, bool leading, struct pieces *out,
                       uint32_t *budget, akin_error *err);

/* SentencePiece's compiled table of replacements, as `Precompiled` holds it in base64. */
akin_status charsmap_create(struct charsmap **out, const char *base64, size_t n, akin_error *err);
void charsmap_destroy(struct charsmap *map);
/* Append `in` with the table's replacements. */
akin_status charsmap_apply(const struct charsmap *map, const char *in, size_t n, struct buf *out, akin_error *err);

/* Append to a step's output; AKIN_ERR_LIMIT beyond TOKENIZER_REWRITTEN_MAX. */
akin_status out_add(struct buf *out, const char *bytes, size_t n, akin_error *err);
akin_status out_char(struct buf *out, int32_t c, akin_error *err);

/* ---- models ---- */

struct id_list {
	int32_t *id;
	size_t n, capacity;
};
akin_status ids_add(struct id_list *ids, int32_t id, akin_error *err);

struct bpe_merge {
	uint64_t pair; /* left id << 32 | right id */
	uint32_t rank;
	int32_t id;
};
struct token_model {
	enum { MODEL_BPE, MODEL_WORDPIECE, MODEL_UNIGRAM, MODEL_WORDLEVEL } kind;
	struct vocab vocab;
	int32_t unknown; /* id, -1: none */
	int32_t byte_id[256]; /* <0x00> .. <0xFF>, -1: not there */
	bool byte_fallback, fuse_unknown, whole_words_first;
	char prefix[TOKENIZER_AFFIX_MAX + 1]; /* of a piece that continues a word */
	char suffix[TOKENIZER_AFFIX_MAX + 1]; /* of a word's last piece */
	struct bpe_merge *merge; /* by pair */
	size_t n_merges, merges_capacity;
	struct vocab continuing; /* WordPiece: entries that begin with `prefix`, without it */
	size_t longest_word;     /* WordPiece: characters */
	double *score;           /* Unigram: by id */
	double unknown_score;
	size_t n_scores;
};
struct model_scratch { /* grows to the longest word of one text */
	void *symbols, *heap;
	size_t symbols_capacity, heap_capacity;
};

akin_status bpe_encode(const struct token_model *m, struct model_scratch *scratch, const char *word, size_t n,
                       struct id_list *ids, akin_error *err);
void bpe_sort(struct token_model *m);
akin_status wordpiece_encode(const struct token_model *m, const char *word, size_t n, struct id_list *ids,
                             akin_error *err);
akin_status unigram_model_encode(const struct token_model *m, struct model_scratch *scratch, const char *word, size_t n,
                           struct id_list *ids, akin_error *err);
void model_find_bytes(struct token_model *m);
/* The byte tokens of a text, if all are there. */
bool model_has_bytes(const struct token_model *m, const char *bytes, size_t n);

/* ---- the whole ---- */

struct added_token {
	int32_t id;
	bool single_word, left_strip, right_strip;
};
struct added_tokens { /* `plain` is looked for in the text as given, `normal` after the normalizers */
	struct vocab plain, normal; /* to indices of `token` */
	struct added_token *token;
	size_t n, capacity;
};
/* Cut the tokens of `which` out of every piece that is still text. */
akin_status added_cut(const struct added_tokens *added, const struct vocab *which, const struct pieces *in,
                      struct pieces *out, akin_error *err);

struct tokenizer {
	struct added_tokens added;
	struct steps normalize, split;
	struct token_model model;
	struct id_list before, after; /* special ids around a text */
	size_t length;                /* 0: no limit */
	bool cut_left;                /* what is too long loses its beginning */
	size_t pad_length, pad_multiple;
	bool pad_left;
	int32_t pad_id;
};

/* Read everything of the file into a zeroed tokenizer: tokenizer_json.c. */
akin_status tokenizer_read(struct tokenizer *t, const json_t *root, akin_error *err);

#endif
