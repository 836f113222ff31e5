/* cli/eval_report.c - the report of akin eval: one HTML file with its style and pictures inside, no script.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "common/text.h"

enum { QUERIES_SHOWN = 12, THUMBNAIL_SIDE = 160 };

static const char style[] =
        ":root { color-scheme: light dark; --ink: #1d2125; --soft: #667079; --paper: #fbfbfa; --card: #fff;\n"
        "  --line: #dfe2e5; --right: #1a8f4f; --wrong: #c8372d }\n"
        "@media (prefers-color-scheme: dark) { :root { --ink: #e7e9ea; --soft: #98a1a9; --paper: #15181b;\n"
        "  --card: #1e2226; --line: #343a40; --right: #3fc380; --wrong: #ff6b5e } }\n"
        "* { box-sizing: border-box }\n"
        "body { margin: 0 auto; max-width: 76rem; padding: 2.5rem 1.25rem 4rem; background: var(--paper);\n"
        "  color: var(--ink); font: 16px/1.5 system-ui, sans-serif }\n"
        "h1 { font-size: 1.6rem; margin: 0; overflow-wrap: anywhere }\n"
        "h2 { font-size: 1.15rem; margin: 2.75rem 0 .75rem }\n"
        "p { margin: .25rem 0; color: var(--soft) }\n"
        ".sum { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.5rem 0 }\n"
        ".sum div, .query { background: var(--card); border: 1px solid var(--line); border-radius: .6rem }\n"
        ".sum div { padding: .7rem 1.1rem; min-width: 8rem }\n"
        ".sum b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums }\n"
        ".sum span { color: var(--soft); font-size: .85rem }\n"
        ".wide { overflow-x: auto }\n"
        "table { border-collapse: collapse; font-variant-numeric: tabular-nums }\n"
        "th, td { padding: .3rem .9rem; text-align: right; border-bottom: 1px solid var(--line) }\n"
        "th:first-child, td:first-child { text-align: left; padding-left: 0 }\n"
        "th { color: var(--soft); font-weight: 600; font-size: .85rem }\n"
        ".query { display: grid; grid-template-columns: minmax(7rem, 9.5rem) 1fr; gap: 1rem; padding: .8rem;\n"
        "  margin: .75rem 0 }\n"
        ".query > div:first-child { overflow-wrap: anywhere; font-size: .85rem }\n"
        ".top { display: flex; flex-wrap: wrap; gap: .4rem; align-content: flex-start }\n"
        "figure { margin: 0 }\n"
        "img { display: block; max-width: 100%; border-radius: .25rem }\n"
        ".top img { height: 5.2rem; width: auto }\n"
        ".top figure { border: 3px solid var(--right); border-radius: .45rem; padding: 1px }\n"
        ".top .wrong { border: 3px dashed var(--wrong) }\n"
        ".none { display: grid; place-items: center; width: 5.2rem; height: 5.2rem; color: var(--soft);\n"
        "  font-size: .8rem }\n";

static void put_picture(FILE *out, akin_library *lib, akin_id id, const char *words)
{
	unsigned char *bytes = NULL;
	size_t n = 0;
	char *base64;

	if (akin_thumbnail(lib, id, NULL, THUMBNAIL_SIDE, "jpeg", &bytes, &n, NULL) != AKIN_OK) {
		fputs("<div class=\"none\">no picture</div>", out);
		return;
	}
	base64 = text_base64(bytes, n);
	fputs("<img alt=\"", out);
	text_put_html(out, words);
	fprintf(out, "\" src=\"data:image/jpeg;base64,%s\">", base64);
	free(base64);
	akin_bytes_free(bytes);
}

static void put_query(FILE *out, akin_library *lib, const akin_eval_query *query)
{
	const char *slash = strrchr(query->path, '/');

	fputs("<div class=\"query\"><div>", out);
	put_picture(out, lib, query->id, "the query");
	fprintf(out, "<b>AP %.3f</b> &middot; ", query->average_precision);
	text_put_html(out, query->klass);
	fputs("<br>", out);
	text_put_html(out, slash ? slash + 1 : query->path);
	fputs("</div><div class=\"top\">", out);
	for (size_t i = 0; i < query->n_top; i++) {
		const char *fate = query->top_relevant[i] ? "right" : "wrong";

		fprintf(out, "<figure class=\"%s\" title=\"answer %zu: %s\">", fate, i + 1, fate);
		put_picture(out, lib, query->top[i], fate);
		fputs("</figure>", out);
	}
	fputs("</div></div>\n", out);
}

static void put_number(FILE *out, const char *name, double value)
{
	fprintf(out, "<div><b>%.4f</b><span>%s</span></div>", value, name);
}

static void put_overall(FILE *out, const char *title, const akin_eval *eval)
{
	const akin_measures *m = akin_eval_overall(eval);
	char number[TEXT_NUMBER];

	fputs("<h1>", out);
	text_put_html(out, title);
	fprintf(out, "</h1>\n<p>%s queries in %.1f s by akin %s. ", text_number(m->queries, number),
	        akin_eval_seconds(eval), akin_version());
	fputs(akin_eval_n_classes(eval)
	              ? "Each picture asked for its like among all others; an answer of the same class is right.</p>\n"
	              : "Each caption asked for its picture, which alone is right.</p>\n",
	      out);
	fputs("<div class=\"sum\">", out);
	put_number(out, akin_eval_n_classes(eval) ? "mAP" : "mean reciprocal rank", m->map);
	put_number(out, "nDCG", m->ndcg);
	put_number(out, "R-precision", m->r_precision);
	fputs("</div>\n<div class=\"wide\"><table>\n", out);
	fputs("<tr><th>at k</th><th>precision</th><th>recall</th><th>nDCG</th></tr>\n", out);
	for (size_t i = 0; i < akin_eval_n_k(eval); i++)
		fprintf(out, "<tr><td>%zu</td><td>%.4f</td><td>%.4f</td><td>%.4f</td></tr>\n", akin_eval_k(eval)[i],
		        m->precision[i],
		        m->recall[i], m->ndcg_at[i]);
	fputs("</table></div>\n", out);
}

static void put_classes(FILE *out, const akin_eval *eval)
{
	fputs("<h2>By class</h2>\n<div class=\"wide\"><table><tr><th>class</th><th>queries</th><th>mAP</th>", out);
	for (size_t i = 0; i < akin_eval_n_k(eval); i++) fprintf(out, "<th>P@%zu</th>", akin_eval_k(eval)[i]);
	fputs("<th>R-precision</th></tr>\n", out);
	for (size_t c = 0; c < akin_eval_n_classes(eval); c++) {
		const akin_measures *m;
		const char *name = akin_eval_class(eval, c, &m);

		fputs("<tr><td>", out);
		text_put_html(out, name);
		fprintf(out, "</td><td>%llu</td><td>%.4f</td>", (unsigned long long)m->queries, m->map);
		for (size_t i = 0; i < akin_eval_n_k(eval); i++) fprintf(out, "<td>%.4f</td>", m->precision[i]);
		fprintf(out, "<td>%.4f</td></tr>\n", m->r_precision);
	}
	fputs("</table></div>\n", out);
}

static void put_queries(FILE *out, akin_library *lib, const akin_eval *eval)
{
	size_t n = akin_eval_n_queries(eval), shown = n / 2 < QUERIES_SHOWN ? (n + 1) / 2 : QUERIES_SHOWN;

	fputs("<h2>Worst queries</h2>\n<p>The query, then its first ten answers: ", out);
	fputs("a full green frame is right, a dashed red one wrong.</p>\n", out);
	for (size_t i = 0; i < shown; i++) put_query(out, lib, akin_eval_query_at(eval, i));
	fputs("<h2>Best queries</h2>\n", out);
	for (size_t i = 0; i < shown && n - 1 - i >= shown; i++)
		put_query(out, lib, akin_eval_query_at(eval, n - 1 - i));
}

bool eval_report_write(const char *path, const char *title, akin_library *lib, const akin_eval *eval)
{
	FILE *out = fopen(path, "we");
	bool ok;

	if (!out) {
		say("cannot write %s: %s", path, strerror(errno));
		return false;
	}
	fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
	      "content=\"width=device-width,initial-scale=1\"><title>akin eval</title><style>\n",
	      out);
	fputs(style, out);
	fputs("</style></head><body>\n", out);
	put_overall(out, title, eval);
	if (akin_eval_n_classes(eval)) put_classes(out, eval);
	if (akin_eval_n_queries(eval)) put_queries(out, lib, eval);
	fputs("</body></html>\n", out);
	ok = !ferror(out);
	ok = fclose(out) == 0 && ok;
	if (!ok) say("cannot write %s: %s", path, strerror(errno));
	return ok;
}
