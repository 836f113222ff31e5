/* search/filter.c - a recursive descent over the grammar of docs/filters.md.
 * SPDX-License-Identifier: Apache-2.0 */
#include "search/filter.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/spell.h"
#include "base/str.h"

struct parser {
	const char *text, *p;
	struct filter *f;
	int64_t now;
	int depth;
	akin_error *err;
	akin_status st;
	size_t at; /* of the error */
};

/* ---- errors ---- */

/* Columns count characters, from 1. */
static unsigned column(const char *text, size_t at)
{
	unsigned n = 1;

	for (size_t i = 0; i < at; i++) n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

/* The first error stays. Returns FILTER_NONE. */
static int fail(struct parser *p, const char *where, const char *fmt, ...) PRINTF_LIKE(3, 4);
static int fail(struct parser *p, const char *where, const char *fmt, ...)
{
	char why[512];
	va_list args;

	if (p->st != AKIN_OK) return FILTER_NONE;
	va_start(args, fmt);
	vsnprintf(why, sizeof why, fmt, args);
	va_end(args);
	p->at = (size_t)(where - p->text);
	p->st = error_set(p->err, AKIN_ERR_INVALID, "the filter, column %u: %s", column(p->text, p->at), why);
	return FILTER_NONE;
}

/* ---- the tree ---- */

static int add_node(struct parser *p, struct filter_node node)
{
	if (p->f->n == FILTER_MAX_NODES) return fail(p, p->p, "the filter has more than %d parts", FILTER_MAX_NODES);
	p->f->node[p->f->n] = node;
	return p->f->n++;
}

static struct filter_node leaf(enum filter_kind kind, enum filter_field field)
{
	return (struct filter_node){ .kind = kind, .field = field, .low = -INFINITY, .high = INFINITY, .child = FILTER_NONE,
		                     .next = FILTER_NONE };
}

/* `more` becomes the last child of `parent`, which is made when there is none: *parent is then what was the first child. */
static void join(struct parser *p, enum filter_kind kind, int *parent, bool *joined, int more)
{
	struct filter_node node = leaf(kind, FIELDS);
	int last;

	if (!*joined) {
		node.child = *parent;
		if ((*parent = add_node(p, node)) == FILTER_NONE) return;
		*joined = true;
	}
	for (last = p->f->node[*parent].child; p->f->node[last].next != FILTER_NONE; last = p->f->node[last].next);
	p->f->node[last].next = more;
}

static int negate(struct parser *p, int node)
{
	struct filter_node not = leaf(FILTER_NOT, FIELDS);

	if (node == FILTER_NONE) return FILTER_NONE;
	not.child = node;
	return add_node(p, not);
}

/* ---- characters ---- */

static void skip_blanks(struct parser *p)
{
	while (*p->p && strchr(" \t\r\n", *p->p)) p->p++;
}

static bool take(struct parser *p, const char *token)
{
	if (!str_starts(p->p, token)) return false;
	p->p += strlen(token);
	return true;
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static struct slice_of_text peek_name(const struct parser *p)
{
	size_t n = 0;

	while (is_name(p->p[n])) n++;
	return (struct slice_of_text){ p->p, n };
}

static bool same(struct slice_of_text s, const char *word)
{
	if (s.n != strlen(word)) return false;
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] | 32) != (word[i] | 32)) return false;
	return true;
}

/* A word of the language, not the beginning of a longer one and not a field. */
static bool take_word(struct parser *p, const char *word)
{
	struct slice_of_text name = peek_name(p);
	const char *behind = name.p + name.n;

	if (!same(name, word) || *behind == ':') return false;
	p->p = behind;
	return true;
}

/* ---- values ---- */

struct value {
	struct slice_of_text raw; /* as written, without quotes */
	const char *where;
	size_t text;              /* in filter.texts: with FILTER_ANY for * and FILTER_ONE for ?, or % and _ */
	bool quoted, wild;
};

static bool ends_value(char c)
{
	return !c || strchr(" \t\r\n(),\"'<>=!&|", c);
}

static void put_text(struct parser *p, char c)
{
	struct filter *f = p->f;

	if (f->n_texts < sizeof f->texts) f->texts[f->n_texts++] = c;
	else fail(p, p->p, "the filter's texts are too long");
}

/* One character of a value, wildcards replaced; `any`, `one`: what they are written as. */
static void put_character(struct parser *p, struct value *v, char c, char any, char one, bool literal)
{
	if (!literal && (c == any || c == one)) {
		v->wild = true;
		c = c == any ? FILTER_ANY : FILTER_ONE;
	}
	put_text(p, c);
}

static bool read_value(struct parser *p, struct value *v, char any, char one)
{
	skip_blanks(p);
	*v = (struct value){ .where = p->p, .text = p->f->n_texts };
	if (*p->p == '"' || *p->p == '\'') {
		const char quote = *p->p++;

		v->quoted = true;
		v->raw.p = p->p;
		for (; *p->p && *p->p != quote; p->p++) {
			const bool escaped = *p->p == '\\' && p->p[1] && strchr("\\\"'*?%_", p->p[1]);

			if (escaped) p->p++;
			put_character(p, v, *p->p, any, one, escaped);
		}
		v->raw.n = (size_t)(p->p - v->raw.p);
		if (*p->p != quote) return fail(p, v->where, "this quote is not closed"), false;
		p->p++;
	} else {
		for (v->raw.p = p->p; !ends_value(*p->p); p->p++) put_character(p, v, *p->p, any, one, false);
		v->raw.n = (size_t)(p->p - v->raw.p);
	}
	put_text(p, '\0');
	if (!v->raw.n) return fail(p, v->where, "a value is missing here"), false;
	return p->st == AKIN_OK;
}

/* ---- fields ---- */

enum value_type { VALUE_TIME, VALUE_NUMBER, VALUE_TEXT, VALUE_FORMAT, VALUE_FOLDER, VALUE_WHOLE, VALUE_LABEL, VALUE_SHAPE, VALUE_COLOUR,
	          VALUE_NONE };

static const struct field {
	const char *name;
	enum filter_field field;
	enum value_type type;
	bool has; /* has:NAME can be asked */
} fields[] = {
	{ "taken", FIELD_TAKEN, VALUE_TIME, true },
	{ "modified", FIELD_MODIFIED, VALUE_TIME, false },
	{ "added", FIELD_ADDED, VALUE_TIME, false },
	{ "width", FIELD_WIDTH, VALUE_NUMBER, false },
	{ "height", FIELD_HEIGHT, VALUE_NUMBER, false },
	{ "megapixels", FIELD_PIXELS, VALUE_NUMBER, false },
	{ "bytes", FIELD_BYTES, VALUE_NUMBER, false },
	{ "size", FIELD_BYTES, VALUE_NUMBER, false },
	{ "altitude", FIELD_ALTITUDE, VALUE_NUMBER, true },
	{ "rating", FIELD_RATING, VALUE_NUMBER, true },
	{ "id", FIELD_ID, VALUE_NUMBER, false },
	{ "path", FIELD_PATH, VALUE_TEXT, false },
	{ "name", FIELD_NAME, VALUE_TEXT, false },
	{ "folder", FIELD_FOLDER, VALUE_FOLDER, false },
	{ "format", FIELD_FORMAT, VALUE_FORMAT, false },
	{ "camera", FIELD_CAMERA, VALUE_TEXT, true },
	{ "lens", FIELD_LENS, VALUE_TEXT, true },
	{ "title", FIELD_TITLE, VALUE_TEXT, true },
	{ "caption", FIELD_CAPTION, VALUE_TEXT, true },
	{ "creator", FIELD_CREATOR, VALUE_TEXT, true },
	{ "keyword", FIELD_KEYWORD, VALUE_TEXT, true },
	{ "tag", FIELD_TAG, VALUE_WHOLE, true },
	{ "label", FIELD_LABEL, VALUE_LABEL, true },
	{ "orientation", FIELD_ORIENTATION, VALUE_SHAPE, false },
	{ "color", FIELD_COLOUR, VALUE_COLOUR, true },
	{ "colour", FIELD_COLOUR, VALUE_COLOUR, true },
	{ "gps", FIELD_GPS, VALUE_NONE, true },
};

static const char *const flags[] = { "missing", "grey", "gray", "near", "box", "has", "not" };

static const struct field *find_field(struct slice_of_text name)
{
	for (size_t i = 0; i < COUNT(fields); i++)
		if (same(name, fields[i].name)) return &fields[i];
	return NULL;
}

static void try_near(const char *candidate, const char *word, unsigned *least, const char **best)
{
	unsigned d = spell_distance(word, candidate, 2);

	if (d >= *least || 2 * d >= strlen(word)) return;
	*least = d;
	*best = candidate;
}

static int unknown_name(struct parser *p, struct slice_of_text name)
{
	const char *best = NULL;
	unsigned least = 3;
	char word[32];

	snprintf(word, sizeof word, "%.*s", (int)(name.n < sizeof word ? name.n : sizeof word - 1), name.p);
	for (char *c = word; *c; c++)
		if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + 32);
	for (size_t i = 0; i < COUNT(fields); i++) try_near(fields[i].name, word, &least, &best);
	for (size_t i = 0; i < COUNT(flags); i++) try_near(flags[i], word, &least, &best);
	if (best) return fail(p, name.p, "there is no field \"%s\"; did you mean \"%s\"?", word, best);
	return fail(p, name.p, "there is no field \"%s\"; docs/filters.md lists them, as in taken:2023 or label:cat", word);
}

/* ---- comparisons ---- */

enum operator { OP_FITS, OP_EQUAL, OP_DIFFERENT, OP_LESS, OP_AT_MOST, OP_MORE, OP_AT_LEAST, OP_IN, OP_LIKE, OP_NONE };

static enum operator take_operator(struct parser *p)
{
	skip_blanks(p);
	if (take(p, ":")) return OP_FITS;
	if (take(p, "!=") || take(p, "<>")) return OP_DIFFERENT;
	if (take(p, "<=")) return OP_AT_MOST;
	if (take(p, ">=")) return OP_AT_LEAST;
	if (take(p, "==") || take(p, "=")) return OP_EQUAL;
	if (take(p, "<")) return OP_LESS;
	if (take(p, ">")) return OP_MORE;
	if (take_word(p, "in")) return OP_IN;
	if (take_word(p, "like")) return OP_LIKE;
	return OP_NONE;
}

static bool is_order(enum operator op)
{
	return op >= OP_LESS && op <= OP_AT_LEAST;
}

static bool to_range(struct parser *p, const struct field *field, struct slice_of_text s, const char *where, struct value_range *out)
{
	static const char *const wanted[] = { [FIELD_BYTES] = "a size such as 200kB or 2MB", [FIELD_PIXELS] = "a number of megapixels" };

	if (field->type == VALUE_TIME) {
		if (value_time(s, field->field, p->now, out)) return true;
		return fail(p, where, "\"%.*s\" is not a date: 2023, 2023-05, 2023-05-04, \"2023-05-04 10:30\", today, yesterday",
		            (int)(s.n < 100 ? s.n : 100), s.p), false;
	}
	if (value_number(s, field->field, out)) return true;
	return fail(p, where, "\"%.*s\" is not %s", (int)(s.n < 100 ? s.n : 100), s.p,
	            field->field < COUNT(wanted) && wanted[field->field] ? wanted[field->field] : "a number"), false;
}

/* "a..b", "a..", "..b": both ends belong to it, with all of their day or year. */
static bool split_range(struct slice_of_text s, struct slice_of_text *low, struct slice_of_text *high)
{
	for (size_t i = 0; i + 1 < s.n; i++) {
		if (s.p[i] != '.' || s.p[i + 1] != '.') continue;
		*low = (struct slice_of_text){ s.p, i };
		*high = (struct slice_of_text){ s.p + i + 2, s.n - i - 2 };
		return true;
	}
	return false;
}

static int between(struct parser *p, const struct field *field, const struct value *v, struct slice_of_text low,
                   struct slice_of_text high)
{
	struct filter_node node = leaf(FILTER_RANGE, field->field);
	struct value_range r;

	if (!low.n && !high.n) return fail(p, v->where, "a range needs a beginning or an end");
	if (low.n) {
		if (!to_range(p, field, low, v->where, &r)) return FILTER_NONE;
		node.low = r.low;
	}
	if (high.n) {
		if (!to_range(p, field, high, v->where, &r)) return FILTER_NONE;
		node.high = r.high;
		node.below = r.below;
	}
	if (node.below ? node.low >= node.high : node.low > node.high)
		return fail(p, v->where, "this range ends before it begins");
	return add_node(p, node);
}

static int compare(struct parser *p, const struct field *field, enum operator op, const struct value *v)
{
	struct filter_node node = leaf(FILTER_RANGE, field->field);
	struct slice_of_text low, high;
	struct value_range r;

	if (!is_order(op) && split_range(v->raw, &low, &high)) {
		int range = between(p, field, v, low, high);

		return op == OP_DIFFERENT ? negate(p, range) : range;
	}
	if (!to_range(p, field, v->raw, v->where, &r)) return FILTER_NONE;
	switch (op) {
	case OP_LESS:
		node.high = r.low;
		node.below = true;
		break;
	case OP_AT_MOST:
		node.high = r.high;
		node.below = r.below;
		break;
	case OP_MORE: /* 2023 ends where 2024 begins, which is more */
		node.low = r.high;
		node.above = !r.below;
		break;
	case OP_AT_LEAST: node.low = r.low; break;
	default:
		node.low = r.low - r.half;
		node.high = r.high + r.half;
		node.below = r.below || r.half > 0;
		if (op == OP_DIFFERENT) return negate(p, add_node(p, node));
	}
	return add_node(p, node);
}

/* "jpg" and the like are "jpeg" in the library. */
static void settle_format(struct parser *p, struct filter_node *node, const struct value *v)
{
	static const struct {
		const char *said, *meant;
	} others[] = { { "jpg", "jpeg" }, { "tif", "tiff" }, { "heic", "heif" }, { "j2k", "jp2" }, { "pgm", "ppm" }, { "pbm", "ppm" } };

	for (size_t i = 0; i < COUNT(others); i++) {
		if (!same(v->raw, others[i].said)) continue;
		node->text = p->f->n_texts;
		for (const char *c = others[i].meant; *c; c++) put_text(p, *c);
		put_text(p, '\0');
	}
}

static int match_text(struct parser *p, const struct field *field, enum operator op, const struct value *v)
{
	struct filter_node node = leaf(FILTER_TEXT, field->field);
	int made;

	node.text = v->text;
	node.match = op == OP_LIKE || v->wild ? MATCH_PATTERN : op == OP_FITS && field->type == VALUE_TEXT ? MATCH_CONTAINS : MATCH_EQUAL;
	if (field->type == VALUE_FOLDER && v->raw.p[0] == '/' && !v->wild) node.match = MATCH_BELOW;
	if (field->type == VALUE_FORMAT) settle_format(p, &node, v);
	made = add_node(p, node);
	return op == OP_DIFFERENT ? negate(p, made) : made;
}

/* label:cat, label:cat>0.5; the probability is of the label before it. */
static int match_label(struct parser *p, enum operator op, const struct value *v)
{
	struct filter_node node = leaf(FILTER_LABEL, FIELD_LABEL);
	const char *before = p->p;
	enum operator order;
	struct value least;
	double probability;
	int made;

	node.text = v->text;
	node.match = v->wild ? MATCH_PATTERN : MATCH_EQUAL;
	order = take_operator(p);
	if (!is_order(order)) {
		p->p = before;
	} else {
		if (!read_value(p, &least, 0, 0)) return FILTER_NONE;
		if (!value_probability(least.raw, &probability))
			return fail(p, least.where, "\"%.*s\" is not a probability: 0 to 1, or 0%% to 100%%",
			            (int)(least.raw.n < 100 ? least.raw.n : 100), least.raw.p);
		if (order == OP_LESS || order == OP_AT_MOST) node.high = probability, node.below = order == OP_LESS;
		else node.low = probability, node.above = order == OP_MORE;
	}
	made = add_node(p, node);
	return op == OP_DIFFERENT ? negate(p, made) : made;
}

static int match_shape(struct parser *p, enum operator op, const struct value *v)
{
	const enum filter_kind kind = same(v->raw, "landscape")  ? FILTER_LANDSCAPE
	                              : same(v->raw, "portrait") ? FILTER_PORTRAIT
	                              : same(v->raw, "square")   ? FILTER_SQUARE
	                                                         : FILTER_HAS;
	int made;

	if (kind == FILTER_HAS) return fail(p, v->where, "an orientation is landscape, portrait or square");
	made = add_node(p, leaf(kind, FIELD_ORIENTATION));
	return op == OP_DIFFERENT ? negate(p, made) : made;
}

static int match_colour(struct parser *p, enum operator op, const struct value *v)
{
	struct filter_node node = leaf(FILTER_COLOUR, FIELD_COLOUR);
	int made;

	node.colours = value_colour(v->raw);
	if (!node.colours)
		return fail(p, v->where, "a colour is black, grey, white, red, orange, yellow, green, blue, purple, pink or brown");
	made = add_node(p, node);
	return op == OP_DIFFERENT ? negate(p, made) : made;
}

static int one_value(struct parser *p, const struct field *field, enum operator op)
{
	const bool pattern = op == OP_FITS || op == OP_IN;
	struct value v;

	if (!read_value(p, &v, op == OP_LIKE ? '%' : pattern ? '*' : 0, op == OP_LIKE ? '_' : pattern ? '?' : 0)) return FILTER_NONE;
	switch (field->type) {
	case VALUE_TIME:
	case VALUE_NUMBER: return compare(p, field, op, &v);
	case VALUE_LABEL: return match_label(p, op, &v);
	case VALUE_SHAPE: return match_shape(p, op, &v);
	case VALUE_COLOUR: return match_colour(p, op, &v);
	default: return match_text(p, field, op, &v);
	}
}

static int list_of_values(struct parser *p, const struct field *field)
{
	int all = FILTER_NONE;
	bool joined = false;

	skip_blanks(p);
	if (!take(p, "(")) return fail(p, p->p, "IN needs a list: %s IN (a, b)", field->name);
	do {
		int one = one_value(p, field, OP_IN);

		if (p->st != AKIN_OK) return FILTER_NONE;
		if (all == FILTER_NONE) all = one;
		else join(p, FILTER_OR, &all, &joined, one);
		skip_blanks(p);
	} while (p->st == AKIN_OK && take(p, ","));
	if (!take(p, ")")) return fail(p, p->p, "the list ends with )");
	return p->st == AKIN_OK ? all : FILTER_NONE;
}

static int field_term(struct parser *p, struct slice_of_text name)
{
	const struct field *field = find_field(name);
	const char *where;
	enum operator op;

	if (!field) return unknown_name(p, name);
	p->p += name.n;
	skip_blanks(p);
	where = p->p;
	op = take_operator(p);
	if (field->type == VALUE_NONE)
		return fail(p, name.p, "places are asked as near(48.85, 2.35, 10km), box(47, 1, 49, 3) or has:gps");
	if (op == OP_NONE) return fail(p, where, "\"%s\" needs a comparison, as in %s:... or %s=...", field->name, field->name, field->name);
	if (is_order(op) && field->type != VALUE_TIME && field->type != VALUE_NUMBER)
		return fail(p, where, "\"%s\" has no order: compare it with : or = or !=", field->name);
	if (op == OP_LIKE && (field->type == VALUE_TIME || field->type == VALUE_NUMBER || field->type == VALUE_SHAPE ||
	                      field->type == VALUE_COLOUR))
		return fail(p, where, "LIKE is for texts, and \"%s\" is none", field->name);
	return op == OP_IN ? list_of_values(p, field) : one_value(p, field, op);
}

/* ---- terms that are no fields ---- */

static int has_term(struct parser *p)
{
	const struct field *field;
	struct slice_of_text name;

	if (!take(p, ":")) return fail(p, p->p, "\"has\" needs a field, as in has:gps");
	skip_blanks(p);
	name = peek_name(p);
	field = find_field(name);
	if (!field && same(name, "keywords")) field = find_field((struct slice_of_text){ "keyword", 7 });
	if (!field || !field->has)
		return fail(p, name.p, "has: goes with taken, gps, altitude, camera, lens, rating, title, caption, creator, keyword, tag,"
		                       " label, color");
	p->p += name.n;
	return add_node(p, leaf(FILTER_HAS, field->field));
}

/* The values of near() and box(). */
static bool arguments(struct parser *p, struct value *values, int n)
{
	skip_blanks(p);
	if (!take(p, "(")) return fail(p, p->p, "a ( is missing"), false;
	for (int i = 0; i < n; i++) {
		if (!read_value(p, &values[i], 0, 0)) return false;
		skip_blanks(p);
		if (i + 1 < n && !take(p, ",")) return fail(p, p->p, "a comma and %d more values are missing", n - 1 - i), false;
	}
	if (!take(p, ")")) return fail(p, p->p, "a ) is missing"), false;
	return true;
}

static bool degrees(struct parser *p, const struct value *v, double most, double *out)
{
	if (value_degrees(v->raw, most, out)) return true;
	return fail(p, v->where, "\"%.*s\" is not a number of degrees between -%g and %g", (int)(v->raw.n < 100 ? v->raw.n : 100), v->raw.p,
	            most, most), false;
}

static int near_term(struct parser *p)
{
	struct filter_node node = leaf(FILTER_NEAR, FIELD_GPS);
	struct value v[3];

	if (!arguments(p, v, 3) || !degrees(p, &v[0], 90, &node.low) || !degrees(p, &v[1], 180, &node.high)) return FILTER_NONE;
	if (!value_distance(v[2].raw, &node.kilometres)) return fail(p, v[2].where, "a distance is written as 10km, 800m or 5mi");
	return add_node(p, node);
}

static int box_term(struct parser *p)
{
	struct filter_node node = leaf(FILTER_BOX, FIELD_GPS);
	struct value v[4];

	if (!arguments(p, v, 4) || !degrees(p, &v[0], 90, &node.low) || !degrees(p, &v[1], 180, &node.high) ||
	    !degrees(p, &v[2], 90, &node.north) || !degrees(p, &v[3], 180, &node.east))
		return FILTER_NONE;
	if (node.low > node.north) return fail(p, v[2].where, "the box's north lies south of its south: box(south, west, north, east)");
	return add_node(p, node);
}

/* ---- the grammar ---- */

static int parse_or(struct parser *p);

static int parse_term(struct parser *p)
{
	struct slice_of_text name;
	int inner;

	skip_blanks(p);
	if (take(p, "(")) {
		const char *opened = p->p - 1;

		inner = parse_or(p);
		skip_blanks(p);
		if (p->st == AKIN_OK && !take(p, ")")) return fail(p, *p->p ? p->p : opened, *p->p ? "a ) is missing" : "this ( is not closed");
		return inner;
	}
	name = peek_name(p);
	if (!*p->p) return fail(p, p->p, "a condition is missing at the end");
	if (!name.n) return fail(p, p->p, "a condition begins with a field, as in taken:2023 or label:cat");
	if (same(name, "and") || same(name, "or")) return fail(p, p->p, "a condition is missing before this word");
	if (take_word(p, "missing")) return add_node(p, leaf(FILTER_MISSING, FIELDS));
	if (take_word(p, "grey") || take_word(p, "gray")) return add_node(p, leaf(FILTER_GREY, FIELD_COLOUR));
	if (take_word(p, "near")) return near_term(p);
	if (take_word(p, "box")) return box_term(p);
	if (same(name, "has")) {
		p->p += name.n;
		return has_term(p);
	}
	return field_term(p, name);
}

static bool deeper(struct parser *p)
{
	if (++p->depth <= FILTER_MAX_DEPTH) return true;
	return fail(p, p->p, "more than %d parentheses and NOTs within one another", FILTER_MAX_DEPTH), false;
}

static int parse_not(struct parser *p)
{
	int node;

	if (!deeper(p)) return FILTER_NONE;
	skip_blanks(p);
	if (take_word(p, "not") || (*p->p == '!' && p->p[1] != '=' && take(p, "!"))) node = negate(p, parse_not(p));
	else node = parse_term(p);
	p->depth--;
	return node;
}

static bool begins_term(struct parser *p)
{
	struct slice_of_text name;

	skip_blanks(p);
	name = peek_name(p);
	return *p->p == '(' || *p->p == '!' || (name.n && !(same(name, "or") && p->p[2] != ':'));
}

/* A blank between two conditions is an AND. */
static int parse_and(struct parser *p)
{
	int all = parse_not(p);
	bool joined = false;

	while (p->st == AKIN_OK) {
		int more;

		skip_blanks(p);
		if (!take_word(p, "and") && !take(p, "&&") && !begins_term(p)) break;
		more = parse_not(p);
		if (p->st == AKIN_OK) join(p, FILTER_AND, &all, &joined, more);
	}
	return all;
}

static int parse_or(struct parser *p)
{
	int any = parse_and(p);
	bool joined = false;

	while (p->st == AKIN_OK) {
		int more;

		skip_blanks(p);
		if (!take_word(p, "or") && !take(p, "||")) break;
		more = parse_and(p);
		if (p->st == AKIN_OK) join(p, FILTER_OR, &any, &joined, more);
	}
	return any;
}

static akin_status check_bytes(struct parser *p)
{
	for (const char *c = p->text; *c; c++) {
		if ((unsigned char)*c < 0x20 && !strchr("\t\r\n", *c)) {
			fail(p, c, "a control character");
			break;
		}
		if (c - p->text == FILTER_MAX_BYTES) {
			fail(p, c, "the filter is longer than %d bytes", FILTER_MAX_BYTES);
			break;
		}
	}
	return p->st;
}

akin_status filter_parse(struct filter **out, const char *text, int64_t now, size_t *at, akin_error *err)
{
	struct parser p = { .text = text, .p = text, .now = now, .err = err };

	*out = NULL;
	if (at) *at = 0;
	if (!(p.f = mem_zalloc(sizeof *p.f))) return error_nomem(err);
	if (check_bytes(&p) == AKIN_OK) {
		p.f->root = parse_or(&p);
		skip_blanks(&p);
		if (p.st == AKIN_OK && *p.p) fail(&p, p.p, "this does not belong here");
	}
	if (at) *at = p.at;
	if (p.st == AKIN_OK) *out = p.f;
	else mem_free(p.f);
	return p.st;
}
