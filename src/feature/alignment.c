/* feature/alignment.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "feature/alignment.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/str.h"
#include "simd/kernels.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the file's numbers are used where they lie");

enum { VERSION = 1, CARD_MAX_BYTES = 1 << 20, MAX_WIDTH = 1 << 14, MAX_WEIGHTS_BYTES = 256 << 20 };
/* A class less likely than this adds nothing to a label part that f16 or i8 would keep. */
static const float least_probability = 1e-4f;

struct header {
	char magic[8]; /* AKINALGN */
	uint32_t version, picture_dim, text_dim, n_classes, hidden, aligned, label, heads;
	uint64_t file_bytes, checksum; /* XXH3 of everything after the header */
	uint64_t zero;
};
_Static_assert(sizeof(struct header) == 64, "as docs/text-alignment.md has it");

/* What the gate is made of besides its weights for the text vector. */
struct gate_terms {
	float bias, length, match; /* of the logarithm of the pieces, of the cosine with the nearest class */
	float low, high;           /* the share at the two ends */
};

struct alignment {
	struct alignment_info info;
	char *name, *picture_model, *picture_sha256, *text_model, *text_sha256;
	const struct kernels *kernels;
	void *body; /* everything below points into it */
	size_t hidden, aligned, label;
	size_t heads; /* the aligned part is so many vectors of equal length, one after another */
	/* f32 */
	const float *norm, *norm_bias;  /* the logarithm of the embedding's length before it was made 1 */
	const float *class_bias;        /* n_classes */
	const float *picture_bias;      /* aligned */
	const float *hidden_bias;       /* hidden */
	const float *text_bias;         /* aligned */
	const float *label_bias;        /* label */
	const float *gate;              /* text_dim */
	struct gate_terms gate_terms;
	/* f16, row after row */
	const uint16_t *classifier;     /* n_classes x picture_dim */
	const uint16_t *picture_roots;  /* aligned x picture_dim: of the square roots of the embedding */
	const uint16_t *picture_labels; /* aligned x n_classes: of the square roots of the probabilities */
	const uint16_t *text_in;        /* hidden x text_dim */
	const uint16_t *text_out;       /* aligned x hidden */
	const uint16_t *text_straight;  /* aligned x text_dim */
	const uint16_t *label_text;     /* label x text_dim */
	const uint16_t *class_labels;   /* n_classes x label, rows of unit length */
};

/* ---- the file ---- */

static akin_status wrong(akin_error *err, const char *what)
{
	return error_set(err, AKIN_ERR_FORMAT, "the alignment's %s", what);
}

static bool is_width(uint32_t n)
{
	return n && n <= MAX_WIDTH && n % 2 == 0; /* even: the floats' and the halves' sections stay aligned */
}

/* Sizes of both kinds of numbers in the body. */
static void count_numbers(const struct header *h, uint64_t *n_f32, uint64_t *n_f16)
{
	const uint64_t p = h->picture_dim, t = h->text_dim, c = h->n_classes, hid = h->hidden, a = h->aligned, l = h->label;

	*n_f32 = p + 1 + c + a + hid + a + l + t + sizeof(struct gate_terms) / sizeof(float);
	*n_f16 = c * p + a * p + a * c + hid * t + a * hid + a * t + l * t + c * l;
}

static akin_status check_header(const struct header *h, const uint8_t *bytes, size_t n, akin_error *err)
{
	uint64_t n_f32, n_f16;

	if (n < sizeof *h || memcmp(h->magic, "AKINALGN", sizeof h->magic) != 0)
		return error_set(err, AKIN_ERR_FORMAT, "this is no file of an alignment");
	if (h->version != VERSION)
		return error_set(err, AKIN_ERR_FORMAT, "the alignment has format %u, this akin reads %d", h->version, VERSION);
	if (!is_width(h->picture_dim) || !is_width(h->text_dim) || !is_width(h->n_classes) || !is_width(h->hidden) ||
	    !is_width(h->aligned) || !is_width(h->label + 1) || !h->heads || h->aligned % h->heads || h->zero)
		return wrong(err, "widths cannot be");
	count_numbers(h, &n_f32, &n_f16);
	if (h->file_bytes != n || n - sizeof *h != 4 * n_f32 + 2 * n_f16)
		return error_set(err, AKIN_ERR_FORMAT, "the alignment should have %llu bytes, it has %zu",
		                 (unsigned long long)(sizeof *h + 4 * n_f32 + 2 * n_f16), n);
	if (h->checksum != hash_checksum(bytes + sizeof *h, n - sizeof *h, 0))
		return error_set(err, AKIN_ERR_FORMAT, "the alignment is damaged: its checksum is wrong");
	return AKIN_OK;
}

/* Every number is finite and so small that no sum of products can overflow: no later check is needed. */
static akin_status check_numbers(const float *f32, size_t n_f32, const uint16_t *f16, size_t n_f16, akin_error *err)
{
	for (size_t i = 0; i < n_f32; i++)
		if (!(fabsf(f32[i]) <= 1e6f)) return wrong(err, "weights hold what is no number or too large");
	for (size_t i = 0; i < n_f16; i++)
		if ((f16[i] & 0x7c00) == 0x7c00) return wrong(err, "weights hold what is no number or too large");
	return AKIN_OK;
}

static const float *take_f32(const float **at, size_t n)
{
	const float *taken = *at;

	*at += n;
	return taken;
}

static const uint16_t *take_f16(const uint16_t **at, size_t rows, size_t columns)
{
	const uint16_t *taken = *at;

	*at += rows * columns;
	return taken;
}

static void point_into_body(struct alignment *a, size_t n_f32)
{
	const struct alignment_info *i = &a->info;
	const float *f = a->body;
	const uint16_t *h = (const uint16_t *)(f + n_f32);

	a->norm = take_f32(&f, i->picture_dim);
	a->norm_bias = take_f32(&f, 1);
	a->class_bias = take_f32(&f, i->n_classes);
	a->picture_bias = take_f32(&f, a->aligned);
	a->hidden_bias = take_f32(&f, a->hidden);
	a->text_bias = take_f32(&f, a->aligned);
	a->label_bias = take_f32(&f, a->label);
	a->gate = take_f32(&f, i->text_dim);
	memcpy(&a->gate_terms, f, sizeof a->gate_terms);
	a->classifier = take_f16(&h, i->n_classes, i->picture_dim);
	a->picture_roots = take_f16(&h, a->aligned, i->picture_dim);
	a->picture_labels = take_f16(&h, a->aligned, i->n_classes);
	a->text_in = take_f16(&h, a->hidden, i->text_dim);
	a->text_out = take_f16(&h, a->aligned, a->hidden);
	a->text_straight = take_f16(&h, a->aligned, i->text_dim);
	a->label_text = take_f16(&h, a->label, i->text_dim);
	a->class_labels = take_f16(&h, i->n_classes, a->label);
}

static akin_status read_weights(struct alignment *a, const uint8_t *bytes, size_t n, akin_error *err)
{
	const struct gate_terms *g = &a->gate_terms;
	struct header h = { .version = 0 };
	uint64_t n_f32, n_f16;
	akin_status st;

	memcpy(&h, bytes, n < sizeof h ? n : sizeof h);
	if ((st = check_header(&h, bytes, n, err)) != AKIN_OK) return st;
	if (h.picture_dim != a->info.picture_dim || h.text_dim != a->info.text_dim || h.aligned + h.label + 1 != a->info.dim)
		return wrong(err, "widths are not those of its card");
	if (!(a->body = mem_aligned(n - sizeof h))) return error_nomem(err);
	memcpy(a->body, bytes + sizeof h, n - sizeof h);
	a->info.n_classes = h.n_classes;
	a->hidden = h.hidden;
	a->aligned = h.aligned;
	a->label = h.label;
	a->heads = h.heads;
	count_numbers(&h, &n_f32, &n_f16);
	point_into_body(a, n_f32);
	st = check_numbers(a->body, n_f32, (const uint16_t *)((const float *)a->body + n_f32), n_f16, err);
	if (st == AKIN_OK && !(g->low >= 0 && g->low <= g->high && g->high <= 1)) st = wrong(err, "gate cannot be");
	return st;
}

/* ---- the card ---- */

static akin_status take_text(const json_t *object, const char *key, char **to, akin_error *err)
{
	const char *value = json_string_value(json_object_get(object, key));

	if (!value || !*value) return error_set(err, AKIN_ERR_FORMAT, "the alignment's card lacks the text \"%s\"", key);
	return (*to = mem_strdup(value)) ? AKIN_OK : error_nomem(err);
}

static akin_status take_side(const json_t *card, const char *side, char **name, char **sha256, size_t *dim, akin_error *err)
{
	const json_t *object = json_object_get(card, side);
	const json_int_t width = json_integer_value(json_object_get(object, "dim"));
	akin_status st = take_text(object, "name", name, err);

	if (st == AKIN_OK) st = take_text(object, "sha256", sha256, err);
	if (st == AKIN_OK && (width < 1 || width > MAX_WIDTH))
		st = error_set(err, AKIN_ERR_FORMAT, "\"dim\" must be 1 to %d", MAX_WIDTH);
	*dim = st == AKIN_OK ? (size_t)width : 0;
	return error_note(err, st, "%s", side);
}

static akin_status read_members(struct alignment *a, const json_t *card, akin_error *err)
{
	const json_int_t dim = json_integer_value(json_object_get(card, "dim"));
	struct alignment_info *info = &a->info;
	akin_status st;

	if (json_integer_value(json_object_get(card, "akin_alignment")) != 1)
		return error_set(err, AKIN_ERR_FORMAT, "\"akin_alignment\" must be 1 in the card of an alignment");
	if (dim < 1 || dim > 2 * MAX_WIDTH)
		return error_set(err, AKIN_ERR_FORMAT, "the alignment's \"dim\" must be 1 to %d", 2 * MAX_WIDTH);
	info->dim = (size_t)dim;
	info->random_cosine = json_number_value(json_object_get(card, "random_cosine"));
	if (!(fabs(info->random_cosine) <= 1)) return wrong(err, "\"random_cosine\" must be -1 to 1");
	st = take_text(card, "name", &a->name, err);
	if (st == AKIN_OK)
		st = take_side(card, "picture_model", &a->picture_model, &a->picture_sha256, &info->picture_dim, err);
	if (st == AKIN_OK) st = take_side(card, "text_model", &a->text_model, &a->text_sha256, &info->text_dim, err);
	info->name = a->name;
	info->picture_model = a->picture_model;
	info->picture_sha256 = a->picture_sha256;
	info->text_model = a->text_model;
	info->text_sha256 = a->text_sha256;
	return st;
}

static akin_status read_card(json_t **card, const char *bytes, size_t n, akin_error *err)
{
	json_error_t mistake;

	*card = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, &mistake);
	if (*card && json_is_object(*card)) return AKIN_OK;
	return error_set(err, AKIN_ERR_FORMAT, "the alignment's card is no JSON object: line %d: %s", mistake.line,
	                 *card ? "something else" : mistake.text);
}

akin_status alignment_parse(struct alignment **out, const char *card, size_t card_bytes, const void *weights,
                            size_t weights_bytes, akin_error *err)
{
	struct alignment *a = mem_zalloc(sizeof *a);
	json_t *json = NULL;
	akin_status st;

	*out = NULL;
	if (!a) return error_nomem(err);
	a->kernels = kernels_best();
	st = read_card(&json, card, card_bytes, err);
	if (st == AKIN_OK) st = read_members(a, json, err);
	if (st == AKIN_OK) st = read_weights(a, weights, weights_bytes, err);
	json_decref(json);
	if (st == AKIN_OK) *out = a;
	else alignment_close(a);
	return st;
}

/* The weights lie beside the card under a plain name. */
static akin_status weights_path(const char *card_path, const struct buf *card, char **path, akin_error *err)
{
	json_t *json = NULL;
	akin_status st = read_card(&json, card->data, card->len, err);
	const char *file = st == AKIN_OK ? json_string_value(json_object_get(json, "file")) : NULL;
	char *dir = NULL;

	if (st == AKIN_OK && (!file || !*file || *file == '.' || strchr(file, '/')))
		st = error_set(err, AKIN_ERR_FORMAT, "\"file\" must be the plain name of a file beside the alignment's card");
	if (st == AKIN_OK && (!(dir = fs_dirname(card_path)) || !(*path = fs_join(dir, file)))) st = error_nomem(err);
	mem_free(dir);
	json_decref(json);
	return st;
}

akin_status alignment_open(struct alignment **out, const char *card_or_dir, akin_error *err)
{
	char *path = fs_is_dir(card_or_dir) ? fs_join(card_or_dir, "alignment.json") : mem_strdup(card_or_dir), *file = NULL;
	struct buf card = BUF_EMPTY;
	struct fs_map weights = { 0 };
	akin_status st;

	*out = NULL;
	st = path ? fs_read(path, CARD_MAX_BYTES, &card, err) : error_nomem(err);
	if (st == AKIN_OK) st = weights_path(path, &card, &file, err);
	if (st == AKIN_OK) st = fs_map_open(&weights, file, err);
	if (st == AKIN_OK && weights.n > MAX_WEIGHTS_BYTES)
		st = error_set(err, AKIN_ERR_LIMIT, "%s has more than %d bytes", file, MAX_WEIGHTS_BYTES);
	if (st == AKIN_OK) st = alignment_parse(out, card.data, card.len, weights.bytes, weights.n, err);
	fs_map_close(&weights);
	buf_deinit(&card);
	mem_free(file);
	mem_free(path);
	return error_note(err, st, "reading the alignment %s", card_or_dir);
}

void alignment_close(struct alignment *a)
{
	if (!a) return;
	mem_free(a->name);
	mem_free(a->picture_model);
	mem_free(a->picture_sha256);
	mem_free(a->text_model);
	mem_free(a->text_sha256);
	mem_free(a->body);
	mem_free(a);
}

const struct alignment_info *alignment_info(const struct alignment *a)
{
	return &a->info;
}

/* ---- arithmetic ---- */

/* out = matrix * v */
static void product(const struct alignment *a, const uint16_t *matrix, size_t rows, size_t columns, const float *v, float *out)
{
	a->kernels->scan_ip_f16(v, matrix, rows, columns, out);
}

static void add(float *to, const float *v, size_t n)
{
	for (size_t i = 0; i < n; i++) to[i] += v[i];
}

/* To the length `length`; a zero vector stays. */
static void stretch(const struct alignment *a, float *v, size_t n, float length)
{
	const float square = a->kernels->ip_f32(v, v, n), factor = square > 0 ? length / sqrtf(square) : 0;

	for (size_t i = 0; i < n; i++) v[i] *= factor;
}

/* Every head to the same length, all of them to `length`. */
static void stretch_heads(const struct alignment *a, float *v, float length)
{
	const size_t width = a->aligned / a->heads;

	for (size_t h = 0; h < a->heads; h++) stretch(a, v + h * width, width, 1);
	stretch(a, v, a->aligned, length);
}

/* `to` = v at unit length. The largest component comes out first: a square of it could overflow. */
static akin_status unit_copy(const struct alignment *a, const float *v, size_t n, float *to, const char *what, akin_error *err)
{
	float most = 0;

	for (size_t i = 0; i < n; i++) {
		if (!isfinite(v[i])) return error_set(err, AKIN_ERR_INVALID, "component %zu of the %s is no number", i, what);
		if (fabsf(v[i]) > most) most = fabsf(v[i]);
	}
	if (most == 0) return error_set(err, AKIN_ERR_INVALID, "the %s is zero", what);
	for (size_t i = 0; i < n; i++) to[i] = v[i] / most;
	stretch(a, to, n, 1);
	return AKIN_OK;
}

/* tanh approximation of the Gaussian error linear unit, as it was trained. */
static void gelu(float *v, size_t n)
{
	for (size_t i = 0; i < n; i++) v[i] *= 0.5f * (1 + tanhf(0.7978845608f * (v[i] + 0.044715f * v[i] * v[i] * v[i])));
}

static void softmax(float *v, size_t n)
{
	float most = v[0], sum = 0;

	for (size_t i = 1; i < n; i++)
		if (v[i] > most) most = v[i];
	for (size_t i = 0; i < n; i++) sum += v[i] = expf(v[i] - most);
	for (size_t i = 0; i < n; i++) v[i] /= sum;
}

/* ---- pictures ---- */

/* The classifier saw the embedding before it was made a unit; its length is told by its direction, nearly. */
static void classify(const struct alignment *a, const float *unit, float *probability)
{
	const size_t n = a->info.n_classes, dim = a->info.picture_dim;
	const float log_length = a->kernels->ip_f32(a->norm, unit, dim) + *a->norm_bias;
	const float length = expf(fminf(fmaxf(log_length, -20), 20));

	product(a, a->classifier, n, dim, unit, probability);
	for (size_t i = 0; i < n; i++) probability[i] = probability[i] * length + a->class_bias[i];
	softmax(probability, n);
}

static void roots(float *v, size_t n)
{
	for (size_t i = 0; i < n; i++) v[i] = v[i] > 0 ? sqrtf(v[i]) : 0;
}

static void label_part(const struct alignment *a, const float *probability, float *row, float *out)
{
	memset(out, 0, a->label * sizeof *out);
	for (size_t c = 0; c < a->info.n_classes; c++) {
		if (probability[c] < least_probability) continue;
		a->kernels->f16_to_f32(a->class_labels + c * a->label, row, a->label);
		for (size_t i = 0; i < a->label; i++) out[i] += probability[c] * row[i];
	}
}

/* `scratch`: room for the unit vector, the probabilities and twice the larger part. Consumes the first two. */
static void join_picture(const struct alignment *a, float *unit, float *probability, float *row, float *out)
{
	const float half = 0.70710678f;
	float *label = out + a->aligned, rest;

	label_part(a, probability, row, label);
	rest = 1 - a->kernels->ip_f32(label, label, a->label);
	/* What the label part lacks of unit length goes to a component that is 0 in texts: the products stay as they are. */
	label[a->label] = rest > 0 ? sqrtf(rest) : 0;
	roots(unit, a->info.picture_dim);
	roots(probability, a->info.n_classes);
	product(a, a->picture_roots, a->aligned, a->info.picture_dim, unit, out);
	product(a, a->picture_labels, a->aligned, a->info.n_classes, probability, row);
	add(out, row, a->aligned);
	add(out, a->picture_bias, a->aligned);
	stretch_heads(a, out, half);
	for (size_t i = 0; i <= a->label; i++) label[i] *= half;
	stretch(a, out, a->info.dim, 1);
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

akin_status alignment_picture(const struct alignment *a, const float *embedding, float *out, akin_error *err)
{
	const size_t n = a->info.picture_dim, classes = a->info.n_classes;
	float *scratch = mem_aligned((n + classes + larger(a->aligned, a->label)) * sizeof *scratch);
	akin_status st = scratch ? unit_copy(a, embedding, n, scratch, "picture's embedding", err) : error_nomem(err);

	memset(out, 0, a->info.dim * sizeof *out);
	if (st == AKIN_OK) {
		classify(a, scratch, scratch + n);
		join_picture(a, scratch, scratch + n, scratch + n + classes, out);
	}
	mem_free(scratch);
	return st;
}

akin_status alignment_classes(const struct alignment *a, const float *embedding, float *out, akin_error *err)
{
	float *unit = mem_aligned(a->info.picture_dim * sizeof *unit);
	akin_status st = unit ? unit_copy(a, embedding, a->info.picture_dim, unit, "picture's embedding", err) : error_nomem(err);

	memset(out, 0, a->info.n_classes * sizeof *out);
	if (st == AKIN_OK) classify(a, unit, out);
	mem_free(unit);
	return st;
}

/* ---- texts ---- */

/* `label`: the label part at unit length; `scores`: room for n_classes. */
static float share_of_labels(const struct alignment *a, const float *unit, size_t n_pieces, const float *label, float *scores)
{
	const struct gate_terms *g = &a->gate_terms;
	float nearest = -1, z;

	product(a, a->class_labels, a->info.n_classes, a->label, label, scores);
	for (size_t c = 0; c < a->info.n_classes; c++)
		if (scores[c] > nearest) nearest = scores[c];
	z = a->kernels->ip_f32(a->gate, unit, a->info.text_dim) + g->bias + g->length * logf((float)n_pieces + 1) +
	    g->match * nearest;
	return g->low + (g->high - g->low) / (1 + expf(fminf(fmaxf(-z, -40), 40)));
}

static void align_text(const struct alignment *a, const float *unit, float *hidden, float *part, float *out)
{
	product(a, a->text_in, a->hidden, a->info.text_dim, unit, hidden);
	add(hidden, a->hidden_bias, a->hidden);
	gelu(hidden, a->hidden);
	product(a, a->text_out, a->aligned, a->hidden, hidden, out);
	product(a, a->text_straight, a->aligned, a->info.text_dim, unit, part);
	add(out, part, a->aligned);
	add(out, a->text_bias, a->aligned);
}

/* The whole text side: `out` may be NULL when only the gate is asked for. */
static akin_status describe_text(const struct alignment *a, const float *vector, size_t n_pieces, float *out, float *gate,
                                 akin_error *err)
{
	const size_t n = a->info.text_dim, work = larger(larger(a->info.n_classes, a->hidden), a->label);
	float *unit = mem_aligned((n + a->label + work + a->aligned) * sizeof *unit), *label, *scratch;
	akin_status st = unit ? unit_copy(a, vector, n, unit, "text's vector", err) : error_nomem(err);

	if (st != AKIN_OK) goto out;
	label = unit + n;
	scratch = label + a->label;
	product(a, a->label_text, a->label, n, unit, label);
	add(label, a->label_bias, a->label);
	stretch(a, label, a->label, 1);
	*gate = share_of_labels(a, unit, n_pieces, label, scratch);
	if (!out) goto out;
	align_text(a, unit, scratch, scratch + work, out);
	stretch_heads(a, out, 1 - *gate);
	for (size_t i = 0; i < a->label; i++) out[a->aligned + i] = *gate * label[i];
	out[a->info.dim - 1] = 0;
	stretch(a, out, a->info.dim, 1);
out:
	mem_free(unit);
	return st;
}

akin_status alignment_text(const struct alignment *a, const float *text_vector, size_t n_pieces, float *out, akin_error *err)
{
	float gate;

	memset(out, 0, a->info.dim * sizeof *out);
	return describe_text(a, text_vector, n_pieces, out, &gate, err);
}

akin_status alignment_gate(const struct alignment *a, const float *text_vector, size_t n_pieces, float *gate, akin_error *err)
{
	*gate = 0;
	return describe_text(a, text_vector, n_pieces, NULL, gate, err);
}
