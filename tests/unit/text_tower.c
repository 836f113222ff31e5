/* feature/text_tower.h, and the picture tower beside it: a small CLIP gives what ONNX Runtime gave for it when
 * tools/models/make_tiny_clip.py made it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <jansson.h>
#include <math.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "feature/embed.h"
#include "feature/text_tower.h"

#define MODELS TESTS_DIR "/data/models/"
enum { SIDE = 32, DIM = 24 };

static json_t *golden;
static struct model_card card;

static int set_up(void **state)
{
	akin_error err;

	(void)state;
	golden = json_load_file(MODELS "golden_clip.json", 0, NULL);
	return golden && model_card_read(&card, MODELS "tiny_clip.card.json", &err) == AKIN_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	json_decref(golden);
	model_card_deinit(&card);
	return 0;
}

static void check_vector(const float *got, const json_t *wanted, const char *what)
{
	const double tolerance = json_number_value(json_object_get(golden, "tolerance"));

	CHECK(json_array_size(wanted) == DIM && tolerance > 0);
	for (size_t i = 0; i < DIM; i++) {
		const double w = json_number_value(json_array_get(wanted, i));
		CHECK(fabs((double)got[i] - w) <= tolerance, "\"%s\": [%zu] is %g, not %g\n", what, i, (double)got[i],
		      w);
	}
}

static void check_texts(struct text_tower *tower)
{
	const json_t *texts = json_object_get(golden, "texts");
	float vector[DIM];
	akin_error err;

	CHECK(json_array_size(texts) >= 5);
	for (size_t i = 0; i < json_array_size(texts); i++) {
		const json_t *item = json_array_get(texts, i);
		const char *text = json_string_value(json_object_get(item, "text"));

		CHECK_OK(text_tower_encode(tower, text, strlen(text), vector, &err), &err);
		check_vector(vector, json_object_get(item, "vector"), text);
	}
}

TEST(a_text_gives_the_references_vector)
{
	const char *cache = test_path("cache");
	struct text_tower *tower;
	akin_error err;

	CHECK(model_card_has_text(&card) && card.text.length == 16 && card.text.logit_scale == 100);
	CHECK_OK(text_tower_open(&tower, &card, 1, cache, &err), &err);
	check_texts(tower);
	text_tower_close(tower);
	/* Again from the compiled model that the first has left. */
	CHECK_OK(text_tower_open(&tower, &card, 1, cache, &err), &err);
	check_texts(tower);
	text_tower_close(tower);
}

TEST(its_picture_tower_gives_the_references_vector)
{
	struct embedder e;
	struct infer_slot *slot;
	struct embedding got;
	akin_error err;
	uint8_t *pixels;

	CHECK_OK(embedder_open(&e, &card, INFER_LATENCY, 1, NULL, &err), &err);
	CHECK_OK(infer_slot_create(&slot, e.session, &err), &err);
	pixels = infer_slot_input(slot);
	for (int y = 0; y < SIDE; y++)
		for (int x = 0; x < SIDE; x++)
			for (int c = 0; c < 3; c++) pixels[(y * SIDE + x) * 3 + c] = (uint8_t)(7 * y + 3 * x + 50 * c);
	CHECK_OK(infer_slot_run(slot, &err), &err);
	CHECK_OK(embed_collect(&e, slot, &got, &err), &err);
	check_vector(got.vector, json_object_get(golden, "picture"), "picture");
	embedding_deinit(&got);
	infer_slot_destroy(slot);
	embedder_close(&e);
}

/* Opening fails, and says what is wrong. */
static void refused(const struct model_card *changed, const char *word)
{
	struct text_tower *tower = NULL;
	float vector[2 * DIM];
	akin_error err;
	akin_status st = text_tower_open(&tower, changed, 1, NULL, &err);

	if (st == AKIN_OK) st = text_tower_encode(tower, "a", 1, vector, &err);
	CHECK(st != AKIN_OK && strstr(err.text, word), "%s: %s\n", word, st == AKIN_OK ? "accepted" : err.text);
	text_tower_close(tower);
}

TEST(what_the_card_says_wrongly_is_named)
{
	struct model_card changed = card;

	changed.text.mask = NULL;
	refused(&changed, "2 inputs, its card names 1");
	changed = card;
	changed.text.ids = (char[]){ "tokens" };
	refused(&changed, "tokens");
	changed = card;
	changed.text.output = (char[]){ "embeds" };
	refused(&changed, "embeds");
	changed = card;
	changed.dim = 2 * DIM;
	refused(&changed, "24 numbers");
	changed = card;
	changed.text.length = 12; /* the network has places for 16 */
	refused(&changed, "tiny_clip.text.onnx");
	changed = card;
	changed.text.tokenizer = (char[]){ "golden_clip.json" };
	refused(&changed, "golden_clip.json");
}

struct shared {
	struct text_tower *tower;
	const char *text[2];
	float wanted[2][DIM];
	int wrong;
};

static void encode_one(void *ctx, size_t i)
{
	struct shared *s = ctx;
	float vector[DIM];

	if (text_tower_encode(s->tower, s->text[i % 2], strlen(s->text[i % 2]), vector, NULL) != AKIN_OK ||
	    memcmp(vector, s->wanted[i % 2], sizeof vector) != 0)
		__atomic_fetch_add(&s->wrong, 1, __ATOMIC_RELAXED);
}

TEST(a_tower_is_shared_by_threads)
{
	struct shared s = { .text = { "a photo of a cat", "一只猫" } };
	akin_error err;

	CHECK_OK(text_tower_open(&s.tower, &card, 1, NULL, &err), &err);
	for (size_t i = 0; i < 2; i++)
		CHECK_OK(text_tower_encode(s.tower, s.text[i], strlen(s.text[i]), s.wanted[i], &err), &err);
	pool_for(200, 4, encode_one, &s);
	CHECK(s.wrong == 0);
	text_tower_close(s.tower);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_gives_the_references_vector),
		cmocka_unit_test(its_picture_tower_gives_the_references_vector),
		cmocka_unit_test(what_the_card_says_wrongly_is_named),
		cmocka_unit_test(a_tower_is_shared_by_threads),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
