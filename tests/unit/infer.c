/* infer/, feature/embed.h: the same small network as ONNX, IR, TensorFlow frozen graph and SavedModel, and TFLite gives the
 * same numbers, which TensorFlow and ONNX Runtime gave when tools/models/make_tiny.py made it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <jansson.h>
#include <math.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "feature/embed.h"

#define MODELS TESTS_DIR "/data/models/"
enum { SIDE = 32, DIM = 16, CLASSES = 4 };

static json_t *golden;
static double tolerance;

static int read_golden(void **state)
{
	(void)state;
	golden = json_load_file(MODELS "golden.json", 0, NULL);
	tolerance = json_number_value(json_object_get(golden, "tolerance"));
	return golden && tolerance > 0 ? 0 : -1;
}

static int free_golden(void **state)
{
	(void)state;
	json_decref(golden);
	return 0;
}

static void fill(uint8_t *pixels)
{
	for (int y = 0; y < SIDE; y++)
		for (int x = 0; x < SIDE; x++)
			for (int c = 0; c < 3; c++) pixels[(y * SIDE + x) * 3 + c] = (uint8_t)(7 * y + 3 * x + 50 * c);
}

static void check_outputs(struct infer_slot *slot, const char *what)
{
	static const char *const names[] = { "embedding", "logits" };
	struct infer_output out[2];
	akin_error err;

	CHECK_OK(infer_slot_embedding(slot, &out[0], &err), &err);
	CHECK_OK(infer_slot_logits(slot, &out[1], &err), &err);
	CHECK(out[0].n == DIM && out[1].n == CLASSES);
	for (size_t o = 0; o < 2; o++)
		for (size_t i = 0; i < out[o].n; i++) {
			double wanted = json_number_value(json_array_get(json_object_get(golden, names[o]), i));
			CHECK(fabs((double)out[o].data[i] - wanted) <= tolerance * (1 + fabs(wanted)), "%s: %s[%zu] is %g, not %g\n", what,
			      names[o], i, (double)out[o].data[i], wanted);
		}
}

static void run_card(const char *name, const char *cache)
{
	struct model_card card;
	struct embedder e;
	struct infer_slot *slot;
	struct embedding got;
	akin_error err;
	double norm = 0;

	CHECK_OK(model_card_read(&card, name, &err), &err);
	CHECK_OK(embedder_open(&e, &card, INFER_LATENCY, 1, cache, &err), &err);
	CHECK_OK(infer_slot_create(&slot, e.session, &err), &err);
	fill(infer_slot_input(slot));
	CHECK_OK(infer_slot_run(slot, &err), &err);
	check_outputs(slot, name);
	CHECK_OK(embed_collect(&e, slot, &got, &err), &err);
	for (size_t i = 0; i < DIM; i++) norm += (double)got.vector[i] * got.vector[i];
	CHECK(fabs(norm - 1) < 1e-5 && got.n_labels >= 1 && got.label[0].class_index == 0);
	embedding_deinit(&got);
	infer_slot_destroy(slot);
	embedder_close(&e);
	model_card_deinit(&card);
}

TEST(every_format_gives_the_same_numbers)
{
	run_card(MODELS "tiny_onnx.card.json", NULL);
	run_card(MODELS "tiny_xml.card.json", NULL);
	run_card(MODELS "tiny_pb.card.json", NULL);
	run_card(MODELS "tiny_saved_model.card.json", NULL);
	run_card(MODELS "tiny_tflite.card.json", NULL);
}

TEST(a_cached_model_gives_the_same_numbers)
{
	const char *cache = test_path("cache");

	run_card(MODELS "tiny_onnx.card.json", cache);
	CHECK(fs_is_dir(cache));
	run_card(MODELS "tiny_onnx.card.json", cache);
}

TEST(an_unknown_output_is_named)
{
	struct model_card card;
	struct embedder e;
	akin_error err;

	CHECK_OK(model_card_read(&card, MODELS "tiny_onnx.card.json", &err), &err);
	mem_free(card.embedding);
	card.embedding = mem_strdup("nonesuch");
	CHECK(embedder_open(&e, &card, INFER_LATENCY, 1, NULL, &err) != AKIN_OK);
	CHECK(strstr(err.text, "nonesuch"), "%s\n", err.text);
	embedder_close(&e);
	model_card_deinit(&card);
}

TEST(a_damaged_model_is_an_error)
{
	struct model_card card;
	struct embedder e;
	akin_error err;

	CHECK_OK(model_card_read(&card, MODELS "tiny_onnx.card.json", &err), &err);
	mem_free(card.dir);
	card.dir = mem_strdup(test_dir());
	CHECK_OK(fs_write(test_path("tiny.onnx"), "not a model", 11, &err), &err);
	CHECK(embedder_open(&e, &card, INFER_LATENCY, 1, NULL, &err) != AKIN_OK);
	CHECK(err.text[0] && !strchr(err.text, '\n'), "%s\n", err.text);
	embedder_close(&e);
	model_card_deinit(&card);
}

struct waiting {
	volatile int done;
};

static void count(void *ctx)
{
	__atomic_fetch_add(&((struct waiting *)ctx)->done, 1, __ATOMIC_SEQ_CST);
}

TEST(requests_run_side_by_side)
{
	enum { SLOTS = 3, ROUNDS = 20 };
	struct model_card card;
	struct embedder e;
	struct infer_slot *slot[SLOTS];
	struct waiting w = { 0 };
	akin_error err;

	CHECK_OK(model_card_read(&card, MODELS "tiny_xml.card.json", &err), &err);
	CHECK_OK(embedder_open(&e, &card, INFER_THROUGHPUT, 2, NULL, &err), &err);
	for (int i = 0; i < SLOTS; i++) {
		CHECK_OK(infer_slot_create(&slot[i], e.session, &err), &err);
		fill(infer_slot_input(slot[i]));
	}
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < SLOTS; i++) CHECK_OK(infer_slot_start(slot[i], count, &w, &err), &err);
		for (int i = 0; i < SLOTS; i++) {
			CHECK_OK(infer_slot_wait(slot[i], &err), &err);
			check_outputs(slot[i], "async");
		}
	}
	for (int i = 0; i < SLOTS; i++) infer_slot_destroy(slot[i]);
	CHECK(w.done == SLOTS * ROUNDS, "%d\n", w.done);
	embedder_close(&e);
	model_card_deinit(&card);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format_gives_the_same_numbers), cmocka_unit_test(a_cached_model_gives_the_same_numbers),
		cmocka_unit_test(an_unknown_output_is_named), cmocka_unit_test(a_damaged_model_is_an_error),
		cmocka_unit_test(requests_run_side_by_side),
	};

	return cmocka_run_group_tests(tests, read_golden, free_golden);
}
