/* search/measure.h - quality of one ranking whose relevant documents are known, as trec_eval defines it.
 *
 *   relevant[i] says whether the document at rank i+1 is relevant; n_relevant counts all relevant documents, also those
 *   that the ranking does not hold. Gains are 0 or 1.
 *     AP      = (1/R) sum over relevant ranks i of precision(i)           map
 *     Rprec   = precision at rank R                                        Rprec
 *     P@k     = relevant among the first k / k (k, not the number found)   P_k
 *     R@k     = relevant among the first k / R                             recall_k
 *     nDCG@k  = sum_{i<=k} g_i / log2(i + 1), over the same of the ideal order  ndcg_cut_k; ndcg without cut
 * Knows nothing of pictures.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_SEARCH_MEASURE_H
#define AKIN_SEARCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>

double measure_average_precision(const bool *relevant, size_t n, size_t n_relevant);
double measure_r_precision(const bool *relevant, size_t n, size_t n_relevant);
double measure_precision(const bool *relevant, size_t n, size_t k);
double measure_recall(const bool *relevant, size_t n, size_t n_relevant, size_t k);
double measure_ndcg(const bool *relevant, size_t n, size_t n_relevant, size_t k /* 0: no cut */);

#endif
