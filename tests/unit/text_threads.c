/* feature/text_encoder: the same bits alone, in batches, in blocks and in threads; what cannot be is refused.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <pthread.h>

#include "base/fs.h"
#include "base/hash.h"
#include "base/str.h"
#include "feature/text_encoder.h"
#include "feature/text_model.h"

#define TINY TESTS_DIR "/data/text/tiny"

enum { DIM = 32, TEXTS = 150, THREADS = 4, MOST_BYTES = 3000 };

static struct text_encoder *encoder;
static char bytes[TEXTS][MOST_BYTES];
static struct text texts[TEXTS];
static float singles[TEXTS * DIM];

/* Short ones, empty ones, ones as long as a block of rows and ones of many blocks, up to random bytes. */
static void make_texts(void)
{
	static const char *const words[] = { "a ",   "the dog ", "snow", " ",    "in ", "狗",
					     "雪地", "Q",        "½",    "red ", "\xff" };
	struct rng rng = { 1 };

	for (size_t i = 0; i < TEXTS; i++) {
		const size_t wanted = i % 10 == 0 ? rng_below(&rng, MOST_BYTES - 20) : rng_below(&rng, 90);

		for (texts[i] = (struct text){ bytes[i], 0 }; texts[i].n < wanted;) {
			const char *word = words[rng_below(&rng, COUNT(words))];
			memcpy(bytes[i] + texts[i].n, word, strlen(word));
			texts[i].n += strlen(word);
		}
	}
}

static void *encode_all(void *arg)
{
	const size_t shift = *(const size_t *)arg;
	size_t wrong = 0;
	float got[DIM];

	for (size_t i = 0; i < TEXTS; i++) {
		const size_t t = (i + shift) % TEXTS;

		if (text_encode(encoder, texts[t].bytes, texts[t].n, got, NULL) != AKIN_OK)
			wrong++;
		else
			wrong += memcmp(got, singles + t * DIM, sizeof got) != 0;
	}
	return wrong ? arg : NULL;
}

TEST(threads_share_an_encoder)
{
	size_t shift[THREADS];
	pthread_t thread[THREADS];

	for (size_t i = 0; i < THREADS; i++) {
		shift[i] = i * 7;
		CHECK(pthread_create(&thread[i], NULL, encode_all, &shift[i]) == 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		void *wrong;
		CHECK(pthread_join(thread[i], &wrong) == 0 && !wrong, "thread %zu got other vectors\n", i);
	}
}

TEST(a_batch_gives_the_bits_of_single_texts)
{
	static float many[TEXTS * DIM];
	akin_error err;

	for (size_t first = 0; first < TEXTS; first += 1 + first / 2) {
		CHECK_OK(text_encode_many(encoder, texts + first, TEXTS - first, many, &err), &err);
		CHECK(!memcmp(many, singles + first * DIM, (TEXTS - first) * DIM * sizeof *many), "from %zu\n", first);
	}
	CHECK_OK(text_encode_many(encoder, NULL, 0, NULL, &err), &err);
}

TEST(a_text_that_is_too_long_is_refused_by_its_number)
{
	static char endless[TEXT_MAX_BYTES + 1];
	const struct text two[] = { { "a", 1 }, { endless, sizeof endless } };
	float out[2 * DIM];
	akin_error err;

	memset(endless, ' ', sizeof endless);
	CHECK_STATUS(text_encode_many(encoder, two, 2, out, &err), AKIN_ERR_LIMIT);
	CHECK(strstr(err.text, "text 2: "), "%s\n", err.text);
	for (size_t i = 0; i < COUNT(out); i++) CHECK(out[i] == 0);
	CHECK_OK(text_encode(encoder, endless, TEXT_MAX_BYTES, out, &err), &err);
}

/* ---- damaged files ---- */

static uint64_t aligned[(1 << 17) / 8];

static size_t read_tiny(void)
{
	struct buf file = BUF_EMPTY;
	size_t n;
	akin_error err;

	CHECK_OK(fs_read(TINY "/encoder.bin", sizeof aligned, &file, &err), &err);
	memcpy(aligned, file.data, n = file.len);
	buf_deinit(&file);
	return n;
}

TEST(a_changed_byte_is_noticed_anywhere)
{
	const size_t n = read_tiny();
	uint8_t *file = (void *)aligned;
	struct text_model model;
	akin_error err;

	CHECK_OK(text_model_open_bytes(&model, file, n, &err), &err);
	text_model_close(&model);
	for (size_t at = 0; at < n; at += at < 300 ? 1 : 211) {
		file[at] ^= 0x10;
		CHECK_STATUS(text_model_open_bytes(&model, file, n, &err), AKIN_ERR_FORMAT);
		file[at] ^= 0x10;
	}
	for (size_t cut = 0; cut < n; cut += 1009)
		CHECK_STATUS(text_model_open_bytes(&model, file, cut, &err), AKIN_ERR_FORMAT);
}

/* With checksums that fit: only the checks of the contents are left. */
static void check_lie(size_t n, const char *words)
{
	uint8_t *file = (void *)aligned;
	struct text_model model;
	uint64_t sum;
	akin_error err;

	sum = hash_checksum(file + 4096, n - 4096, 0);
	memcpy(file + 256, &sum, sizeof sum);
	sum = hash_checksum(file, 4088, 0);
	memcpy(file + 4088, &sum, sizeof sum);
	CHECK_STATUS(text_model_open_bytes(&model, file, n, &err), AKIN_ERR_FORMAT);
	CHECK(strstr(err.text, words), "\"%s\" instead of \"%s\"\n", err.text, words);
	read_tiny();
}

static void *place(size_t section)
{
	uint64_t at;

	memcpy(&at, (uint8_t *)aligned + 64 + 16 * section, sizeof at);
	return (uint8_t *)aligned + at;
}

TEST(a_file_that_lies_is_refused_with_the_reason)
{
	const size_t n = read_tiny();
	uint32_t *header = (void *)aligned;

	header[12] = 64; /* conv */
	check_lie(n, "should have");
	header[11] = 33;
	check_lie(n, "widths");
	header[8] = 1 << 20; /* start */
	check_lie(n, "numbers of pieces");
	header[7] = 1 << 20;
	check_lie(n, "unknown piece");
	header[16] = 1 << 30; /* the first section's place */
	check_lie(n, "outside the file");
	header[2] = 2;
	check_lie(n, "this akin reads 1");
	((uint32_t *)place(0))[3] = 1 << 30;
	check_lie(n, "outside the vocabulary");
	((uint32_t *)place(1))[3] = 1 << 30;
	check_lie(n, "beyond the vocabulary");
	((uint32_t *)place(2))[3] = 0x7fc00000; /* NaN */
	check_lie(n, "score");
	((char *)place(3))[0] = '\x7f';
	check_lie(n, "not in order");
	memset(place(6), 1, 3);
	check_lie(n, "ambiguous");
	memset(place(6), 0, 64);
	check_lie(n, "holes");
	((uint8_t *)place(6))[0] = 11;
	check_lie(n, "too long");
	((uint32_t *)place(7))[0] = 0x7f800000; /* infinity */
	check_lie(n, "range");
	((uint32_t *)place(8))[2] = 1;
	check_lie(n, "rows are not in order");
	((uint32_t *)place(8))[0] = 1;
	check_lie(n, "fill their section");
}

TEST(a_card_of_another_kind_is_refused)
{
	struct text_encoder *e;
	akin_error err;

	CHECK_STATUS(text_encoder_open(&e, TESTS_DIR "/data/models/tiny_onnx.card.json", &err), AKIN_ERR_FORMAT);
	CHECK(!e && strstr(err.text, "kind"), "%s\n", err.text);
	CHECK(text_encoder_open(&e, TESTS_DIR "/data/nowhere", &err) != AKIN_OK && !e);
	text_encoder_close(NULL);
}

static int open_encoder(void **state)
{
	akin_error err;

	(void)state;
	make_texts();
	CHECK_OK(text_encoder_open(&encoder, TINY, &err), &err);
	CHECK(text_encoder_dim(encoder) == DIM);
	for (size_t i = 0; i < TEXTS; i++)
		CHECK_OK(text_encode(encoder, texts[i].bytes, texts[i].n, singles + i * DIM, &err), &err);
	return 0;
}

static int close_encoder(void **state)
{
	(void)state;
	text_encoder_close(encoder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_share_an_encoder),
		cmocka_unit_test(a_batch_gives_the_bits_of_single_texts),
		cmocka_unit_test(a_text_that_is_too_long_is_refused_by_its_number),
		cmocka_unit_test(a_changed_byte_is_noticed_anywhere),
		cmocka_unit_test(a_file_that_lies_is_refused_with_the_reason),
		cmocka_unit_test(a_card_of_another_kind_is_refused),
	};
	return cmocka_run_group_tests(tests, open_encoder, close_encoder);
}
