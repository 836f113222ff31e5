/* base/pool.c
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "base/pool.h"

#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "base/alloc.h"

unsigned pool_cores(void)
{
	cpu_set_t set;
	int n;

	if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
	n = CPU_COUNT(&set);
	return n > 0 ? (unsigned)n : 1;
}

struct loop {
	atomic_size_t next;
	size_t n;
	void (*body)(void *ctx, size_t i);
	void *ctx;
};

static void *loop_run(void *arg)
{
	struct loop *loop = arg;

	for (;;) {
		size_t i = atomic_fetch_add(&loop->next, 1);
		if (i >= loop->n) return NULL;
		loop->body(loop->ctx, i);
	}
}

void pool_for(size_t n, unsigned threads, void (*body)(void *ctx, size_t i), void *ctx)
{
	enum { MOST = 256 };
	struct loop loop = { .n = n, .body = body, .ctx = ctx };
	pthread_t thread[MOST];
	unsigned started = 0;

	if (!threads) threads = pool_cores();
	if (threads > n) threads = (unsigned)n;
	if (threads > MOST) threads = MOST;
	while (started + 1 < threads && pthread_create(&thread[started], NULL, loop_run, &loop) == 0) started++;
	loop_run(&loop);
	while (started) pthread_join(thread[--started], NULL);
}

akin_status queue_init(struct queue *q, size_t capacity, akin_error *err)
{
	pthread_condattr_t attr;

	*q = (struct queue){ .capacity = capacity };
	if (!(q->items = mem_calloc(capacity, sizeof *q->items))) return error_nomem(err);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->not_full, &attr);
	pthread_cond_init(&q->not_empty, &attr);
	pthread_condattr_destroy(&attr);
	return AKIN_OK;
}

void queue_deinit(struct queue *q)
{
	if (!q->items) return;
	pthread_mutex_destroy(&q->lock);
	pthread_cond_destroy(&q->not_full);
	pthread_cond_destroy(&q->not_empty);
	mem_free(q->items);
	*q = (struct queue){ 0 };
}

bool queue_push(struct queue *q, void *item)
{
	bool pushed;

	pthread_mutex_lock(&q->lock);
	while (q->count == q->capacity && !q->closed) pthread_cond_wait(&q->not_full, &q->lock);
	pushed = !q->closed;
	if (pushed) {
		q->items[(q->head + q->count++) % q->capacity] = item;
		pthread_cond_signal(&q->not_empty);
	}
	pthread_mutex_unlock(&q->lock);
	return pushed;
}

static void *take_locked(struct queue *q)
{
	void *item;

	if (!q->count) return NULL;
	item = q->items[q->head];
	q->head = (q->head + 1) % q->capacity;
	q->count--;
	pthread_cond_signal(&q->not_full);
	return item;
}

void *queue_pop(struct queue *q)
{
	void *item;

	pthread_mutex_lock(&q->lock);
	while (!q->count && !q->closed) pthread_cond_wait(&q->not_empty, &q->lock);
	item = take_locked(q);
	pthread_mutex_unlock(&q->lock);
	return item;
}

void *queue_pop_timed(struct queue *q, double seconds)
{
	struct timespec until;
	void *item;
	long nanos;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)seconds;
	nanos = until.tv_nsec + (long)((seconds - (double)(time_t)seconds) * 1e9);
	until.tv_sec += nanos / 1000000000;
	until.tv_nsec = nanos % 1000000000;
	pthread_mutex_lock(&q->lock);
	while (!q->count && !q->closed && pthread_cond_timedwait(&q->not_empty, &q->lock, &until) == 0);
	item = take_locked(q);
	pthread_mutex_unlock(&q->lock);
	return item;
}

void *queue_try_pop(struct queue *q)
{
	void *item;

	pthread_mutex_lock(&q->lock);
	item = take_locked(q);
	pthread_mutex_unlock(&q->lock);
	return item;
}

void queue_close(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_cond_broadcast(&q->not_full);
	pthread_cond_broadcast(&q->not_empty);
	pthread_mutex_unlock(&q->lock);
}
