/* search/measure.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "search/measure.h"

#include <math.h>

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t count_relevant(const bool *relevant, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) count += relevant[i];
	return count;
}

double measure_average_precision(const bool *relevant, size_t n, size_t n_relevant)
{
	size_t found = 0;
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		if (relevant[i]) sum += (double)++found / (double)(i + 1);
	return n_relevant ? sum / (double)n_relevant : 0;
}

double measure_r_precision(const bool *relevant, size_t n, size_t n_relevant)
{
	return measure_precision(relevant, n, n_relevant);
}

double measure_precision(const bool *relevant, size_t n, size_t k)
{
	return k ? (double)count_relevant(relevant, smaller(n, k)) / (double)k : 0;
}

double measure_recall(const bool *relevant, size_t n, size_t n_relevant, size_t k)
{
	return n_relevant ? (double)count_relevant(relevant, smaller(n, k)) / (double)n_relevant : 0;
}

double measure_ndcg(const bool *relevant, size_t n, size_t n_relevant, size_t k)
{
	double gain = 0, ideal = 0;

	if (!k) k = n > n_relevant ? n : n_relevant;
	for (size_t i = 0; i < smaller(n, k); i++)
		if (relevant[i]) gain += 1 / log2((double)i + 2);
	for (size_t i = 0; i < smaller(n_relevant, k); i++) ideal += 1 / log2((double)i + 2);
	return ideal > 0 ? gain / ideal : 0;
}
