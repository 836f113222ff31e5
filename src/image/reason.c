/* image/reason.c - why a file cannot be read, as one sentence for people.
 *
 * libvips has one error buffer for all threads. It is copied and emptied here and nowhere else, under a lock; only the
 * lines of this format's loader count, so that a neighbour's failure at the same moment is not blamed on this file. When a
 * neighbour took the lines first, the sentence is less particular, never wrong.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "image/decode.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static char *take_text(void)
{
	char *text;

	pthread_mutex_lock(&lock);
	text = vips_error_buffer_copy();
	pthread_mutex_unlock(&lock);
	return text;
}

void decoder_forget_errors(void)
{
	g_free(take_text());
}

/* ---- what the file's own structure tells ---- */

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* libpng and libwebp say no more than "read error"; whether the end is missing is easily seen. */
static bool png_is_cut(const uint8_t *bytes, size_t n)
{
	for (size_t at = 8; at + 12 <= n; at += 12 + (size_t)be32(bytes + at))
		if (!memcmp(bytes + at + 4, "IEND", 4)) return false;
	return true;
}

static bool webp_is_cut(const uint8_t *bytes, size_t n)
{
	uint64_t size = (uint64_t)bytes[4] | (uint64_t)bytes[5] << 8 | (uint64_t)bytes[6] << 16 | (uint64_t)bytes[7] << 24;

	return size + 8 > n;
}

static bool is_cut(const struct decoder *d)
{
	if (!strcmp(d->format->name, "png")) return png_is_cut(d->bytes, d->n);
	if (!strcmp(d->format->name, "webp")) return webp_is_cut(d->bytes, d->n);
	return false;
}

/* ---- what libvips said ---- */

/* Which loader writes lines that begin so. Lines of libtiff begin with its functions' names: whatever is not listed. */
static const struct domain {
	const char *prefix, *format;
} domains[] = {
	{ "VipsJpeg: ", "jpeg" },
	{ "vipspng: ", "png" },
	{ "pngload_buffer: ", "png" },
	{ "gifload_buffer: ", "gif" },
	{ "webp: ", "webp" },
	{ "webp2vips: ", "webp" },
	{ "heif: ", "heif avif" },
	{ "heifload_buffer: ", "heif avif" },
	{ "jp2kload_buffer: ", "jp2" },
	{ "jxlload_buffer: ", "jxl" },
	{ "svgload_buffer: ", "svg" },
	{ "pdfload_buffer: ", "pdf" },
	{ "ppmload", "ppm" },
	{ "rad2vips: ", "hdr" },
	{ "VipsIcc: ", "" },
	{ "source: ", "" },
	{ "VipsForeignLoad: ", "" },
	{ "vips_image_get", "" },
	{ "wbuffer", "" },
};

/* The line without its domain when it is about this format, NULL otherwise. */
static const char *own_line(const char *line, const struct format *format)
{
	for (size_t i = 0; i < COUNT(domains); i++)
		if (str_starts(line, domains[i].prefix))
			return strstr(domains[i].format, format->name) ? line + strlen(domains[i].prefix) : NULL;
	return *line && !strcmp(format->name, "tiff") ? line : NULL;
}

static const char no_decoder[] = "has no decoder here";
static const char truncated[] = "truncated";

/* What is often met, in plain words; the first that occurs in any line counts. */
static const struct phrase {
	const char *needle;
	akin_status status;
	const char *words; /* after the format's title */
} phrases[] = {
	{ "Unsupported codec", AKIN_ERR_UNSUPPORTED, no_decoder },
	{ "No decoding plugin", AKIN_ERR_UNSUPPORTED, no_decoder },
	{ "Unsupported feature", AKIN_ERR_UNSUPPORTED, no_decoder },
	{ "bad image dimensions on decode", AKIN_ERR_UNSUPPORTED, "with a crop that this libvips does not read" },
	{ "'pitm' box references", AKIN_ERR_FORMAT, "its main picture is missing or of a kind that libheif does not know" },
	{ "SOF type 0xc3", AKIN_ERR_UNSUPPORTED, "of the lossless kind, which libjpeg does not read" },
	{ "Unsupported JPEG process", AKIN_ERR_UNSUPPORTED, "of a kind that libjpeg does not read" },
	{ "Unsupported JPEG data precision 12", AKIN_ERR_UNSUPPORTED, "with 12 bits a sample, which libjpeg does not read" },
	{ "separate planes not supported", AKIN_ERR_UNSUPPORTED, "with tiled separate planes, which libvips does not read" },
	{ "components differ in geometry", AKIN_ERR_UNSUPPORTED, "with components of different sizes, which libvips does not read" },
	{ "Compression scheme", AKIN_ERR_UNSUPPORTED, "compressed in a way that libtiff does not read" },
	{ "compression is not configured", AKIN_ERR_UNSUPPORTED, "compressed in a way that libtiff does not read" },
	{ "No 'ftyp' box", AKIN_ERR_FORMAT, "its layout is not known to libheif" },
	{ "Premature end", AKIN_ERR_FORMAT, truncated },
	{ "premature end", AKIN_ERR_FORMAT, truncated },
	{ "Unexpected end of GIF", AKIN_ERR_FORMAT, truncated },
	{ "unexpected end of file", AKIN_ERR_FORMAT, truncated },
	{ "End of file", AKIN_ERR_FORMAT, truncated },
	{ "TIFFFillStrip: Read error", AKIN_ERR_FORMAT, truncated },
	{ "TIFFFillTile: Read error", AKIN_ERR_FORMAT, truncated },
	{ "Seek error at", AKIN_ERR_FORMAT, truncated },
	{ "no frames in GIF", AKIN_ERR_FORMAT, "without any picture in it" },
	{ "unable to parse image", AKIN_ERR_FORMAT, "its header is damaged" },
	{ "unable to read pixels", AKIN_ERR_FORMAT, "its pixels are damaged" },
	{ "libpng read error", AKIN_ERR_FORMAT, "its data or checksums are damaged" },
	{ "bad dimensions", AKIN_ERR_FORMAT, "its size is missing or out of range" },
	{ "zero scanline size", AKIN_ERR_FORMAT, "its size or bit depth is out of range" },
	{ "scanline size is zero", AKIN_ERR_FORMAT, "its size or bit depth is out of range" },
	{ "Can not read TIFF directory", AKIN_ERR_FORMAT, "its directory of tags is damaged" },
	{ "Failed to read directory", AKIN_ERR_FORMAT, "its directory of tags is damaged" },
	{ "Sanity check on directory count", AKIN_ERR_FORMAT, "its directory of tags is damaged" },
	{ "Bad code word", AKIN_ERR_FORMAT, "its fax-coded pixels are damaged" },
	{ "Using code not yet in table", AKIN_ERR_FORMAT, "its LZW-coded pixels are damaged" },
};

static const struct phrase *find_phrase(char *const *lines, const struct format *format)
{
	for (size_t i = 0; i < COUNT(phrases); i++)
		for (size_t j = 0; lines[j]; j++) {
			const char *line = own_line(lines[j], format);

			if (line && strstr(line, phrases[i].needle)) return &phrases[i];
		}
	return NULL;
}

/* What loaders say beside the point: consequences, and warnings that did not stop them. */
static bool is_noise(const char *line)
{
	static const char *const noise[] = { "unable to open source", "read error", "TIFF_SETGET_UNDEFINED",
		                             "extraneous bytes before marker", "unknown JFIF revision", "bad seek to" };

	for (size_t i = 0; i < COUNT(noise); i++)
		if (strstr(line, noise[i])) return true;
	return false;
}

/* The last line that tells something, trimmed of function names and numbers in brackets. */
static bool telling_line(char *const *lines, const struct format *format, char *words, size_t size)
{
	static const char *const beginnings[] = { "source input: ", "Corrupt JPEG data: ",
		                                  "Invalid JPEG file structure: ", "Invalid input: " };
	const char *last = NULL, *colon;
	char *end;

	for (size_t j = 0; lines[j]; j++) {
		const char *line = own_line(lines[j], format);

		if (line && *line && !is_noise(line)) last = line;
	}
	if (!last) return false;
	if (!strcmp(format->name, "tiff") && (colon = strstr(last, ": "))) last = colon + 2;
	for (size_t i = 0; i < COUNT(beginnings); i++)
		if (str_starts(last, beginnings[i])) last += strlen(beginnings[i]);
	snprintf(words, size, "%s", last);
	if ((end = strrchr(words, '(')) && end > words && strspn(end + 1, "0123456789.") + 2 == strlen(end)) end[-1] = 0;
	if (!str_starts(words, "Huffman") && isupper((unsigned char)words[0]) && islower((unsigned char)words[1]))
		words[0] = (char)tolower((unsigned char)words[0]);
	for (end = words; *end; end++)
		if ((unsigned char)*end < ' ') *end = ' ';
	while (end > words && (end[-1] == ' ' || end[-1] == '.')) *--end = 0;
	return words[0];
}

static bool only_bad_seeks(char *const *lines)
{
	for (size_t j = 0; lines[j]; j++)
		if (strstr(lines[j], "bad seek to")) return true;
	return false;
}

akin_status decoder_failed(const struct decoder *d, akin_error *err)
{
	const char *title = d->format->title;
	char *text = take_text(), **lines = g_strsplit(text, "\n", 0), words[256];
	const struct phrase *phrase = find_phrase(lines, d->format);
	akin_status st;

	if (phrase && phrase->status == AKIN_ERR_UNSUPPORTED)
		st = error_set(err, phrase->status, "%s %s; %s", title, phrase->words,
		               phrase->words == no_decoder && d->format->instead ? d->format->instead
		                                                                 : "convert it to PNG, JPEG or WebP");
	else if (is_cut(d) || (phrase && phrase->words == truncated))
		st = error_set(err, AKIN_ERR_FORMAT, "truncated %s: the file ends before its pixels do", title);
	else if (phrase)
		st = error_set(err, phrase->status, "damaged %s: %s", title, phrase->words);
	else if (telling_line(lines, d->format, words, sizeof words))
		st = error_set(err, AKIN_ERR_FORMAT, "damaged %s: %s", title, words);
	else if (only_bad_seeks(lines))
		st = error_set(err, AKIN_ERR_FORMAT, "damaged or truncated %s: it points beyond its own end", title);
	else
		st = error_set(err, AKIN_ERR_FORMAT, "damaged %s: its %s cannot be read", title, d->image ? "pixels" : "header");
	g_strfreev(lines);
	g_free(text);
	return st;
}
