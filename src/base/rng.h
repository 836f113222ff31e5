/* base/rng.h - random numbers that a seed repeats: SplitMix64 (Steele, Lea, Flood 2014). Not for secrets.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_BASE_RNG_H
#define AKIN_BASE_RNG_H

#include <math.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

static inline uint64_t rng_u64(struct rng *rng)
{
	uint64_t z = (rng->state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* 0 <= result < n, n > 0 (multiply-shift: bias below n / 2^64). */
static inline uint64_t rng_below(struct rng *rng, uint64_t n)
{
	return (uint64_t)(((unsigned __int128)rng_u64(rng) * n) >> 64);
}

/* 0 <= result < 1. */
static inline double rng_unit(struct rng *rng)
{
	return (double)(rng_u64(rng) >> 11) * 0x1.0p-53;
}

/* Standard normal, by Box and Muller. */
static inline double rng_normal(struct rng *rng)
{
	double u = 1.0 - rng_unit(rng), v = rng_unit(rng);

	return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

#endif
