/* cli/preview.c - thumbnails by chafa: pixels on terminals that know kitty, iTerm2 or sixel, else coloured blocks.
 * SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chafa.h>

#include "cli/cli.h"
#include "common/text.h"

enum { CELL_COLUMNS = 24, CELL_ROWS = 10, GAP = 2, MOST_COLUMNS = 8, PIXEL_SIDE = 320, SYMBOL_SIDE = 96 };

struct screen {
	ChafaTermInfo *info;
	ChafaPixelMode pixels;
	ChafaCanvasMode colors;
	float cell_ratio; /* width / height */
};

static ChafaPixelMode pixel_mode(ChafaTermInfo *info)
{
	if (chafa_term_info_have_seq(info, CHAFA_TERM_SEQ_BEGIN_KITTY_IMMEDIATE_IMAGE_V1))
		return CHAFA_PIXEL_MODE_KITTY;
	if (chafa_term_info_have_seq(info, CHAFA_TERM_SEQ_BEGIN_ITERM2_IMAGE)) return CHAFA_PIXEL_MODE_ITERM2;
	if (chafa_term_info_have_seq(info, CHAFA_TERM_SEQ_BEGIN_SIXELS)) return CHAFA_PIXEL_MODE_SIXELS;
	return CHAFA_PIXEL_MODE_SYMBOLS;
}

static ChafaCanvasMode color_mode(ChafaTermInfo *info)
{
	if (!out_color(stdout, true)) return CHAFA_CANVAS_MODE_FGBG;
	if (chafa_term_info_have_seq(info, CHAFA_TERM_SEQ_SET_COLOR_FGBG_DIRECT)) return CHAFA_CANVAS_MODE_TRUECOLOR;
	if (chafa_term_info_have_seq(info, CHAFA_TERM_SEQ_SET_COLOR_FGBG_256)) return CHAFA_CANVAS_MODE_INDEXED_240;
	if (chafa_term_info_have_seq(info, CHAFA_TERM_SEQ_SET_COLOR_FGBG_16)) return CHAFA_CANVAS_MODE_INDEXED_16;
	return CHAFA_CANVAS_MODE_FGBG;
}

static struct screen screen_detect(void)
{
	gchar **environment = g_get_environ();
	struct screen s = { .info = chafa_term_db_detect(chafa_term_db_get_default(), environment),
	                    .cell_ratio = 0.5f };
	struct winsize size;

	g_strfreev(environment);
	s.pixels = pixel_mode(s.info);
	s.colors = color_mode(s.info);
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_xpixel && size.ws_ypixel && size.ws_col
	    && size.ws_row)
		s.cell_ratio = ((float)size.ws_xpixel / size.ws_col) / ((float)size.ws_ypixel / size.ws_row);
	return s;
}

/* Pixels as what a terminal prints, rows divided by newlines, at most *columns x rows and then *columns wide. */
static GString *draw_rgb(const struct screen *s, const unsigned char *rgb, unsigned width, unsigned height, int *columns,
                         int rows)
{
	ChafaCanvasConfig *config;
	ChafaSymbolMap *symbols;
	ChafaCanvas *canvas;
	GString *text;

	chafa_calc_canvas_geometry((int)width, (int)height, columns, &rows, s->cell_ratio, TRUE, FALSE);
	symbols = chafa_symbol_map_new();
	chafa_symbol_map_add_by_tags(symbols,
	                             out_utf8() ? CHAFA_SYMBOL_TAG_SPACE | CHAFA_SYMBOL_TAG_HALF | CHAFA_SYMBOL_TAG_QUAD
	                                                 : CHAFA_SYMBOL_TAG_ASCII);
	config = chafa_canvas_config_new();
	chafa_canvas_config_set_geometry(config, *columns, rows);
	chafa_canvas_config_set_canvas_mode(config, s->colors);
	chafa_canvas_config_set_pixel_mode(config, s->pixels);
	chafa_canvas_config_set_symbol_map(config, symbols);
	canvas = chafa_canvas_new(config);
	chafa_canvas_draw_all_pixels(canvas, CHAFA_PIXEL_RGB8, rgb, (int)width, (int)height, (int)(3 * width));
	text = chafa_canvas_print(canvas, s->info);
	chafa_canvas_unref(canvas);
	chafa_canvas_config_unref(config);
	chafa_symbol_map_unref(symbols);
	return text;
}

/* The hit's picture in a cell. NULL when it cannot be read. */
static GString *draw(const struct screen *s, akin_library *lib, const akin_hit *hit, int *columns)
{
	unsigned side = s->pixels == CHAFA_PIXEL_MODE_SYMBOLS ? SYMBOL_SIDE : PIXEL_SIDE, width, height;
	unsigned char *rgb;
	GString *text;

	*columns = CELL_COLUMNS;
	if (akin_thumbnail_rgb(lib, hit->id, NULL, side, &rgb, &width, &height, NULL) != AKIN_OK) return NULL;
	text = draw_rgb(s, rgb, width, height, columns, CELL_ROWS);
	akin_bytes_free(rgb);
	return text;
}

/* "3  name", cut to the cell; the table below has the rest. */
static void put_caption(const akin_hit *hit, unsigned columns)
{
	const char *slash = strrchr(hit->path, '/'), *dots = out_utf8() ? "\u2026" : "~";
	char *whole = must_printf("%zu  %s", hit->rank, slash ? slash + 1 : hit->path), *end = whole + strlen(whole);
	bool cut = text_width(whole) > columns;

	while (text_width(whole) > columns - (cut ? 1 : 0)) {
		do end--;
		while (((unsigned char)*end & 0xc0) == 0x80);
		*end = '\0';
	}
	text_put_visible(stdout, whole);
	if (cut) fputs(dots, stdout);
	text_put_blanks(stdout, columns - text_width(whole) - (cut ? 1 : 0));
	free(whole);
}

static void put_grid_row(const struct screen *s, akin_library *lib, const akin_result *result, size_t from, size_t n)
{
	GString *text[MOST_COLUMNS] = { NULL };
	gchar **rows[MOST_COLUMNS] = { NULL };
	int columns[MOST_COLUMNS];
	guint most = 0;

	for (size_t i = 0; i < n; i++) {
		text[i] = draw(s, lib, akin_result_hit(result, from + i), &columns[i]);
		rows[i] = g_strsplit(text[i] ? text[i]->str : "(cannot be shown)", "\n", -1);
		if (!text[i]) columns[i] = 17;
		if (g_strv_length(rows[i]) > most) most = g_strv_length(rows[i]);
	}
	for (guint row = 0; row < most; row++) {
		for (size_t i = 0; i < n; i++) {
			bool there = row < g_strv_length(rows[i]);

			fputs(there ? rows[i][row] : "", stdout);
			text_put_blanks(stdout, (unsigned)(CELL_COLUMNS + GAP - (there ? columns[i] : 0)));
		}
		putchar('\n');
	}
	for (size_t i = 0; i < n; i++) {
		put_caption(akin_result_hit(result, from + i), CELL_COLUMNS);
		text_put_blanks(stdout, GAP);
		if (text[i]) g_string_free(text[i], TRUE);
		g_strfreev(rows[i]);
	}
	fputs("\n\n", stdout);
}

static void put_one(const struct screen *s, akin_library *lib, const akin_hit *hit)
{
	int columns;
	GString *text = draw(s, lib, hit, &columns);

	if (text) fwrite(text->str, 1, text->len, stdout);
	if (text) g_string_free(text, TRUE);
	putchar('\n');
	put_caption(hit, out_width(stdout) - 1);
	fputs("\n\n", stdout);
}

void preview_hits(akin_library *lib, const akin_result *result)
{
	struct screen s = screen_detect();
	size_t n = akin_result_count(result), across = (out_width(stdout) + GAP) / (CELL_COLUMNS + GAP);

	if (across < 1) across = 1;
	if (across > MOST_COLUMNS) across = MOST_COLUMNS;
	if (s.pixels != CHAFA_PIXEL_MODE_SYMBOLS) {
		for (size_t i = 0; i < n; i++) put_one(&s, lib, akin_result_hit(result, i));
	} else {
		for (size_t i = 0; i < n; i += across)
			put_grid_row(&s, lib, result, i, n - i < across ? n - i : across);
	}
	chafa_term_info_unref(s.info);
}

void preview_rgb(const unsigned char *rgb, unsigned width, unsigned height)
{
	struct screen s = screen_detect();
	int columns = (int)out_width(stdout);
	GString *text = draw_rgb(&s, rgb, width, height, &columns, columns);

	fwrite(text->str, 1, text->len, stdout);
	putchar('\n');
	g_string_free(text, TRUE);
	chafa_term_info_unref(s.info);
}
