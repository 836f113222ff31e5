/* index/buckets.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "index/buckets.h"

#include <string.h>

#include "base/alloc.h"

static uint32_t *writable(const uint32_t *p)
{
	return (uint32_t *)(uintptr_t)p;
}

void buckets_deinit(struct buckets *b)
{
	if (!b->mapped) {
		mem_free(writable(b->heads));
		mem_free(writable(b->next));
		mem_free(writable(b->slots));
	}
	*b = (struct buckets){ 0 };
}

akin_status buckets_init(struct buckets *b, size_t tables, unsigned bits, size_t rows, akin_error *err)
{
	*b = (struct buckets){ .tables = tables, .bits = bits, .capacity = rows };
	b->heads = mem_calloc(tables << bits, sizeof *b->heads);
	b->next = mem_calloc(tables * rows, sizeof *b->next);
	b->slots = mem_calloc(tables * rows, sizeof *b->slots);
	if (b->heads && b->next && b->slots) return AKIN_OK;
	buckets_deinit(b);
	return error_nomem(err);
}

static uint32_t *copy_columns(const struct buckets *b, const uint32_t *from, size_t capacity)
{
	uint32_t *to = mem_calloc(b->tables * capacity, sizeof *to);

	for (size_t t = 0; to && t < b->tables && b->count; t++)
		memcpy(to + t * capacity, from + t * b->capacity, b->count * sizeof *to);
	return to;
}

akin_status buckets_reserve(struct buckets *b, size_t rows, akin_error *err)
{
	const size_t half_more = b->capacity + b->capacity / 2, capacity = rows > half_more ? rows : half_more;
	uint32_t *next, *slots;

	if (rows <= b->capacity) return AKIN_OK;
	next = copy_columns(b, b->next, capacity);
	slots = copy_columns(b, b->slots, capacity);
	if (!next || !slots) {
		mem_free(next);
		mem_free(slots);
		return error_nomem(err);
	}
	mem_free(writable(b->next));
	mem_free(writable(b->slots));
	b->next = next;
	b->slots = slots;
	b->capacity = capacity;
	return AKIN_OK;
}

void buckets_add(struct buckets *b, const uint32_t *slots)
{
	for (size_t t = 0; t < b->tables; t++) {
		uint32_t *head = writable(b->heads) + (t << b->bits | slots[t]);

		writable(b->next)[t * b->capacity + b->count] = *head;
		writable(b->slots)[t * b->capacity + b->count] = slots[t];
		*head = (uint32_t)b->count + 1;
	}
	b->count++;
}

/* What points to the row. A walk: chains have about one row, and long ones hold equals, of which a set has few. */
static uint32_t *link_to(struct buckets *b, size_t table, size_t row)
{
	uint32_t *link = writable(b->heads) + (table << b->bits | b->slots[table * b->capacity + row]);

	while (*link != row + 1) link = writable(b->next) + table * b->capacity + *link - 1;
	return link;
}

void buckets_remove(struct buckets *b, size_t row)
{
	const size_t last = b->count - 1;

	for (size_t t = 0; t < b->tables; t++) {
		uint32_t *next = writable(b->next) + t * b->capacity, *slots = writable(b->slots) + t * b->capacity;

		*link_to(b, t, row) = next[row];
		if (row == last) continue;
		*link_to(b, t, last) = (uint32_t)row + 1;
		next[row] = next[last];
		slots[row] = slots[last];
	}
	b->count--;
}

/* Chains descend, so that a row met in as many places as there are rows is met once in each. */
static bool find_slots(const struct buckets *b, uint32_t *slots, uint8_t *met)
{
	for (size_t t = 0, row, n = 0; t < b->tables; t++, n = 0) {
		memset(met, 0, b->count);
		for (uint32_t slot = 0; slot < UINT32_C(1) << b->bits; slot++)
			for (uint32_t at = 0; buckets_walk(b, t, slot, &at, &row); n++) {
				if (met[row]++) return false;
				slots[t * b->capacity + row] = slot;
			}
		if (n != b->count) return false;
	}
	return true;
}

akin_status buckets_own(struct buckets *b, akin_error *err)
{
	struct buckets owned = *b;
	uint8_t *met;
	akin_status st = AKIN_OK;

	if (!b->mapped) return st;
	owned.mapped = false;
	owned.heads = mem_dup(b->heads, (b->tables << b->bits) * sizeof *b->heads);
	owned.next = mem_dup(b->next, b->tables * b->capacity * sizeof *b->next);
	owned.slots = mem_calloc(b->tables * b->capacity, sizeof *owned.slots);
	met = mem_alloc(b->count);
	if (!owned.heads || !owned.next || !owned.slots || !met)
		st = error_nomem(err);
	else if (!find_slots(b, writable(owned.slots), met))
		st = error_set(err, AKIN_ERR_FORMAT, "a row is not exactly once in each hash table");
	mem_free(met);
	if (st != AKIN_OK)
		buckets_deinit(&owned);
	else
		*b = owned;
	return st;
}

uint64_t buckets_bytes(const struct buckets *b)
{
	return b->mapped || !b->tables ? 0 : ((b->tables << b->bits) + 2 * b->tables * b->capacity) * sizeof *b->heads;
}

akin_status buckets_save(const struct buckets *b, enum section_tag heads, enum section_tag next, const uint32_t *order,
			 void (*slots_of)(void *ctx, size_t row, uint32_t *slots), void *ctx, struct file_out *file,
			 akin_error *err)
{
	uint32_t *slots = mem_calloc(b->tables, sizeof *slots);
	struct buckets sorted;
	akin_status st = slots ? buckets_init(&sorted, b->tables, b->bits, b->count, err) : error_nomem(err);

	if (st != AKIN_OK) goto out;
	for (size_t i = 0; i < b->count; i++) {
		slots_of(ctx, order[i], slots);
		buckets_add(&sorted, slots);
	}
	st = file_out_section(file, heads, err);
	if (st == AKIN_OK) st = file_out_put(file, sorted.heads, (b->tables << b->bits) * sizeof *b->heads, err);
	if (st == AKIN_OK) st = file_out_section(file, next, err);
	if (st == AKIN_OK) st = file_out_put(file, sorted.next, b->tables * b->count * sizeof *b->next, err);
	buckets_deinit(&sorted);
out:
	mem_free(slots);
	return st;
}

akin_status buckets_map(struct buckets *b, const struct file_in *file, enum section_tag heads, enum section_tag next,
			size_t tables, unsigned bits, size_t rows, akin_error *err)
{
	const void *at_heads, *at_next;
	akin_status st = file_in_section(file, heads, ((uint64_t)tables << bits) * sizeof(uint32_t), &at_heads, err);

	if (st == AKIN_OK) st = file_in_section(file, next, (uint64_t)tables * rows * sizeof(uint32_t), &at_next, err);
	if (st != AKIN_OK) return st;
	*b = (struct buckets){ tables, bits, at_heads, at_next, NULL, rows, rows, true };
	return AKIN_OK;
}
