/* feature/text_model.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "feature/text_model.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the file's numbers are used where they lie");

enum { HEADER = 4096, VERSION = 1, TABLE_SLACK = 8, MOST_WIDTH = 4096, MOST_GROUPS = 256, MOST_PIECES = 1 << 24 };

/* clang-format off */
enum section {
	PIECE_AT, PIECE_ID, PIECE_SCORE, PIECE_TEXT, RULE_UNITS, RULE_TEXT, CODE_LENGTHS, CODE_RANGE, ROW_AT, ROW_BITS,
	WEIGHTS, FLOATS, N_SECTIONS
};
/* clang-format on */

struct header {
	char magic[8];
	uint32_t version, n_sections;
	uint64_t file_bytes;
	uint32_t n_pieces, unknown, start, end, n_groups, embedding, conv, hidden;
	float eps;
	uint32_t dim;
	struct {
		uint64_t at, bytes;
	} section[N_SECTIONS];
	uint64_t body_checksum;
	uint8_t zero[HEADER - 64 - 16 * N_SECTIONS - 16];
	uint64_t checksum; /* of the header before this */
};
_Static_assert(sizeof(struct header) == HEADER, "as docs/text-model.md has it");

static akin_status wrong(akin_error *err, const char *what)
{
	return error_set(err, AKIN_ERR_FORMAT, "the text model's %s", what);
}

/* ---- header and sections ---- */

static bool is_width(uint32_t n)
{
	return n && n <= MOST_WIDTH && n % DENSE_PANEL == 0;
}

static akin_status check_header(const struct header *h, const uint8_t *bytes, size_t n, akin_error *err)
{
	if (memcmp(h->magic, "AKINTEXT", sizeof h->magic) != 0)
		return error_set(err, AKIN_ERR_FORMAT, "this is no file of a text model");
	if (h->version != VERSION)
		return error_set(err, AKIN_ERR_FORMAT, "the text model has format %u, this akin reads %d", h->version,
				 VERSION);
	if (h->file_bytes != n)
		return error_set(err, AKIN_ERR_FORMAT, "the text model should have %llu bytes, it has %zu",
				 (unsigned long long)h->file_bytes, n);
	if (h->checksum != hash_checksum(bytes, HEADER - sizeof h->checksum, 0) ||
	    h->body_checksum != hash_checksum(bytes + HEADER, n - HEADER, 0))
		return error_set(err, AKIN_ERR_FORMAT, "the text model is damaged: its checksum is wrong");
	if (h->n_sections != N_SECTIONS) return wrong(err, "sections are not those of its format");
	for (size_t i = 0; i < N_SECTIONS; i++)
		if (h->section[i].at < HEADER || h->section[i].at % 8 || h->section[i].at > n ||
		    h->section[i].bytes > n - h->section[i].at)
			return error_set(err, AKIN_ERR_FORMAT, "section %zu of the text model lies outside the file",
					 i);
	if (!is_width(h->embedding) || !is_width(h->conv) || !is_width(h->hidden) || !is_width(h->dim))
		return wrong(err, "widths are no multiples of 32 up to 4096");
	if (!h->n_pieces || h->n_pieces > MOST_PIECES || !h->n_groups || h->n_groups > MOST_GROUPS ||
	    h->start >= h->n_pieces || h->end >= h->n_pieces)
		return wrong(err, "numbers of pieces cannot be");
	return h->eps >= 0 && h->eps <= 1 ? AKIN_OK : wrong(err, "epsilon cannot be");
}

/* Weights and floats of all layers, in this order. */
struct shape {
	size_t weights, floats;
};

static struct shape shape_of(const struct header *h)
{
	const size_t e = h->embedding, c = h->conv, f = e + TEXT_ORDERS * c, o = h->dim, hid = h->hidden;
	struct shape s = { 0, 3 * TEXT_ORDERS + 7 };

	s.weights = TEXT_ORDERS * e * c + 2 * (2 + 3 + 5) * c * c + f * o + o * hid + hid * hid + o * hid + hid * o +
		    o * o + hid * o;
	s.floats += TEXT_ORDERS * 5 * c + 2 * f + o;
	return s;
}

static akin_status check_sizes(const struct header *h, akin_error *err)
{
	const struct shape shape = shape_of(h);
	const uint64_t n = h->n_pieces, wanted[N_SECTIONS] = {
		[PIECE_AT] = 4 * (n + 1),
		[PIECE_ID] = 4 * n,
		[PIECE_SCORE] = 4 * n,
		[PIECE_TEXT] = h->section[PIECE_TEXT].bytes,
		[RULE_UNITS] = h->section[RULE_UNITS].bytes / 4 * 4,
		[RULE_TEXT] = h->section[RULE_TEXT].bytes,
		[CODE_LENGTHS] = TEXT_LEVELS * (uint64_t)h->n_groups,
		[CODE_RANGE] = 8 * (uint64_t)h->n_groups,
		[ROW_AT] = 4 * (n + 1),
		[ROW_BITS] = h->section[ROW_BITS].bytes,
		[WEIGHTS] = shape.weights,
		[FLOATS] = 4 * shape.floats,
	};

	for (size_t i = 0; i < N_SECTIONS; i++)
		if (h->section[i].bytes != wanted[i])
			return error_set(err, AKIN_ERR_FORMAT,
					 "section %zu of the text model should have %llu bytes, it has %llu", i,
					 (unsigned long long)wanted[i], (unsigned long long)h->section[i].bytes);
	return AKIN_OK;
}

/* ---- the table ---- */

/* The prefix code that its lengths define: shorter codes first, equal lengths in the order of levels. Complete, so that
 * any bits are some level. */
static akin_status make_code(struct text_group *group, const uint8_t *lengths, akin_error *err)
{
	size_t next = 0;

	for (unsigned length = 1; length <= TEXT_CODE_BITS; length++)
		for (size_t level = 0; level < TEXT_LEVELS; level++) {
			const size_t span = (size_t)1 << (TEXT_CODE_BITS - length);

			if (lengths[level] > TEXT_CODE_BITS) return wrong(err, "code is too long");
			if (lengths[level] != length) continue;
			if (next + span > 1 << TEXT_CODE_BITS) return wrong(err, "code is ambiguous");
			memset(group->length + next, (int)length, span);
			memset(group->level + next, (int)level, span);
			next += span;
		}
	return next == 1 << TEXT_CODE_BITS ? AKIN_OK : wrong(err, "code has holes");
}

static akin_status make_groups(struct text_model *m, const uint8_t *lengths, const float *range, akin_error *err)
{
	akin_status st = AKIN_OK;

	if (!(m->groups = mem_calloc(m->n_groups, sizeof *m->groups))) return error_nomem(err);
	for (size_t g = 0; g < m->n_groups && st == AKIN_OK; g++) {
		for (int level = 0; level < TEXT_LEVELS; level++) {
			const float above = (float)level * range[2 * g];
			m->groups[g].value[level] = above + range[2 * g + 1];
			if (!isfinite(m->groups[g].value[level]))
				return wrong(err, "table has a range that is no number");
		}
		st = make_code(&m->groups[g], lengths + g * TEXT_LEVELS, err);
	}
	return st;
}

static akin_status check_rows(const struct text_model *m, uint64_t bytes, akin_error *err)
{
	if (bytes < TABLE_SLACK || m->row_at[0] != 0 || m->row_at[m->n_pieces] != bytes - TABLE_SLACK)
		return wrong(err, "rows do not fill their section");
	for (size_t i = 0; i < m->n_pieces; i++)
		if (m->row_at[i] > m->row_at[i + 1]) return wrong(err, "rows are not in order");
	return AKIN_OK;
}

bool text_model_row(const struct text_model *m, uint32_t id, float *out)
{
	const struct text_group *group = &m->groups[id % m->n_groups];
	const uint8_t *at = m->rows + m->row_at[id], *end = m->rows + m->row_at[id + 1];
	unsigned used = 0; /* bits of *at */

	/* 7 bits that are used up and 4 codes are less than the 64 that are read. */
	for (size_t i = 0; i < m->embedding; i += 4) {
		uint64_t bits;

		if (at > end) return false;
		memcpy(&bits, at, sizeof bits); /* TABLE_SLACK */
		bits = __builtin_bswap64(bits) << used;
		for (size_t k = 0; k < 4; k++) {
			const size_t next = bits >> (64 - TEXT_CODE_BITS);
			const unsigned length = group->length[next];

			out[i + k] = group->value[group->level[next]];
			bits <<= length;
			used += length;
		}
		at += used / 8;
		used %= 8;
	}
	return at + (used != 0) == end;
}

/* ---- the layers ---- */

/* Where the next layer's parts are. */
struct cursor {
	const int8_t *weights;
	const float *scale, *vector;
};

static const float *take_vector(struct cursor *at, size_t n)
{
	const float *vector = at->vector;

	at->vector += n;
	return vector;
}

static struct dense_layer take_layer(struct cursor *at, size_t inputs, size_t outputs)
{
	const struct dense_layer layer = { at->weights, NULL, *at->scale++, inputs, outputs };

	at->weights += inputs * outputs;
	return layer;
}

static void lay_out(struct text_model *m, const int8_t *weights, const float *floats)
{
	static const size_t orders[TEXT_ORDERS][2] = { { 2, 0 }, { 3, 1 }, { 5, 2 } };
	struct cursor at = { weights, floats, floats + 3 * TEXT_ORDERS + 7 };

	for (size_t i = 0; i < TEXT_ORDERS; i++) {
		struct text_order *order = &m->order[i];

		order->n = orders[i][0];
		order->left = orders[i][1];
		order->project = take_layer(&at, m->embedding, m->conv);
		order->first = take_layer(&at, order->n * m->conv, m->conv);
		order->second = take_layer(&at, order->n * m->conv, m->conv);
		order->project.bias = take_vector(&at, m->conv);
		order->first.bias = take_vector(&at, m->conv);
		order->second.bias = take_vector(&at, m->conv);
	}
	m->pool = take_layer(&at, m->features, m->dim);
	m->dense0 = take_layer(&at, m->dim, m->hidden);
	m->dense1 = take_layer(&at, m->hidden, m->hidden);
	m->skip1 = take_layer(&at, m->dim, m->hidden);
	m->dense2 = take_layer(&at, m->hidden, m->dim);
	m->dense3 = take_layer(&at, m->dim, m->dim);
	m->skip3 = take_layer(&at, m->hidden, m->dim);
	m->project_gain = take_vector(&at, TEXT_ORDERS * m->conv);
	m->project_bias = take_vector(&at, TEXT_ORDERS * m->conv);
	m->gain = take_vector(&at, m->features);
	m->bias = take_vector(&at, m->features);
	m->pool_bias = take_vector(&at, m->dim);
}

/* ---- opening ---- */

static const void *section(const struct header *h, const uint8_t *bytes, enum section which)
{
	return bytes + h->section[which].at;
}

static akin_status open_vocabulary(struct text_model *m, const struct header *h, const uint8_t *bytes, akin_error *err)
{
	const struct unigram_view view = { .n = h->n_pieces,
					   .text_bytes = h->section[PIECE_TEXT].bytes,
					   .text_at = section(h, bytes, PIECE_AT),
					   .id = section(h, bytes, PIECE_ID),
					   .score = section(h, bytes, PIECE_SCORE),
					   .text = section(h, bytes, PIECE_TEXT) };

	m->rules = (struct charsmap){ section(h, bytes, RULE_UNITS), section(h, bytes, RULE_TEXT),
				      h->section[RULE_UNITS].bytes / 4, h->section[RULE_TEXT].bytes };
	if (charsmap_check(&m->rules, err) != AKIN_OK) return AKIN_ERR_FORMAT;
	return unigram_create_view(&m->unigram, &view, h->unknown, err);
}

akin_status text_model_open_bytes(struct text_model *m, const uint8_t *bytes, size_t n, akin_error *err)
{
	struct header h;
	akin_status st;

	*m = (struct text_model){ 0 };
	if (n < HEADER) return error_set(err, AKIN_ERR_FORMAT, "this is no file of a text model: it has %zu bytes", n);
	memcpy(&h, bytes, sizeof h);
	if ((st = check_header(&h, bytes, n, err)) != AKIN_OK || (st = check_sizes(&h, err)) != AKIN_OK) return st;
	m->n_pieces = h.n_pieces;
	m->unknown = h.unknown;
	m->start = h.start;
	m->end = h.end;
	m->n_groups = h.n_groups;
	m->embedding = h.embedding;
	m->conv = h.conv;
	m->hidden = h.hidden;
	m->dim = h.dim;
	m->features = m->embedding + TEXT_ORDERS * m->conv;
	m->eps = h.eps;
	m->row_at = section(&h, bytes, ROW_AT);
	m->rows = section(&h, bytes, ROW_BITS);
	lay_out(m, section(&h, bytes, WEIGHTS), section(&h, bytes, FLOATS));
	if ((st = check_rows(m, h.section[ROW_BITS].bytes, err)) == AKIN_OK &&
	    (st = make_groups(m, section(&h, bytes, CODE_LENGTHS), section(&h, bytes, CODE_RANGE), err)) == AKIN_OK)
		st = open_vocabulary(m, &h, bytes, err);
	if (st != AKIN_OK) text_model_close(m);
	return st;
}

akin_status text_model_open(struct text_model *m, const char *path, akin_error *err)
{
	struct fs_map map;
	akin_status st;

	*m = (struct text_model){ 0 };
	if ((st = fs_map_open(&map, path, err)) != AKIN_OK) return st;
	if ((st = text_model_open_bytes(m, map.bytes, map.n, err)) != AKIN_OK)
		fs_map_close(&map);
	else
		m->map = map;
	return error_note(err, st, "%s", path);
}

void text_model_close(struct text_model *m)
{
	unigram_destroy(m->unigram);
	mem_free(m->groups);
	fs_map_close(&m->map);
	*m = (struct text_model){ 0 };
}
