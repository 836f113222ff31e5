/* search/measure: worked by hand, and against trec_eval and scikit-learn.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>

#include "search/measure.h"

static void check_near(double got, double wanted, const char *what)
{
	CHECK(fabs(got - wanted) < 1e-12, "%s is %.15g, not %.15g\n", what, got, wanted);
}

static size_t read_ranking(const char *digits, bool *relevant)
{
	size_t n = 0;

	for (; digits[n]; n++) relevant[n] = digits[n] == '1';
	return n;
}

TEST(a_ranking_worked_by_hand)
{
	/* Relevant at ranks 1, 3 and 6; a fourth relevant document is not in the ranking: R = 4. */
	static const bool rel[] = { 1, 0, 1, 0, 0, 1 };

	/* precision at 1, 3, 6 = 1/1, 2/3, 3/6; their sum over R: (1 + 2/3 + 1/2) / 4 = 13/24 */
	check_near(measure_average_precision(rel, 6, 4), 13.0 / 24, "AP");
	/* among the first R = 4: ranks 1 and 3, so 2/4 */
	check_near(measure_r_precision(rel, 6, 4), 0.5, "Rprec");
	check_near(measure_precision(rel, 6, 1), 1, "P@1");
	check_near(measure_precision(rel, 6, 3), 2.0 / 3, "P@3");
	/* ten were asked for and six came: still divided by ten */
	check_near(measure_precision(rel, 6, 10), 0.3, "P@10");
	check_near(measure_recall(rel, 6, 4, 3), 0.5, "R@3");
	check_near(measure_recall(rel, 6, 4, 10), 0.75, "R@10");
	/* DCG@3 = 1/log2(2) + 1/log2(4) = 1.5; the ideal first three: 1 + 1/log2(3) + 1/2 */
	check_near(measure_ndcg(rel, 6, 4, 3), 1.5 / (1.5 + 1 / log2(3)), "nDCG@3");
	/* no cut: 1.5 + 1/log2(7) over 1 + 1/log2(3) + 1/2 + 1/log2(5) */
	check_near(measure_ndcg(rel, 6, 4, 0), (1.5 + 1 / log2(7)) / (1.5 + 1 / log2(3) + 1 / log2(5)), "nDCG");
}

TEST(the_best_ranking_scores_one_and_the_empty_one_nothing)
{
	static const bool best[] = { 1, 1, 1, 0, 0 };

	check_near(measure_average_precision(best, 5, 3), 1, "AP");
	check_near(measure_r_precision(best, 5, 3), 1, "Rprec");
	check_near(measure_ndcg(best, 5, 3, 0), 1, "nDCG");
	check_near(measure_ndcg(best, 5, 3, 2), 1, "nDCG@2");
	check_near(measure_recall(best, 5, 3, 3), 1, "R@3");

	check_near(measure_average_precision(NULL, 0, 3), 0, "AP of nothing");
	check_near(measure_r_precision(NULL, 0, 3), 0, "Rprec of nothing");
	check_near(measure_ndcg(NULL, 0, 3, 0), 0, "nDCG of nothing");
	check_near(measure_recall(NULL, 0, 3, 5), 0, "R@5 of nothing");
}

/* Nothing relevant at all: trec_eval leaves such queries out; here they are 0 and never 0/0. */
TEST(nothing_relevant_is_zero_and_not_nan)
{
	static const bool none[] = { 0, 0 };

	check_near(measure_average_precision(none, 2, 0), 0, "AP");
	check_near(measure_r_precision(none, 2, 0), 0, "Rprec");
	check_near(measure_precision(none, 2, 0), 0, "P@0");
	check_near(measure_recall(none, 2, 0, 1), 0, "R@1");
	check_near(measure_ndcg(none, 2, 0, 0), 0, "nDCG");
}

/* Random rankings drawn with numpy's default_rng(7). The numbers are trec_eval's (pytrec_eval-terrier 0.5.11: map, Rprec,
 * P_5, recall_10, ndcg, ndcg_cut_5); where all relevant documents are in the ranking, scikit-learn 1.9.1 gave the same map
 * (average_precision_score) and ndcg (ndcg_score) to 1e-12. */
TEST(trec_eval_gives_the_same_numbers)
{
	static const char *const rankings[] = {
		"000100100001",
		"11000000110110100011",
		"1000010000000010000010000000000000010000",
		"0010000110010000011000001011000000000000101001001000011010000000",
		"0000000000000000000000001",
	};
	static const struct {
		size_t ranking, n_relevant; /* with those the ranking lacks */
		double map, r_precision, p5, recall10, ndcg, ndcg5;
	} golden[] = {
		{ 0, 3, 0.261904761904762, 0, 0.2, 0.666666666666667, 0.485350605340527, 0.202107346500548 },
		{ 0, 6, 0.130952380952381, 0.166666666666667, 0.2, 0.333333333333333, 0.312965954825814, 0.146068349842706 },
		{ 1, 9, 0.549917528864897, 0.333333333333333, 0.4, 0.444444444444444, 0.813953506649015, 0.553146470008144 },
		{ 1, 12, 0.412438146648673, 0.416666666666667, 0.4, 0.333333333333333, 0.679979820083094, 0.553146470008144 },
		{ 2, 5, 0.372539682539683, 0.2, 0.2, 0.4, 0.685920899625973, 0.339160205273616 },
		{ 2, 8, 0.232837301587302, 0.25, 0.2, 0.25, 0.511553783546767, 0.339160205273616 },
		{ 3, 16, 0.286242030358655, 0.25, 0.2, 0.1875, 0.609537234189612, 0.169580102636808 },
		{ 3, 19, 0.241045920302026, 0.315789473684211, 0.2, 0.157894736842105, 0.546316308306177, 0.169580102636808 },
		{ 4, 1, 0.04, 0, 0, 0, 0.212746053553363, 0 },
		{ 4, 4, 0.01, 0, 0, 0, 0.0830518150217843, 0 },
	};

	for (size_t i = 0; i < COUNT(golden); i++) {
		bool rel[64];
		const size_t n = read_ranking(rankings[golden[i].ranking], rel), r = golden[i].n_relevant;

		check_near(measure_average_precision(rel, n, r), golden[i].map, "map");
		check_near(measure_r_precision(rel, n, r), golden[i].r_precision, "Rprec");
		check_near(measure_precision(rel, n, 5), golden[i].p5, "P@5");
		check_near(measure_recall(rel, n, r, 10), golden[i].recall10, "R@10");
		check_near(measure_ndcg(rel, n, r, 0), golden[i].ndcg, "nDCG");
		check_near(measure_ndcg(rel, n, r, 5), golden[i].ndcg5, "nDCG@5");
	}
}

TEST_MAIN(cmocka_unit_test(a_ranking_worked_by_hand), cmocka_unit_test(the_best_ranking_scores_one_and_the_empty_one_nothing),
          cmocka_unit_test(nothing_relevant_is_zero_and_not_nan), cmocka_unit_test(trec_eval_gives_the_same_numbers))
