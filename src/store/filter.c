/* store/filter.c - a filter as SQL with bound values. Every condition is 0 or 1, never NULL: what is unknown does not fit, and
 * NOT of that does.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fold.h"
#include "types/filter.h"

struct binding {
	enum { BIND_REAL, BIND_TEXT, BIND_BYTES } kind;
	double real;
	char *text; /* mem_free */
};

struct writer {
	const struct filter *filter;
	struct buf sql;
	struct binding *bound;
	size_t n_bound, capacity;
	bool failed;
};

/* ---- values ---- */

/* Writes the value's place, "?7". */
static void bind(struct writer *w, struct binding b)
{
	struct binding *moved = mem_grow(w->bound, &w->capacity, w->n_bound, sizeof *moved);

	if (!moved || ((b.kind == BIND_TEXT || b.kind == BIND_BYTES) && !b.text)) {
		w->failed = true;
		mem_free(b.text);
		if (moved) w->bound = moved;
		return;
	}
	w->bound = moved;
	w->bound[w->n_bound++] = b;
	buf_printf(&w->sql, "?%zu", w->n_bound);
}

static void bind_real(struct writer *w, double v)
{
	bind(w, (struct binding){ .kind = BIND_REAL, .real = v });
}

/* The value as the comparison wants it: no case, no accents. */
static void bind_folded(struct writer *w, const struct filter_node *node)
{
	bind(w, (struct binding){ .kind = BIND_TEXT, .text = fold_string(w->filter->texts + node->text) });
}

static void put(struct writer *w, const char *sql)
{
	buf_puts(&w->sql, sql);
}

/* ---- conditions ---- */

/* " >= ?1 AND column < ?2"; low and high are in the unit of the column divided by `unit`. */
static void put_bounds(struct writer *w, const struct filter_node *node, const char *column, double unit)
{
	if (isinf(node->low) && isinf(node->high)) buf_printf(&w->sql, "%s IS NOT NULL", column);
	if (!isinf(node->low)) {
		buf_printf(&w->sql, "%s %s ", column, node->above ? ">" : ">=");
		bind_real(w, node->low * unit);
	}
	if (!isinf(node->low) && !isinf(node->high)) put(w, " AND ");
	if (!isinf(node->high)) {
		buf_printf(&w->sql, "%s %s ", column, node->below ? "<" : "<=");
		bind_real(w, node->high * unit);
	}
}

#define OF_FILE "EXISTS (SELECT 1 FROM file WHERE picture_id = p.id AND state <> 2 AND "
#define OF_DESCRIPTION "EXISTS (SELECT 1 FROM description d WHERE d.picture_id = p.id AND "

/* Sizes of 0 and times of 0 are those of imported vectors, which have no file. */
static void put_range(struct writer *w, const struct filter_node *node)
{
	static const char *const columns[FIELD_NUMBERS] = {
		[FIELD_TAKEN] = "p.taken",           [FIELD_ADDED] = "p.added_at",
		[FIELD_WIDTH] = "nullif(p.width, 0)", [FIELD_HEIGHT] = "nullif(p.height, 0)",
		[FIELD_PIXELS] = "nullif(p.width * p.height, 0)", [FIELD_BYTES] = "nullif(p.bytes, 0)",
		[FIELD_ALTITUDE] = "p.altitude",     [FIELD_RATING] = "p.rating",
		[FIELD_ID] = "p.id",
	};

	if (node->field == FIELD_MODIFIED) {
		put(w, OF_FILE);
		put_bounds(w, node, "nullif(mtime_ns, 0)", 1e9);
		put(w, ")");
		return;
	}
	put(w, "coalesce(");
	put_bounds(w, node, columns[node->field], 1);
	put(w, ", 0)");
}

static void put_match(struct writer *w, const struct filter_node *node, const char *text)
{
	buf_printf(&w->sql, "akin_matches(%d, %d, ", (int)node->field, (int)node->match);
	bind_folded(w, node);
	buf_printf(&w->sql, ", %s)", text);
}

/* Folders are ranges of paths, compared as bytes; see files.c. */
static void put_below(struct writer *w, const struct filter_node *node)
{
	char *folder = mem_strdup(w->filter->texts + node->text);
	size_t n = folder ? strlen(folder) : 0, place;

	while (n && folder[n - 1] == '/') folder[--n] = '\0';
	put(w, "p.id IN (SELECT picture_id FROM file WHERE state <> 2 AND path > CAST(");
	bind(w, (struct binding){ .kind = BIND_BYTES, .text = folder });
	place = w->n_bound;
	buf_printf(&w->sql, " || x'2f' AS BLOB) AND path < CAST(?%zu || x'30' AS BLOB))", place);
}

static void put_camera(struct writer *w, const struct filter_node *node)
{
	put(w, OF_DESCRIPTION "(");
	put_match(w, node, "d.model");
	put(w, " OR ");
	put_match(w, node, "d.make || ' ' || d.model");
	put(w, " OR ");
	put_match(w, node, "d.make");
	put(w, "))");
}

static void put_text(struct writer *w, const struct filter_node *node)
{
	static const char *const columns[FIELDS] = { [FIELD_LENS] = "d.lens", [FIELD_TITLE] = "d.title",
		                                     [FIELD_CAPTION] = "d.caption", [FIELD_CREATOR] = "d.creator",
		                                     [FIELD_KEYWORD] = "d.keywords" };

	switch (node->field) {
	case FIELD_PATH:
	case FIELD_NAME:
	case FIELD_FOLDER:
		if (node->match == MATCH_BELOW) {
			put_below(w, node);
			break;
		}
		put(w, OF_FILE);
		put_match(w, node, "path");
		put(w, ")");
		break;
	case FIELD_FORMAT: put_match(w, node, "p.format"); break;
	case FIELD_CAMERA: put_camera(w, node); break;
	case FIELD_TAG:
		put(w, "p.id IN (SELECT picture_id FROM tag WHERE ");
		if (node->match == MATCH_EQUAL) {
			put(w, "folded = ");
			bind_folded(w, node);
		} else {
			put_match(w, node, "folded");
		}
		put(w, ")");
		break;
	default:
		put(w, OF_DESCRIPTION);
		put_match(w, node, columns[node->field]);
		put(w, ")");
	}
}

/* Few classes have a name; each of them has its pictures in an index. CROSS JOIN keeps the order. */
static void put_label(struct writer *w, const struct filter_node *node)
{
	put(w, "p.id IN (SELECT picture_id FROM class CROSS JOIN label USING (class_index, model_id) WHERE ");
	put_match(w, node, "name || char(9) || name_zh");
	put(w, " AND ");
	put_bounds(w, node, "probability", 1);
	put(w, ")");
}

static void put_near(struct writer *w, const struct filter_node *node)
{
	/* A degree of latitude has 111.2 km: most pictures are told apart by it. */
	const double band = node->kilometres / 111.1 + 1e-6;

	put(w, "coalesce(p.latitude BETWEEN ");
	bind_real(w, node->low - band);
	put(w, " AND ");
	bind_real(w, node->low + band);
	put(w, " AND akin_kilometres(p.latitude, p.longitude, ");
	bind_real(w, node->low);
	put(w, ", ");
	bind_real(w, node->high);
	put(w, ") <= ");
	bind_real(w, node->kilometres);
	put(w, ", 0)");
}

/* West may be greater than east: the box then goes over the date line. */
static void put_box(struct writer *w, const struct filter_node *node)
{
	put(w, "coalesce(p.latitude BETWEEN ");
	bind_real(w, node->low);
	put(w, " AND ");
	bind_real(w, node->north);
	put(w, " AND (p.longitude >= ");
	bind_real(w, node->high);
	put(w, node->high <= node->east ? " AND p.longitude <= " : " OR p.longitude <= ");
	bind_real(w, node->east);
	put(w, "), 0)");
}

static const char *has_condition(enum filter_field field)
{
	switch (field) {
	case FIELD_TAKEN: return "p.taken IS NOT NULL";
	case FIELD_GPS: return "p.latitude IS NOT NULL";
	case FIELD_ALTITUDE: return "p.altitude IS NOT NULL";
	case FIELD_RATING: return "p.rating IS NOT NULL";
	case FIELD_COLOUR: return "p.colours IS NOT NULL";
	case FIELD_TAG: return "EXISTS (SELECT 1 FROM tag WHERE picture_id = p.id)";
	case FIELD_LABEL: return "EXISTS (SELECT 1 FROM label WHERE picture_id = p.id)";
	case FIELD_CAMERA: return OF_DESCRIPTION "coalesce(d.make, d.model) IS NOT NULL)";
	case FIELD_LENS: return OF_DESCRIPTION "d.lens IS NOT NULL)";
	case FIELD_TITLE: return OF_DESCRIPTION "d.title IS NOT NULL)";
	case FIELD_CAPTION: return OF_DESCRIPTION "d.caption IS NOT NULL)";
	case FIELD_CREATOR: return OF_DESCRIPTION "d.creator IS NOT NULL)";
	case FIELD_KEYWORD: return OF_DESCRIPTION "d.keywords IS NOT NULL)";
	default: return "0";
	}
}

/* Depth is bounded by the parser. */
static void put_node(struct writer *w, int at)
{
	const struct filter_node *node = &w->filter->node[at];

	switch (node->kind) {
	case FILTER_AND:
	case FILTER_OR:
		put(w, "(");
		for (int child = node->child; child != FILTER_NONE; child = w->filter->node[child].next) {
			if (child != node->child) put(w, node->kind == FILTER_AND ? " AND " : " OR ");
			put_node(w, child);
		}
		put(w, ")");
		break;
	case FILTER_NOT:
		put(w, "NOT ");
		put_node(w, node->child);
		break;
	case FILTER_RANGE: put_range(w, node); break;
	case FILTER_TEXT: put_text(w, node); break;
	case FILTER_LABEL: put_label(w, node); break;
	case FILTER_LANDSCAPE: put(w, "(p.width > p.height)"); break;
	case FILTER_PORTRAIT: put(w, "(p.width < p.height)"); break;
	case FILTER_SQUARE: put(w, "(p.width = p.height AND p.width > 0)"); break;
	case FILTER_COLOUR: buf_printf(&w->sql, "(coalesce(p.colours, 0) & %u <> 0)", node->colours); break;
	case FILTER_GREY: put(w, "coalesce(p.grey, 0)"); break;
	case FILTER_MISSING:
		put(w, "(EXISTS (SELECT 1 FROM file WHERE picture_id = p.id)"
		       " AND NOT EXISTS (SELECT 1 FROM file WHERE picture_id = p.id AND state = 0))");
		break;
	case FILTER_NEAR: put_near(w, node); break;
	case FILTER_BOX: put_box(w, node); break;
	case FILTER_HAS:
		put(w, "(");
		put(w, has_condition(node->field));
		put(w, ")");
	}
}

/* ---- asking ---- */

static void bind_all(struct query *q, const struct writer *w)
{
	for (size_t i = 0; i < w->n_bound; i++) {
		const struct binding *b = &w->bound[i];
		const int at = (int)i + 1;

		switch (b->kind) {
		case BIND_REAL: query_double(q, at, b->real); break;
		case BIND_TEXT: query_text(q, at, b->text); break;
		case BIND_BYTES: query_bytes(q, at, b->text, strlen(b->text)); break;
		}
	}
}

akin_status store_filter_ids(struct store *store, const struct filter *filter, int64_t **ids, size_t *n, akin_error *err)
{
	struct writer w = { .filter = filter };
	struct query q;
	akin_status st;

	*ids = NULL;
	*n = 0;
	put(&w, "SELECT p.id FROM picture p WHERE ");
	put_node(&w, filter->root);
	put(&w, " ORDER BY p.id");
	if (w.failed || w.sql.failed) {
		st = error_nomem(err);
	} else {
		query_open_once(&q, store, w.sql.data);
		bind_all(&q, &w);
		st = query_ids(&q, ids, n, err);
	}
	for (size_t i = 0; i < w.n_bound; i++) mem_free(w.bound[i].text);
	mem_free(w.bound);
	buf_deinit(&w.sql);
	return st;
}
