/* base/pool.h - threads: a loop over items spread on cores, and a bounded queue between threads.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_BASE_POOL_H
#define AKIN_BASE_POOL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

unsigned pool_cores(void); /* cores this process may run on, at least 1 */

/* Call body(ctx, i) for every i in [0, n) on up to `threads` threads (0: one a core); returns when all are done. The
 * order is free. When threads cannot be started, those that run do the rest: it never fails. */
void pool_for(size_t n, unsigned threads, void (*body)(void *ctx, size_t i), void *ctx);

/* A queue of pointers with a fixed capacity. push waits while it is full, pop while it is empty. After queue_close,
 * push returns false and pop returns what is left, then NULL. */
struct queue {
	pthread_mutex_t lock;
	pthread_cond_t not_full, not_empty;
	void **items;
	size_t capacity, head, count;
	bool closed;
};
akin_status queue_init(struct queue *q, size_t capacity, akin_error *err);
void queue_deinit(struct queue *q);
bool queue_push(struct queue *q, void *item);
void *queue_pop(struct queue *q);
/* Waits at most `seconds`; NULL also when none came. */
void *queue_pop_timed(struct queue *q, double seconds);
/* NULL at once when there is none. */
void *queue_try_pop(struct queue *q);
void queue_close(struct queue *q);

#endif
