/* feature/tokenizer_json.h - reading members of a tokenizer.json, strictly: the first mistake stays, with its path
 * ("normalizer.normalizers[2].pattern"), and later reads do nothing. For tokenizer_read*.c.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_FEATURE_TOKENIZER_JSON_H
#define AKIN_FEATURE_TOKENIZER_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "feature/tokenizer_parts.h"

struct reader {
	akin_status st;
	akin_error *err;
	char path[160];
};

void reader_wrong(struct reader *r, const char *member, const char *what);
/* What `tokenizers` may know and akin does not. */
void reader_unknown(struct reader *r, const char *member, const char *what);
/* A status from elsewhere, its sentence under this path. */
void reader_fail(struct reader *r, const char *member, akin_status st);

/* Go into a member or an item, and back: leave with what enter returned. */
size_t reader_enter(struct reader *r, const char *member);
size_t reader_enter_item(struct reader *r, size_t i);
void reader_leave(struct reader *r, size_t entered);

/* False unless `object` is an object and has no members but these (NULL-ended). */
bool reader_has_only(struct reader *r, const json_t *object, const char *const *members);
/* The text of a member; NULL when it is null or missing (a mistake if required). *bytes may be NULL. */
const char *reader_text(struct reader *r, const json_t *object, const char *member, bool required, size_t *bytes);
enum { FLAG_REQUIRED = -1 };
bool reader_flag(struct reader *r, const json_t *object, const char *member, int missing);
/* An integer from min to max; `missing` below min: required. */
json_int_t reader_number(struct reader *r, const json_t *object, const char *member, json_int_t min, json_int_t max,
			 json_int_t missing);
/* Index in the NULL-ended list; `missing` -1: required. */
int reader_choice(struct reader *r, const json_t *object, const char *member, const char *const *names, int missing);

/* tokenizer_read_steps.c */
void read_normalizer(struct reader *r, const json_t *value, struct steps *steps, unsigned depth);
void read_pre_tokenizer(struct reader *r, const json_t *value, struct steps *steps, unsigned depth);
/* tokenizer_read_model.c */
void read_model(struct reader *r, const json_t *value, struct token_model *model);

#endif
