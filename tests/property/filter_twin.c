/* Filters against a slow evaluator: random pictures, random conditions joined at random; every condition is written as text
 * and, beside it, worked out picture by picture from what the test itself knows.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/date.h"
#include "search/filter.h"
#include "store/internal.h"

enum { PICTURES = 80, FILTERS = 1500, CLASSES = 4, MAX_FILES = 2 };

static const char *const words[] = { "Beach", "cat", "Straße", "猫咪", "IMG_1", "été", "DSC 9" };
static const char *const folders[] = { "/p/2023/Holiday", "/p/2024", "/p/2024/Été", "/q" };
static const char *const classes[CLASSES] = { "tabby|cat\t虎斑猫|猫\tpet", "dog\t狗\tpet", "beach\t海滩\t", "hot dog\t热狗\tfood" };
static const char *const label_words[] = { "cat", "猫", "pet", "pets", "dog", "Hot Dog", "food", "bird" };
/* Which classes each label word means. */
static const bool label_means[COUNT(label_words)][CLASSES] = { { 1 }, { 1 }, { 1, 1 }, { 1, 1 }, { 0, 1 }, { 0, 0, 0, 1 }, { 0, 0, 0, 1 }, { 0 } };

struct model_file {
	const char *folder, *word;
	bool present;
	int64_t mtime;
};

struct model {
	int64_t id;
	struct store_picture picture;
	struct facts facts;
	struct model_file file[MAX_FILES];
	int n_files;
	const char *camera, *title, *tag;
	float probability[CLASSES]; /* 0: none */
};

static struct model models[PICTURES];
static struct rng rng = { 20231114 };
static struct store *store;
static akin_error err;

static size_t below(size_t n)
{
	return (size_t)(rng_u64(&rng) % n);
}

/* ---- pictures ---- */

static void draw(struct model *m, size_t i)
{
	struct facts *f = &m->facts;

	m->picture = (struct store_picture){ .hash = { (uint8_t)(i + 1), 1 }, .added_at = 1600000000 + (int64_t)below(100000000),
		                             .info = { .width = (unsigned)(1 + below(6)) * 1000, .height = (unsigned)(1 + below(6)) * 1000 },
		                             .bytes = 1000 + below(3000000) };
	snprintf(m->picture.info.format, sizeof m->picture.info.format, "%s", below(2) ? "jpeg" : "png");
	if ((f->has_taken = below(3)))
		f->taken = date_seconds(&(struct date){ .year = 2021 + (int)below(3), .month = 1 + (int)below(12), .day = 1 + (int)below(28),
		                                        .hour = (int)below(24) });
	if ((f->has_place = below(2))) f->latitude = (double)below(1600) / 10 - 80, f->longitude = (double)below(3600) / 10 - 180;
	if ((f->has_altitude = f->has_place && below(2))) f->altitude = (double)below(4000) - 100;
	if ((f->has_rating = below(2))) f->rating = (int)below(7) - 1;
	if ((f->has_palette = below(4))) {
		f->n_palette = 1 + (unsigned)below(2);
		f->palette[0].colour = (uint8_t)below(COLOURS);
		f->palette[1].colour = (uint8_t)below(COLOURS);
		f->grey = !below(3);
	}
	m->camera = below(2) ? words[below(COUNT(words))] : NULL;
	m->title = below(2) ? words[below(COUNT(words))] : NULL;
	m->tag = below(3) ? NULL : words[below(COUNT(words))];
	m->n_files = 1 + (int)below(MAX_FILES);
	for (int j = 0; j < m->n_files; j++)
		m->file[j] = (struct model_file){ folders[below(COUNT(folders))], words[below(COUNT(words))], below(4) != 0,
			                          1500000000 + (int64_t)below(100000000) };
	for (int c = 0; c < CLASSES; c++) m->probability[c] = below(3) ? 0 : (float)(1 + below(10)) / 16;
}

static void put(struct model *m, size_t i, int64_t model_id)
{
	struct store_label label[CLASSES];
	size_t n = 0;
	bool changed;

	m->facts.text[FACT_MODEL] = (char *)(uintptr_t)m->camera;
	m->facts.text[FACT_TITLE] = (char *)(uintptr_t)m->title;
	CHECK_OK(store_picture_put(store, &m->picture, &m->id, &err), &err);
	CHECK_OK(store_facts_put(store, m->id, &m->facts, &err), &err);
	for (int j = 0; j < m->n_files; j++) {
		const struct file_stamp stamp = { .size = 1, .mtime_ns = m->file[j].mtime * 1000000000 };
		char path[128];

		snprintf(path, sizeof path, "%s/%s-%zu-%d.png", m->file[j].folder, m->file[j].word, i, j);
		CHECK_OK(store_file_put(store, path, m->id, &stamp, &err), &err);
		if (!m->file[j].present) CHECK_OK(store_file_set_state(store, path, FILE_MISSING, &err), &err);
	}
	if (m->tag) CHECK_OK(store_tag_set(store, m->id, m->tag, true, &changed, &err), &err);
	for (unsigned c = 0; c < CLASSES; c++)
		if (m->probability[c] > 0) label[n++] = (struct store_label){ c, m->probability[c] };
	CHECK_OK(store_labels_put(store, m->id, model_id, label, n, &err), &err);
}

static void make_store(void)
{
	static const uint8_t hash[HASH_BYTES] = { 7 };
	int64_t model_id;

	CHECK_OK(store_open(&store, test_path("store"), STORE_CREATE, &err), &err);
	CHECK_OK(store_begin(store, &err), &err);
	CHECK_OK(store_model_ensure(store, "m", hash, 3, METRIC_L2, &model_id, &err), &err);
	CHECK_OK(store_classes_put(store, model_id, classes, CLASSES, &err), &err);
	for (size_t i = 0; i < PICTURES; i++) {
		draw(&models[i], i);
		put(&models[i], i, model_id);
	}
	CHECK_OK(store_commit(store, &err), &err);
}

/* ---- conditions: text, and what it means ---- */

static bool file_any(const struct model *m, bool (*fits)(const struct model_file *f, int64_t v), int64_t v)
{
	for (int j = 0; j < m->n_files; j++)
		if (fits(&m->file[j], v)) return true;
	return false;
}

static bool is_present(const struct model_file *f, int64_t v)
{
	(void)v;
	return f->present;
}

static bool is_newer(const struct model_file *f, int64_t v)
{
	return f->mtime >= v;
}

static bool is_named(const struct model_file *f, int64_t v)
{
	return f->word == words[v];
}

/* 0: below /p; 1: below /p/2024; 2: a folder called 2024; 3: called été */
static bool is_in(const struct model_file *f, int64_t v)
{
	static const bool in[4][COUNT(folders)] = { { 1, 1, 1, 0 }, { 0, 1, 1, 0 }, { 0, 1, 1, 0 }, { 0, 0, 1, 0 } };

	for (size_t i = 0; i < COUNT(folders); i++)
		if (f->folder == folders[i]) return in[v][i];
	return false;
}

static double haversine(double a1, double o1, double a2, double o2)
{
	const double r = acos(-1) / 180;
	double x1 = cos(a1 * r) * cos(o1 * r), y1 = cos(a1 * r) * sin(o1 * r), z1 = sin(a1 * r);
	double x2 = cos(a2 * r) * cos(o2 * r), y2 = cos(a2 * r) * sin(o2 * r), z2 = sin(a2 * r);
	double chord = sqrt((x1 - x2) * (x1 - x2) + (y1 - y2) * (y1 - y2) + (z1 - z2) * (z1 - z2));

	return 2 * 6371.0088 * asin(chord / 2);
}

static bool ordered(double x, int op, double v)
{
	switch (op) {
	case 0: return x < v;
	case 1: return x <= v;
	case 2: return x > v;
	case 3: return x >= v;
	case 4: return !(x < v) && !(x > v);
	default: return x < v || x > v;
	}
}
static const char *const operators[] = { "<", "<=", ">", ">=", "=", "!=" };

static bool has_colour(const struct facts *f, unsigned colour)
{
	for (unsigned i = 0; i < f->n_palette; i++)
		if (f->palette[i].colour == colour) return f->has_palette;
	return false;
}

#define EACH(condition)                                                                                              \
	for (size_t i = 0; i < PICTURES; i++) {                                                                      \
		const struct model *m = &models[i];                                                                  \
		const struct facts *f = &m->facts;                                                                   \
		fits[i] = (condition);                                                                               \
		(void)f;                                                                                             \
	}

static void number_leaf(struct buf *text, bool fits[PICTURES])
{
	const int op = (int)below(6), v = (int)below(7);
	int64_t id = models[below(PICTURES)].id;

	switch (below(5)) {
	case 0:
		buf_printf(text, "width %s %d000", operators[op], v);
		EACH(ordered(m->picture.info.width, op, v * 1000.));
		break;
	case 1:
		buf_printf(text, "rating%s%d", operators[op], v - 1);
		EACH(op == 5 ? !f->has_rating || f->rating != v - 1 : f->has_rating && ordered(f->rating, op, v - 1));
		break;
	case 2:
		buf_printf(text, "id %s %d", operators[op], (int)id);
		EACH(ordered((double)m->id, op, (double)id));
		break;
	case 3:
		buf_printf(text, "bytes:%d00kB..%d.5MB", v, v);
		EACH(m->picture.bytes >= (unsigned)v * 100000u && m->picture.bytes <= (unsigned)v * 1000000u + 500000u);
		break;
	default:
		buf_printf(text, "megapixels:%d", 3 * v);
		EACH(fabs(m->picture.info.width / 1e3 * m->picture.info.height / 1e3 - 3 * v) < 0.25);
	}
}

static void time_leaf(struct buf *text, bool fits[PICTURES])
{
	const int year = 2021 + (int)below(3), month = 1 + (int)below(12);
	const int64_t start = date_seconds(&(struct date){ .year = year, .month = month, .day = 1 });
	const int64_t end = date_seconds(&(struct date){ .year = year + month / 12, .month = month % 12 + 1, .day = 1 });

	switch (below(6)) {
	case 0:
		buf_printf(text, "taken:%d-%02d", year, month);
		EACH(f->has_taken && f->taken >= start && f->taken < end);
		break;
	case 1:
		buf_printf(text, "taken>%d-%02d", year, month);
		EACH(f->has_taken && f->taken >= end);
		break;
	case 2:
		buf_printf(text, "taken<=%d-%02d", year, month);
		EACH(f->has_taken && f->taken < end);
		break;
	case 3:
		buf_printf(text, "taken:..%d-%02d", year, month);
		EACH(f->has_taken && f->taken < end);
		break;
	case 4:
		buf_printf(text, "added<%d-%02d", year, month);
		EACH(m->picture.added_at < start);
		break;
	default:
		buf_printf(text, "modified>=%d-%02d", year - 3, month);
		EACH(file_any(m, is_newer, date_seconds(&(struct date){ .year = year - 3, .month = month, .day = 1 })));
	}
}

static void text_leaf(struct buf *text, bool fits[PICTURES])
{
	static const char *const spelled[COUNT(words)] = { "BEACH", "CaT", "STRASSE", "猫咪", "img_1", "ETE", "\"dsc 9\"" };
	static const char *const in[] = { "folder:/p", "folder:/p/2024/", "folder:2024", "folder:ete" };
	const size_t w = below(COUNT(words)), where = below(COUNT(in));

	switch (below(6)) {
	case 0:
		buf_printf(text, "name:%s", spelled[w]);
		EACH(file_any(m, is_named, (int64_t)w));
		break;
	case 1:
		buf_printf(text, w == 6 ? "path:\"*/dsc 9-*\"" : "path:*/%s-*", spelled[w]);
		EACH(file_any(m, is_named, (int64_t)w));
		break;
	case 2:
		buf_puts(text, in[where]);
		EACH(file_any(m, is_in, (int64_t)where));
		break;
	case 3:
		buf_printf(text, "tag:%s", spelled[w]);
		EACH(m->tag == words[w]);
		break;
	case 4:
		buf_printf(text, "camera = %s", spelled[w]);
		EACH(m->camera == words[w]);
		break;
	default:
		buf_printf(text, "title != %s", spelled[w]);
		EACH(m->title != words[w]);
	}
}

static void label_leaf(struct buf *text, bool fits[PICTURES])
{
	const size_t w = below(COUNT(label_words));
	const int op = (int)below(4), sixteenths = (int)below(11);
	bool any;

	buf_printf(text, "label:\"%s\"", label_words[w]);
	if (below(2)) {
		buf_printf(text, "%s%g", operators[op], sixteenths / 16.);
		for (size_t i = 0; i < PICTURES; i++) {
			any = false;
			for (int c = 0; c < CLASSES; c++)
				any = any || (label_means[w][c] && models[i].probability[c] > 0 &&
				              ordered((double)models[i].probability[c], op, sixteenths / 16.));
			fits[i] = any;
		}
		return;
	}
	for (size_t i = 0; i < PICTURES; i++) {
		any = false;
		for (int c = 0; c < CLASSES; c++) any = any || (label_means[w][c] && models[i].probability[c] > 0);
		fits[i] = any;
	}
}

static void place_leaf(struct buf *text, bool fits[PICTURES])
{
	const int latitude = (int)below(160) - 80, longitude = (int)below(360) - 180, km = (int)below(8000) + 1;
	const int south = (int)below(100) - 80, north = south + (int)below(60), west = (int)below(360) - 180, east = (int)below(360) - 180;

	if (below(2)) {
		buf_printf(text, "near(%d, %d, %dkm)", latitude, longitude, km);
		EACH(f->has_place && haversine(f->latitude, f->longitude, latitude, longitude) <= km);
	} else {
		buf_printf(text, "box(%d,%d,%d,%d)", south, west, north, east);
		EACH(f->has_place && f->latitude >= south && f->latitude <= north &&
		     (west <= east ? f->longitude >= west && f->longitude <= east : f->longitude >= west || f->longitude <= east));
	}
}

static void other_leaf(struct buf *text, bool fits[PICTURES])
{
	static const char *const colours[COLOURS] = { "black", "grey", "white", "red", "orange", "yellow", "green", "blue",
		                                      "violet", "pink", "brown" };
	const unsigned colour = (unsigned)below(COLOURS);

	switch (below(9)) {
	case 0:
		buf_printf(text, "color:%s", colours[colour]);
		EACH(has_colour(f, colour));
		break;
	case 1:
		buf_puts(text, "grey");
		EACH(f->has_palette && f->grey);
		break;
	case 2:
		buf_puts(text, "missing");
		EACH(!file_any(m, is_present, 0));
		break;
	case 3:
		buf_puts(text, "orientation:landscape");
		EACH(m->picture.info.width > m->picture.info.height);
		break;
	case 4:
		buf_puts(text, "orientation != square");
		EACH(m->picture.info.width != m->picture.info.height);
		break;
	case 5:
		buf_puts(text, "format IN (jpg, gif)");
		EACH(!strcmp(m->picture.info.format, "jpeg"));
		break;
	case 6:
		buf_puts(text, "has:gps");
		EACH(f->has_place);
		break;
	case 7:
		buf_puts(text, "has:tag");
		EACH(m->tag != NULL);
		break;
	default:
		buf_puts(text, "has:camera");
		EACH(m->camera != NULL);
	}
}

static void condition(int depth, struct buf *text, bool fits[PICTURES])
{
	static void (*const leaves[])(struct buf *, bool *) = { number_leaf, time_leaf, text_leaf, label_leaf, place_leaf, other_leaf };
	bool others[PICTURES];
	size_t kind = depth ? below(5) : 9;

	if (kind > 2) {
		leaves[below(COUNT(leaves))](text, fits);
	} else if (kind == 2) {
		buf_puts(text, below(2) ? "NOT (" : "!(");
		condition(depth - 1, text, fits);
		buf_puts(text, ")");
		for (size_t i = 0; i < PICTURES; i++) fits[i] = !fits[i];
	} else {
		static const char *const joins[2][3] = { { ") AND (", ")(", ") && (" }, { ") OR (", ") or (", ")||(" } };

		buf_puts(text, "((");
		condition(depth - 1, text, fits);
		buf_puts(text, joins[kind][below(3)]);
		condition(depth - 1, text, others);
		buf_puts(text, "))");
		for (size_t i = 0; i < PICTURES; i++) fits[i] = kind ? fits[i] || others[i] : fits[i] && others[i];
	}
}

TEST(sql_says_what_the_slow_evaluator_says)
{
	size_t some = 0;

	setenv("TZ", "UTC", 1);
	make_store();
	for (int round = 0; round < FILTERS; round++) {
		struct buf text = BUF_EMPTY;
		struct filter *filter;
		bool fits[PICTURES];
		int64_t *ids;
		size_t n, at = 0;

		condition((int)below(4), &text, fits);
		CHECK(filter_parse(&filter, text.data, 0, NULL, &err) == AKIN_OK, "%s: %s\n", text.data, err.text);
		CHECK(store_filter_ids(store, filter, &ids, &n, &err) == AKIN_OK, "%s: %s\n", text.data, err.text);
		for (size_t i = 0; i < PICTURES; i++) {
			const bool found = at < n && ids[at] == models[i].id;

			CHECK(found == fits[i], "%s: picture %zu is %s\n", text.data, i, found ? "found" : "not found");
			at += found;
		}
		CHECK(at == n);
		some += n > 0 && n < PICTURES;
		mem_free(ids);
		mem_free(filter);
		buf_deinit(&text);
	}
	CHECK(some > FILTERS / 2, "%zu of %d filters tell pictures apart\n", some, FILTERS);
	store_close(store);
}

TEST_MAIN(cmocka_unit_test(sql_says_what_the_slow_evaluator_says))
