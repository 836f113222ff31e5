/* base/pool under many threads: nothing is lost, nothing comes twice.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/pool.h"

enum { PRODUCERS = 3, CONSUMERS = 3, ITEMS = 2000 };

struct traffic {
	struct queue q;
	atomic_int seen[PRODUCERS * ITEMS];
	atomic_size_t producers;
};

static void *produce(void *arg)
{
	struct traffic *traffic = arg;
	const size_t first = atomic_fetch_add(&traffic->producers, 1) * ITEMS;

	for (size_t i = first; i < first + ITEMS; i++)
		if (!queue_push(&traffic->q, &traffic->seen[i])) break;
	return NULL;
}

static void *consume(void *arg)
{
	struct traffic *traffic = arg;
	atomic_int *item;

	while ((item = queue_pop(&traffic->q))) atomic_fetch_add(item, 1);
	return NULL;
}

TEST(a_queue_hands_each_item_to_one_thread)
{
	static struct traffic traffic;
	pthread_t producers[PRODUCERS], consumers[CONSUMERS];
	akin_error err;

	CHECK_OK(queue_init(&traffic.q, 4, &err), &err);
	for (size_t i = 0; i < PRODUCERS; i++) assert_int_equal(pthread_create(&producers[i], NULL, produce, &traffic), 0);
	for (size_t i = 0; i < CONSUMERS; i++) assert_int_equal(pthread_create(&consumers[i], NULL, consume, &traffic), 0);
	for (size_t i = 0; i < PRODUCERS; i++) pthread_join(producers[i], NULL);
	queue_close(&traffic.q);
	for (size_t i = 0; i < CONSUMERS; i++) pthread_join(consumers[i], NULL);
	for (size_t i = 0; i < COUNT(traffic.seen); i++) CHECK(traffic.seen[i] == 1, "item %zu came %d times\n", i, traffic.seen[i]);
	queue_deinit(&traffic.q);
}

TEST(closing_wakes_threads_that_wait)
{
	static struct traffic traffic;
	pthread_t consumers[CONSUMERS];
	akin_error err;

	CHECK_OK(queue_init(&traffic.q, 4, &err), &err);
	for (size_t i = 0; i < CONSUMERS; i++) assert_int_equal(pthread_create(&consumers[i], NULL, consume, &traffic), 0);
	queue_close(&traffic.q);
	for (size_t i = 0; i < CONSUMERS; i++) pthread_join(consumers[i], NULL); /* or hangs until ctest's time limit */
	queue_deinit(&traffic.q);
}

/* Plain stores into one's own item: the thread sanitizer sees if the loop's end does not wait for them. */
static void square(void *ctx, size_t i)
{
	((size_t *)ctx)[i] = i * i;
}

TEST(what_a_loop_wrote_is_there_when_it_ends)
{
	static size_t out[5000];

	for (unsigned threads = 1; threads <= 8; threads *= 2) {
		memset(out, 0xff, sizeof out);
		pool_for(COUNT(out), threads, square, out);
		for (size_t i = 0; i < COUNT(out); i++) CHECK(out[i] == i * i);
	}
}

TEST_MAIN(cmocka_unit_test(a_queue_hands_each_item_to_one_thread), cmocka_unit_test(closing_wakes_threads_that_wait),
          cmocka_unit_test(what_a_loop_wrote_is_there_when_it_ends))
