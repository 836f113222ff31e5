/* vecfile/npy.c - the header is a Python dictionary: read by a small cursor that knows strings, booleans and tuples of
 * whole numbers, and nothing else, in any order and spacing.
 * SPDX-License-Identifier: Apache-2.0 */
#include "vecfile/npy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* An empty array says nothing about the size of its rows, so the file's length cannot vouch for `cols`. */
enum { EMPTY_COLS_MAX = 1 << 20 };

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "rows are written as they lie in memory");

static const struct {
	const char *descr; /* kind and bytes, as NumPy writes them after the byte order */
	size_t bytes;
	bool is_integer;
} types[] = {
	[NPY_F32] = { "f4", 4, false }, [NPY_F64] = { "f8", 8, false }, [NPY_F16] = { "f2", 2, false },
	[NPY_I8] = { "i1", 1, true },   [NPY_U8] = { "u1", 1, true },   [NPY_I32] = { "i4", 4, true },
	[NPY_I64] = { "i8", 8, true },
};

/* ---- header ---- */

struct cursor {
	const char *at, *end;
};

struct text {
	const char *at;
	size_t n;
};

enum { KEY_DESCR = 1, KEY_ORDER = 2, KEY_SHAPE = 4, KEYS_ALL = 7 };

static void skip_space(struct cursor *c)
{
	while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r')) c->at++;
}

/* Past `ch` if it is what comes next. */
static bool take(struct cursor *c, char ch)
{
	skip_space(c);
	if (c->at == c->end || *c->at != ch) return false;
	c->at++;
	return true;
}

static bool take_word(struct cursor *c, const char *word)
{
	const size_t n = strlen(word);

	skip_space(c);
	if ((size_t)(c->end - c->at) < n || memcmp(c->at, word, n) != 0) return false;
	c->at += n;
	return true;
}

static bool take_string(struct cursor *c, struct text *out)
{
	const char *close;
	char quote;

	skip_space(c);
	if (c->at == c->end || (*c->at != '\'' && *c->at != '"')) return false;
	quote = *c->at++;
	close = memchr(c->at, quote, (size_t)(c->end - c->at));
	if (!close) return false;
	*out = (struct text){ c->at, (size_t)(close - c->at) };
	c->at = close + 1;
	return true;
}

static bool take_size(struct cursor *c, size_t *out)
{
	const char *start;
	size_t value = 0;

	skip_space(c);
	for (start = c->at; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
		if (__builtin_mul_overflow(value, (size_t)10, &value)) return false;
		if (__builtin_add_overflow(value, (size_t)(*c->at - '0'), &value)) return false;
	}
	if (c->at == start) return false;
	if (c->at < c->end && *c->at == 'L') c->at++; /* Python 2 wrote long integers so */
	*out = value;
	return true;
}

static bool text_is(struct text text, const char *s)
{
	return text.n == strlen(s) && memcmp(text.at, s, text.n) == 0;
}

static akin_status read_descr(struct npy *npy, struct cursor *c, akin_error *err)
{
	struct text descr;

	skip_space(c);
	if (c->at < c->end && *c->at == '[')
		return error_set(err, AKIN_ERR_UNSUPPORTED, "the array holds records, not plain numbers");
	if (!take_string(c, &descr)) return error_set(err, AKIN_ERR_FORMAT, "the header's descr is not a string");
	for (size_t i = 0; i < COUNT(types); i++) {
		struct text kind = { descr.at + 1, descr.n - 1 };

		if (descr.n < 2 || !text_is(kind, types[i].descr)) continue;
		if (!memchr(types[i].bytes == 1 ? "<>=|" : "<>=", descr.at[0], types[i].bytes == 1 ? 4 : 3)) break;
		npy->type = (enum npy_type)i;
		npy->big_endian = descr.at[0] == '>';
		return AKIN_OK;
	}
	return error_set(err, AKIN_ERR_UNSUPPORTED, "items of type \"%.*s\" cannot be read, only f2 f4 f8 i1 u1 i4 i8",
	                 descr.n < 16 ? (int)descr.n : 16, descr.at);
}

static akin_status read_shape(struct npy *npy, struct cursor *c, akin_error *err)
{
	size_t dims[2] = { 0 }, n = 0;

	if (!take(c, '(')) return error_set(err, AKIN_ERR_FORMAT, "the header's shape is not a tuple");
	while (!take(c, ')')) {
		size_t dim;

		if (!take_size(c, &dim)) return error_set(err, AKIN_ERR_FORMAT, "the header's shape holds no valid size");
		if (n < 2) dims[n] = dim;
		n++;
		if (!take(c, ',') && (c->at == c->end || *c->at != ')'))
			return error_set(err, AKIN_ERR_FORMAT, "the header's shape does not end");
	}
	if (n != 1 && n != 2)
		return error_set(err, AKIN_ERR_UNSUPPORTED, "the array has %zu dimensions, only 1 or 2 can be read", n);
	npy->rows = n == 2 ? dims[0] : 1;
	npy->cols = n == 2 ? dims[1] : dims[0];
	return AKIN_OK;
}

static akin_status read_order(struct npy *npy, struct cursor *c, akin_error *err)
{
	npy->fortran = take_word(c, "True");
	if (npy->fortran || take_word(c, "False")) return AKIN_OK;
	return error_set(err, AKIN_ERR_FORMAT, "the header's fortran_order is neither True nor False");
}

static akin_status read_dictionary(struct npy *npy, struct cursor *c, akin_error *err)
{
	unsigned seen = 0;

	if (!take(c, '{')) return error_set(err, AKIN_ERR_FORMAT, "the header is not a dictionary");
	while (!take(c, '}')) {
		akin_status st;
		struct text key;
		unsigned bit;

		if (!take_string(c, &key) || !take(c, ':'))
			return error_set(err, AKIN_ERR_FORMAT, "the header's dictionary is malformed");
		bit = text_is(key, "descr") ? KEY_DESCR : text_is(key, "fortran_order") ? KEY_ORDER
		      : text_is(key, "shape") ? KEY_SHAPE : 0;
		if (!bit || (seen & bit)) return error_set(err, AKIN_ERR_FORMAT, "the header has an unknown or doubled key");
		seen |= bit;
		st = bit == KEY_DESCR ? read_descr(npy, c, err) : bit == KEY_ORDER ? read_order(npy, c, err)
		                                                                  : read_shape(npy, c, err);
		if (st != AKIN_OK) return st;
		skip_space(c);
		if (!take(c, ',') && (c->at == c->end || *c->at != '}'))
			return error_set(err, AKIN_ERR_FORMAT, "the header's dictionary does not end");
	}
	skip_space(c);
	if (seen != KEYS_ALL || c->at != c->end)
		return error_set(err, AKIN_ERR_FORMAT, "the header lacks descr, fortran_order or shape, or has bytes behind them");
	return AKIN_OK;
}

/* Compare the shape with the bytes that are there. */
static akin_status check_size(struct npy *npy, size_t there, akin_error *err)
{
	size_t items, wanted;

	if (npy->rows == 0 || npy->cols == 0) {
		npy->rows = 0;
		if (npy->cols > EMPTY_COLS_MAX)
			return error_set(err, AKIN_ERR_FORMAT, "an empty array claims rows of %zu items", npy->cols);
	}
	if (__builtin_mul_overflow(npy->rows, npy->cols, &items) ||
	    __builtin_mul_overflow(items, types[npy->type].bytes, &wanted))
		return error_set(err, AKIN_ERR_FORMAT, "a shape of %zu x %zu cannot be", npy->rows, npy->cols);
	if (wanted != there)
		return error_set(err, AKIN_ERR_FORMAT, "%zu rows of %zu items need %zu bytes, but %zu follow the header",
		                 npy->rows, npy->cols, wanted, there);
	return AKIN_OK;
}

akin_status npy_parse(struct npy *npy, const void *bytes, size_t n, akin_error *err)
{
	const uint8_t *p = bytes;
	struct npy parsed = { 0 };
	struct cursor header;
	size_t start, length;
	akin_status st;

	*npy = (struct npy){ 0 };
	if (n < 10 || memcmp(p, "\x93NUMPY", 6) != 0) return error_set(err, AKIN_ERR_FORMAT, "this is no .npy file");
	if (p[6] < 1 || p[6] > 3)
		return error_set(err, AKIN_ERR_UNSUPPORTED, "version %u.%u of the .npy format is unknown", p[6], p[7]);
	start = p[6] == 1 ? 10 : 12;
	length = (size_t)p[8] | (size_t)p[9] << 8;
	if (start == 12 && n >= start) length |= (size_t)p[10] << 16 | (size_t)p[11] << 24;
	if (n < start || n - start < length) return error_set(err, AKIN_ERR_FORMAT, "the file ends inside its header");
	header = (struct cursor){ (const char *)p + start, (const char *)p + start + length };
	if ((st = read_dictionary(&parsed, &header, err)) != AKIN_OK) return st;
	if ((st = check_size(&parsed, n - start - length, err)) != AKIN_OK) return st;
	parsed.data = p + start + length;
	*npy = parsed;
	return AKIN_OK;
}

akin_status npy_open(struct npy *npy, const char *path, akin_error *err)
{
	struct fs_map map;
	akin_status st;

	*npy = (struct npy){ 0 };
	if ((st = fs_map_open(&map, path, err)) != AKIN_OK) return st;
	if ((st = npy_parse(npy, map.bytes, map.n, err)) != AKIN_OK) {
		fs_map_close(&map);
		return error_note(err, st, "reading %s", path);
	}
	npy->map = map;
	return AKIN_OK;
}

void npy_close(struct npy *npy)
{
	fs_map_close(&npy->map);
	*npy = (struct npy){ 0 };
}

/* ---- items ---- */

static uint64_t load(const uint8_t *p, size_t bytes, bool big_endian)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < bytes; i++) bits |= (uint64_t)p[i] << 8 * (big_endian ? bytes - 1 - i : i);
	return bits;
}

/* IEEE 754 binary16: every value is a float exactly. Subnormal halves are normal floats, so no step here depends on how
 * the processor was told to treat subnormal floats (inference libraries flush them to zero). */
static float f16_to_f32(uint16_t half)
{
	const uint32_t sign = (uint32_t)(half & 0x8000) << 16, rest = half & 0x7fff;
	uint32_t bits = rest << 13;
	float value;

	if (rest < 0x0400) {
		value = (float)rest * 0x1p-24f;
		return sign ? -value : value;
	}
	bits += rest < 0x7c00 ? (127 - 15) << 23 : (255 - 31) << 23; /* the exponent's bias; infinity and NaN stay at the top */
	bits |= sign;
	memcpy(&value, &bits, sizeof value);
	return value;
}

static float item_f32(enum npy_type type, uint64_t bits)
{
	uint32_t low = (uint32_t)bits;
	double wide;
	float value;

	switch (type) {
	case NPY_F32: memcpy(&value, &low, sizeof value); return value;
	case NPY_F64: memcpy(&wide, &bits, sizeof wide); return (float)wide;
	case NPY_F16: return f16_to_f32((uint16_t)bits);
	case NPY_I8: return (float)(int8_t)bits;
	case NPY_U8: return (float)(uint8_t)bits;
	case NPY_I32: return (float)(int32_t)low;
	case NPY_I64: return (float)(int64_t)bits;
	}
	return 0;
}

static int64_t item_i64(enum npy_type type, uint64_t bits)
{
	switch (type) {
	case NPY_I8: return (int8_t)bits;
	case NPY_U8: return (uint8_t)bits;
	case NPY_I32: return (int32_t)bits;
	default: return (int64_t)bits;
	}
}

/* Where row i starts, and how far its items lie apart. */
static const uint8_t *row_start(const struct npy *npy, size_t i, size_t *stride)
{
	const size_t bytes = types[npy->type].bytes;

	*stride = npy->fortran ? npy->rows * bytes : bytes;
	return npy->data + i * (npy->fortran ? bytes : npy->cols * bytes);
}

void npy_row_f32(const struct npy *npy, size_t i, float *out)
{
	const size_t bytes = types[npy->type].bytes;
	size_t stride;
	const uint8_t *p = row_start(npy, i, &stride);

	if (npy->type == NPY_F32 && !npy->big_endian && stride == bytes) {
		memcpy(out, p, npy->cols * bytes);
		return;
	}
	for (size_t j = 0; j < npy->cols; j++) out[j] = item_f32(npy->type, load(p + j * stride, bytes, npy->big_endian));
}

bool npy_row_i64(const struct npy *npy, size_t i, int64_t *out)
{
	const size_t bytes = types[npy->type].bytes;
	size_t stride;
	const uint8_t *p = row_start(npy, i, &stride);

	if (!types[npy->type].is_integer) return false;
	for (size_t j = 0; j < npy->cols; j++) out[j] = item_i64(npy->type, load(p + j * stride, bytes, npy->big_endian));
	return true;
}

/* ---- writing ---- */

akin_status npy_writer_begin(struct npy_writer *w, const char *path, enum npy_type type, size_t rows, size_t cols,
                             akin_error *err)
{
	const size_t total = 128; /* a multiple of 64, so that mapped rows are aligned; the longest dictionary has 97 bytes */
	char header[128 + 1];
	akin_status st;
	int n;

	*w = (struct npy_writer){ .file.fd = -1, .type = type, .rows = rows, .cols = cols };
	if (cols > SIZE_MAX / 8 || (cols && rows > SIZE_MAX / 8 / cols))
		return error_set(err, AKIN_ERR_INVALID, "an array of %zu x %zu is too large", rows, cols);
	memcpy(header, "\x93NUMPY\x01\x00\x76\x00", 10); /* 0x76 bytes follow */
	n = snprintf(header + 10, sizeof header - 10, "{'descr': '%c%s', 'fortran_order': False, 'shape': (%zu, %zu), }",
	             types[type].bytes == 1 ? '|' : '<', types[type].descr, rows, cols);
	memset(header + 10 + n, ' ', total - 10 - (size_t)n);
	header[total - 1] = '\n';
	if ((st = fs_writer_begin(&w->file, path, err)) != AKIN_OK) return st;
	if ((st = fs_writer_put(&w->file, header, total, err)) != AKIN_OK) npy_writer_abort(w);
	return st;
}

akin_status npy_writer_row(struct npy_writer *w, const void *row, akin_error *err)
{
	akin_status st;

	if (w->written == w->rows) return error_set(err, AKIN_ERR_INVALID, "all %zu rows were written already", w->rows);
	if ((st = fs_writer_put(&w->file, row, w->cols * types[w->type].bytes, err)) == AKIN_OK) w->written++;
	return st;
}

akin_status npy_writer_commit(struct npy_writer *w, akin_error *err)
{
	if (w->written == w->rows) return fs_writer_commit(&w->file, err);
	npy_writer_abort(w);
	return error_set(err, AKIN_ERR_INVALID, "only %zu of %zu rows were written", w->written, w->rows);
}

void npy_writer_abort(struct npy_writer *w)
{
	fs_writer_abort(&w->file);
}
