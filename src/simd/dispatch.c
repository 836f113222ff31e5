/* simd/dispatch.c - which table of kernels this processor can run.
 * SPDX-License-Identifier: Apache-2.0 */
#include "simd/kernels.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "base/log.h"
#include "base/status.h"
#include "simd/table.h"

/* What each file is compiled with in src/CMakeLists.txt, neither more nor less. The compiler's test covers the operating
 * system's part too: that it saves the wide registers. */
#if defined(__x86_64__)
static int has_avx2(void)
{
	unsigned eax, ebx, ecx = 0, edx;

	__builtin_cpu_init();
	/* clang 14 knows no "f16c" here. */
	return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_F16C) && __builtin_cpu_supports("avx2") &&
	       __builtin_cpu_supports("fma") && __builtin_cpu_supports("popcnt");
}

static int has_avx512(void)
{
	return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
	       __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vpopcntdq");
}
#endif

static int always(void)
{
	return 1;
}

/* Slowest first. */
static const struct candidate {
	const struct kernels *table;
	int (*runs_here)(void);
} candidates[] = {
	{ &kernels_scalar, always },
#if defined(__x86_64__)
	{ &kernels_avx2, has_avx2 },
	{ &kernels_avx512, has_avx512 },
#elif defined(__aarch64__)
	{ &kernels_neon, always },
#endif
};

static const struct kernels *best;
static pthread_once_t chosen = PTHREAD_ONCE_INIT;

static void choose(void)
{
	const char *limit = getenv("AKIN_SIMD");

	for (size_t i = 0; i < COUNT(candidates); i++) {
		if (candidates[i].runs_here()) best = candidates[i].table;
		if (limit && !strcmp(limit, candidates[i].table->name)) break;
	}
	log_say(LOG_DEBUG, "kernels: %s", best->name);
}

const struct kernels *kernels_best(void)
{
	pthread_once(&chosen, choose);
	return best;
}

const struct kernels *kernels_by_name(const char *name)
{
	for (size_t i = 0; i < COUNT(candidates); i++)
		if (!strcmp(name, candidates[i].table->name) && candidates[i].runs_here()) return candidates[i].table;
	return NULL;
}
