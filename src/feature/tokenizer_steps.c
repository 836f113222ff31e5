/* feature/tokenizer_steps.c - pieces, and taking them through a list of steps.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "feature/tokenizer_parts.h"

akin_status pieces_add(struct pieces *p, const char *bytes, size_t n, int32_t id, bool leading, akin_error *err)
{
	const size_t at = p->text.len;
	struct piece *moved;
	akin_status st;

	if (!n) return AKIN_OK;
	if (!(moved = mem_grow(p->piece, &p->capacity, p->n, sizeof *p->piece))) return error_nomem(err);
	p->piece = moved;
	if ((st = out_add(&p->text, bytes, n, err)) != AKIN_OK) return st;
	p->piece[p->n++] = (struct piece){ at, n, id, leading };
	return AKIN_OK;
}

void pieces_clear(struct pieces *p)
{
	buf_clear(&p->text);
	p->n = 0;
}

void pieces_deinit(struct pieces *p)
{
	buf_deinit(&p->text);
	mem_free(p->piece);
	*p = (struct pieces){ 0 };
}

static akin_status run_step(const struct step *step, const struct pieces *in, struct pieces *out, uint32_t *budget,
			    akin_error *err)
{
	struct buf text = BUF_EMPTY;
	akin_status st = AKIN_OK;

	pieces_clear(out);
	for (size_t i = 0; i < in->n && st == AKIN_OK; i++) {
		const struct piece *piece = &in->piece[i];
		const char *bytes = in->text.data + piece->at;
		bool leading = piece->leading;

		if (piece->id >= 0) {
			st = pieces_add(out, bytes, piece->bytes, piece->id, leading, err);
		} else if (step->kind == STEP_SPLIT) {
			st = step_split(step, bytes, piece->bytes, leading, out, budget, err);
		} else {
			buf_clear(&text);
			st = step_rewrite(step, bytes, piece->bytes, &leading, &text, budget, err);
			if (st == AKIN_OK) st = pieces_add(out, text.data, text.len, -1, leading, err);
		}
	}
	buf_deinit(&text);
	return st;
}

akin_status steps_run(const struct steps *steps, struct pieces *pieces, struct pieces *scratch, uint32_t *budget,
		      akin_error *err)
{
	for (size_t i = 0; i < steps->n; i++) {
		akin_status st = run_step(&steps->step[i], pieces, scratch, budget, err);
		struct pieces swap = *pieces;

		*pieces = *scratch;
		*scratch = swap;
		if (st != AKIN_OK) return st;
	}
	return AKIN_OK;
}

void steps_deinit(struct steps *steps)
{
	for (size_t i = 0; i < steps->n; i++) {
		pattern_deinit(&steps->step[i].pattern);
		mem_free(steps->step[i].content);
		charsmap_destroy(steps->step[i].charsmap);
	}
	steps->n = 0;
}
