/* search/geometry.c - small linear algebra for maps between pictures.
 * SPDX-License-Identifier: Apache-2.0 */
#include "search/geometry.h"

#include <math.h>
#include <string.h>

static const double tiny = 1e-10;

/* ---- linear systems ---- */

/* Gaussian elimination with pivots; a has n rows of n + 1. */
static bool solve(double *a, size_t n, double *x)
{
	for (size_t c = 0; c < n; c++) {
		size_t best = c;

		for (size_t r = c + 1; r < n; r++)
			if (fabs(a[r * (n + 1) + c]) > fabs(a[best * (n + 1) + c])) best = r;
		if (!(fabs(a[best * (n + 1) + c]) > tiny)) return false;
		for (size_t k = 0; k <= n; k++) {
			double t = a[c * (n + 1) + k];
			a[c * (n + 1) + k] = a[best * (n + 1) + k];
			a[best * (n + 1) + k] = t;
		}
		for (size_t r = c + 1; r < n; r++) {
			double f = a[r * (n + 1) + c] / a[c * (n + 1) + c];
			for (size_t k = c; k <= n; k++) a[r * (n + 1) + k] -= f * a[c * (n + 1) + k];
		}
	}
	for (size_t c = n; c-- > 0;) {
		x[c] = a[c * (n + 1) + n];
		for (size_t k = c + 1; k < n; k++) x[c] -= a[c * (n + 1) + k] * x[k];
		x[c] /= a[c * (n + 1) + c];
	}
	return true;
}

/* Eigenvectors of a symmetric n x n matrix as columns of v, by Jacobi's rotations; a's diagonal becomes the
 * eigenvalues. */
static void eigen(double *a, size_t n, double *v)
{
	for (size_t i = 0; i < n * n; i++) v[i] = i % (n + 1) == 0;
	for (int sweep = 0; sweep < 30; sweep++) {
		double off = 0, all = 0;

		for (size_t i = 0; i < n * n; i++) {
			all += a[i] * a[i];
			off += i % (n + 1) ? a[i] * a[i] : 0;
		}
		if (!(off > 1e-26 * all)) return;
		for (size_t p = 0; p < n; p++)
			for (size_t q = p + 1; q < n; q++) {
				double theta, t, c, s;

				if (!(fabs(a[p * n + q]) > 0)) continue;
				theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
				t = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1));
				c = 1 / sqrt(t * t + 1);
				s = t * c;
				for (size_t k = 0; k < n; k++) {
					double x = a[k * n + p], y = a[k * n + q];
					a[k * n + p] = c * x - s * y;
					a[k * n + q] = s * x + c * y;
				}
				for (size_t k = 0; k < n; k++) {
					double x = a[p * n + k], y = a[q * n + k];
					a[p * n + k] = c * x - s * y;
					a[q * n + k] = s * x + c * y;
					x = v[k * n + p], y = v[k * n + q];
					v[k * n + p] = c * x - s * y;
					v[k * n + q] = s * x + c * y;
				}
			}
	}
}

/* ---- 3 x 3 ---- */

static void multiply(const double a[9], const double b[9], double to[9])
{
	double r[9];

	for (int i = 0; i < 9; i++)
		r[i] = a[i / 3 * 3] * b[i % 3] + a[i / 3 * 3 + 1] * b[i % 3 + 3] + a[i / 3 * 3 + 2] * b[i % 3 + 6];
	memcpy(to, r, sizeof r);
}

static double determinant(const double h[9])
{
	return h[0] * (h[4] * h[8] - h[5] * h[7]) - h[1] * (h[3] * h[8] - h[5] * h[6]) +
	        h[2] * (h[3] * h[7] - h[4] * h[6]);
}

bool map_invert(const double h[9], double to[9])
{
	double det = determinant(h), norm = 0;
	const double adjugate[9] = {
		h[4] * h[8] - h[5] * h[7], h[2] * h[7] - h[1] * h[8], h[1] * h[5] - h[2] * h[4],
		h[5] * h[6] - h[3] * h[8], h[0] * h[8] - h[2] * h[6], h[2] * h[3] - h[0] * h[5],
		h[3] * h[7] - h[4] * h[6], h[1] * h[6] - h[0] * h[7], h[0] * h[4] - h[1] * h[3],
	};

	for (int i = 0; i < 9; i++) norm += fabs(adjugate[i]);
	if (!(fabs(det) > 0) || !isfinite(norm / det)) return false;
	for (int i = 0; i < 9; i++) to[i] = adjugate[i] / det;
	return true;
}

bool map_point(const double map[9], double x, double y, double to[2])
{
	double w = map[6] * x + map[7] * y + map[8];

	to[0] = to[1] = 0;
	if (!(w > 1e-9)) return false;
	to[0] = (map[0] * x + map[1] * y + map[2]) / w;
	to[1] = (map[3] * x + map[4] * y + map[5]) / w;
	return isfinite(to[0]) && isfinite(to[1]);
}

/* ---- normal coordinates ---- */

struct frame {
	double ax, ay, a_size, bx, by, b_size; /* means and mean distances from them */
};

static bool frame_of(const struct point_pair *p, const double *w, size_t n, struct frame *f)
{
	double sum = 0;

	*f = (struct frame){ 0 };
	for (size_t i = 0; i < n; i++) {
		double weight = w ? w[i] : 1;

		sum += weight;
		f->ax += weight * p[i].ax;
		f->ay += weight * p[i].ay;
		f->bx += weight * p[i].bx;
		f->by += weight * p[i].by;
	}
	if (!(sum > 0)) return false;
	f->ax /= sum;
	f->ay /= sum;
	f->bx /= sum;
	f->by /= sum;
	for (size_t i = 0; i < n; i++) {
		double weight = w ? w[i] : 1;

		f->a_size += weight * hypot(p[i].ax - f->ax, p[i].ay - f->ay) / sum;
		f->b_size += weight * hypot(p[i].bx - f->bx, p[i].by - f->by) / sum;
	}
	return f->a_size > 1e-6 && f->b_size > 1e-6 && isfinite(f->a_size) && isfinite(f->b_size);
}

static struct point_pair within(const struct frame *f, const struct point_pair *p)
{
	return (struct point_pair){ (p->ax - f->ax) / f->a_size, (p->ay - f->ay) / f->a_size,
	                            (p->bx - f->bx) / f->b_size,
		                    (p->by - f->by) / f->b_size };
}

/* A map between normal coordinates as one between pixels. */
static bool outside(const struct frame *f, double map[9])
{
	const double from[9] = { 1 / f->a_size, 0, -f->ax / f->a_size, 0, 1 / f->a_size, -f->ay / f->a_size, 0, 0, 1 };
	const double to[9] = { f->b_size, 0, f->bx, 0, f->b_size, f->by, 0, 0, 1 };
	double norm = 0;

	multiply(map, from, map);
	multiply(to, map, map);
	for (int i = 0; i < 9; i++) norm += fabs(map[i]);
	return isfinite(norm);
}

/* ---- fits ---- */

/* The closed form of Umeyama (TPAMI 13(4), 1991) in the plane. */
bool fit_similarity(const struct point_pair *p, const double *w, size_t n, double map[9])
{
	double dot = 0, cross = 0, norm = 0;
	struct frame f;

	if (n < 2 || !frame_of(p, w, n, &f)) return false;
	for (size_t i = 0; i < n; i++) {
		struct point_pair q = within(&f, &p[i]);
		double weight = w ? w[i] : 1;

		dot += weight * (q.ax * q.bx + q.ay * q.by);
		cross += weight * (q.ax * q.by - q.ay * q.bx);
		norm += weight * (q.ax * q.ax + q.ay * q.ay);
	}
	dot /= norm;
	cross /= norm;
	if (!(dot * dot + cross * cross > tiny)) return false;
	memcpy(map, (const double[9]){ dot, -cross, 0, cross, dot, 0, 0, 0, 1 }, 9 * sizeof *map);
	return outside(&f, map);
}

bool fit_affine(const struct point_pair *p, const double *w, size_t n, double map[9])
{
	double m[3] = { 0 }, x[2] = { 0 }, y[2] = { 0 }, det;
	struct frame f;

	if (n < 3 || !frame_of(p, w, n, &f)) return false;
	for (size_t i = 0; i < n; i++) {
		struct point_pair q = within(&f, &p[i]);
		double weight = (w ? w[i] : 1) / (double)n;

		m[0] += weight * q.ax * q.ax;
		m[1] += weight * q.ax * q.ay;
		m[2] += weight * q.ay * q.ay;
		x[0] += weight * q.bx * q.ax;
		x[1] += weight * q.bx * q.ay;
		y[0] += weight * q.by * q.ax;
		y[1] += weight * q.by * q.ay;
	}
	det = m[0] * m[2] - m[1] * m[1];
	if (!(det > 1e-8 * (m[0] + m[2]) * (m[0] + m[2]))) return false; /* all on a line */
	memcpy(map, (const double[9]){ (x[0] * m[2] - x[1] * m[1]) / det, (x[1] * m[0] - x[0] * m[1]) / det, 0,
	                               (y[0] * m[2] - y[1] * m[1]) / det, (y[1] * m[0] - y[0] * m[1]) / det, 0, 0, 0,
	                               1 },
	       9 * sizeof *map);
	return fabs(map[0] * map[4] - map[1] * map[3]) > tiny && outside(&f, map);
}

static void add_equation(double a[72], const double row[9], double weight)
{
	for (size_t r = 0; r < 8; r++)
		for (size_t c = 0; c < 9; c++) a[r * 9 + c] += weight * row[r] * row[c];
}

/* The direct linear transform with the last number 1: in normal coordinates it is the denominator at the mean, which
 * is not 0 for points in front of the camera. */
bool fit_homography(const struct point_pair *p, const double *w, size_t n, double map[9])
{
	double a[72] = { 0 };
	struct frame f;

	if (n < 4 || !frame_of(p, w, n, &f)) return false;
	for (size_t i = 0; i < n; i++) {
		struct point_pair q = within(&f, &p[i]);
		double weight = (w ? w[i] : 1) / (double)n;

		add_equation(a, (const double[9]){ q.ax, q.ay, 1, 0, 0, 0, -q.bx * q.ax, -q.bx * q.ay, q.bx }, weight);
		add_equation(a, (const double[9]){ 0, 0, 0, q.ax, q.ay, 1, -q.by * q.ax, -q.by * q.ay, q.by }, weight);
	}
	if (!solve(a, 8, map)) return false;
	map[8] = 1;
	return fabs(determinant(map)) > tiny && outside(&f, map);
}

/* The symmetric 9 x 9 matrix of (b, 1) (x) (a, 1) and its eigenvectors; *least and *next: the columns of the two
 * smallest. */
static bool epipolar(const struct point_pair *p, const double *w, size_t n, struct frame *f, double v[81],
                     size_t *least,
                     size_t *next)
{
	double m[81] = { 0 };

	if (!frame_of(p, w, n, f)) return false;
	for (size_t i = 0; i < n; i++) {
		struct point_pair q = within(f, &p[i]);
		const double row[9] = { q.bx * q.ax, q.bx * q.ay, q.bx, q.by * q.ax, q.by * q.ay, q.by, q.ax, q.ay, 1 };
		double weight = (w ? w[i] : 1) / (double)n;

		for (size_t k = 0; k < 81; k++) m[k] += weight * row[k / 9] * row[k % 9];
	}
	eigen(m, 9, v);
	*least = m[0] <= m[10] ? 0 : 1;
	*next = 1 - *least;
	for (size_t i = 2; i < 9; i++) {
		if (m[i * 10] < m[*least * 10]) *next = *least, *least = i;
		else if (m[i * 10] < m[*next * 10]) *next = i;
	}
	/* Seven equations or more must be independent, or there is a whole family of answers. */
	for (size_t i = 0; i < 9; i++)
		if (i != *least && i != *next && !(m[i * 10] > 1e-9)) return false;
	return true;
}

static bool outside_lines(const struct frame *f, double map[9])
{
	const double a[9] = { 1 / f->a_size, 0, -f->ax / f->a_size, 0, 1 / f->a_size, -f->ay / f->a_size, 0, 0, 1 };
	const double b[9] = { 1 / f->b_size, 0, 0, 0, 1 / f->b_size, 0, -f->bx / f->b_size, -f->by / f->b_size, 1 };
	double norm = 0;

	multiply(map, a, map);
	multiply(b, map, map);
	for (int i = 0; i < 9; i++) norm += map[i] * map[i];
	for (int i = 0; i < 9; i++) map[i] /= sqrt(norm);
	return norm > 0 && isfinite(norm);
}

/* The nearest matrix of rank 2: take off what lies along its smallest singular vector. */
static void drop_rank(double map[9])
{
	double m[9] = { 0 }, v[9], product[9];
	size_t least = 0;

	for (int r = 0; r < 3; r++)
		for (int c = 0; c < 3; c++)
			for (int k = 0; k < 3; k++) m[3 * r + c] += map[3 * k + r] * map[3 * k + c];
	eigen(m, 3, v);
	for (size_t i = 1; i < 3; i++)
		if (m[4 * i] < m[4 * least]) least = i;
	for (size_t r = 0; r < 3; r++)
		for (size_t c = 0; c < 3; c++) product[3 * r + c] = (r == c) - v[3 * r + least] * v[3 * c + least];
	multiply(map, product, map);
}

bool fit_fundamental(const struct point_pair *p, const double *w, size_t n, double map[9])
{
	struct frame f;
	double v[81];
	size_t least, next;

	if (n < 8 || !epipolar(p, w, n, &f, v, &least, &next)) return false;
	for (size_t i = 0; i < 9; i++) map[i] = v[9 * i + least];
	drop_rank(map);
	return outside_lines(&f, map);
}

/* Real roots of c[0] + c[1] x + c[2] x^2 + c[3] x^3. */
static size_t cubic_roots(const double c[4], double x[3])
{
	double a, b, k, q, r, d;

	if (!(fabs(c[3]) > 1e-14)) return 0;
	a = c[2] / c[3];
	b = c[1] / c[3];
	k = c[0] / c[3];
	q = (a * a - 3 * b) / 9;
	r = (2 * a * a * a - 9 * a * b + 27 * k) / 54;
	if (r * r < q * q * q) {
		double theta = acos(fmax(-1, fmin(1, r / sqrt(q * q * q))));

		for (int i = 0; i < 3; i++) x[i] = -2 * sqrt(q) * cos((theta + 2 * 3.14159265358979 * i) / 3) - a / 3;
		return 3;
	}
	d = -cbrt(fabs(r) + sqrt(r * r - q * q * q)) * (r < 0 ? -1 : 1);
	x[0] = d + (fabs(d) > 0 ? q / d : 0) - a / 3;
	return 1;
}

size_t fit_fundamental_seven(const struct point_pair p[7], double maps[3][9])
{
	double v[81], f1[9], f2[9], c[4], at[4], x[3], mixed[9];
	size_t least, next, n, found = 0;
	struct frame f;

	if (!epipolar(p, NULL, 7, &f, v, &least, &next)) return 0;
	for (size_t i = 0; i < 9; i++) {
		f1[i] = v[9 * i + least];
		f2[i] = v[9 * i + next] - f1[i];
	}
	/* det(f1 + x f2) is a cubic; four of its values give it. */
	for (int k = 0; k < 4; k++) {
		for (int i = 0; i < 9; i++) mixed[i] = f1[i] + (k - 1) * f2[i];
		at[k] = determinant(mixed);
	}
	c[0] = at[1];
	c[2] = (at[2] + at[0]) / 2 - at[1];
	c[3] = (at[3] - 3 * at[2] + 3 * at[1] - at[0]) / 6;
	c[1] = at[2] - c[0] - c[2] - c[3];
	n = cubic_roots(c, x);
	for (size_t k = 0; k < n; k++) {
		for (int i = 0; i < 9; i++) maps[found][i] = f1[i] + x[k] * f2[i];
		found += outside_lines(&f, maps[found]);
	}
	return found;
}
