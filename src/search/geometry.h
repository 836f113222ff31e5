/* search/geometry.h - maps between two pictures from points that correspond, by weighted least squares.
 *
 * A map is nine numbers by rows: a homography takes (x, y, 1) of the first picture to the second up to a factor; a
 * similarity or an affine map is one whose last row is 0 0 1; a fundamental matrix gives the line on which (x, y) of
 * the second picture must lie: (x', y', 1) F (x, y, 1)^T = 0. Points are brought to zero mean and unit spread first
 * (Hartley, In defense of the eight-point algorithm, TPAMI 19(6), 1997). Every fit returns false for points that do
 * not determine the map.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_SEARCH_GEOMETRY_H
#define AKIN_SEARCH_GEOMETRY_H

#include <stdbool.h>
#include <stddef.h>

struct point_pair {
	double ax, ay, bx, by;
};

bool fit_similarity(const struct point_pair *p, const double *weights, size_t n, double map[9]);  /* n >= 2 */
bool fit_affine(const struct point_pair *p, const double *weights, size_t n, double map[9]);      /* n >= 3 */
bool fit_homography(const struct point_pair *p, const double *weights, size_t n, double map[9]);  /* n >= 4 */
bool fit_fundamental(const struct point_pair *p, const double *weights, size_t n, double map[9]); /* n >= 8 */
/* The one to three matrices through seven pairs; returns how many. */
size_t fit_fundamental_seven(const struct point_pair p[7], double maps[3][9]);

bool map_invert(const double map[9], double to[9]);
/* False where the point lies behind the picture or far beyond it. */
bool map_point(const double map[9], double x, double y, double to[2]);

#endif
