/* image/sniff.c - what a file is, told by its first bytes. Names are never asked: a JPEG called x.png is a JPEG.
 * SPDX-License-Identifier: Apache-2.0 */
#include "image/format.h"

#include <string.h>

#include "base/status.h"
#include "base/str.h"
#include "image/image.h"

#define NOT_READ(name, title) { name, title, NULL, "convert it to PNG, JPEG or WebP", SHRINK_NONE, 0, 0 }

/* Bytes per pixel: the growth of VmHWM with 24-megapixel photographs (bench_decode -t), rounded up: GIF 4.2, lossless WebP
 * 4.0, AVIF 8.3, HEIC 8, JPEG XL 6, progressive JPEG 3.1, BMP, PNG, TIFF and other JPEG less than 1. Progressive JPEG and
 * interlaced PNG are added in limits.c, as only the header tells. TIFF has 4 for a strip that spans the picture. */
static const struct format formats[] = {
	{ "jpeg", "JPEG", "jpegload_buffer", NULL, SHRINK_JPEG, 0, 0 },
	{ "png", "PNG", "pngload_buffer", NULL, SHRINK_NONE, 0, 0 },
	{ "gif", "GIF", "gifload_buffer", NULL, SHRINK_NONE, 6, 0 },
	{ "webp", "WebP", "webpload_buffer", NULL, SHRINK_SCALE, 4, 4 },
	{ "tiff", "TIFF", "tiffload_buffer", NULL, SHRINK_NONE, 4, 0 },
	{ "heif", "HEIC", "heifload_buffer", "the Debian package libheif-plugin-libde265 decodes it", SHRINK_NONE, 10, 0 },
	{ "avif", "AVIF", "heifload_buffer", "the Debian package libheif-plugin-dav1d decodes it", SHRINK_NONE, 10, 0 },
	{ "jxl", "JPEG XL", "jxlload_buffer", "libvips built with libjxl reads it", SHRINK_NONE, 12, 0 },
	{ "jp2", "JPEG 2000", "jp2kload_buffer", "libvips built with OpenJPEG reads it", SHRINK_PAGE, 4, 16 },
	{ "svg", "SVG", "svgload_buffer", "libvips built with librsvg reads it", SHRINK_VECTOR, 0, 8 },
	{ "pdf", "PDF", "pdfload_buffer", "libvips built with poppler reads it", SHRINK_VECTOR, 0, 8 },
	{ "ppm", "PPM", "ppmload_source", NULL, SHRINK_NONE, 0, 0 },
	{ "hdr", "Radiance HDR", "radload_buffer", NULL, SHRINK_NONE, 4, 0 },
	{ "bmp", "BMP", "", NULL, SHRINK_NONE, 0, 0 },
	{ "ico", "ICO", "", NULL, SHRINK_NONE, 0, 0 },
	NOT_READ("psd", "PSD"),
	{ "raw", "camera RAW", NULL, "export it from the camera's program as JPEG", SHRINK_NONE, 0, 0 },
	{ "svgz", "compressed SVG", NULL, "unpack it with gunzip", SHRINK_NONE, 0, 0 },
	NOT_READ("exr", "OpenEXR"),
	NOT_READ("dds", "DDS"),
	NOT_READ("mng", "MNG"),
	NOT_READ("jng", "JNG"),
	NOT_READ("fli", "FLI animation"),
	NOT_READ("icns", "Apple icon"),
	NOT_READ("sgi", "SGI"),
	NOT_READ("blp", "BLP texture"),
	NOT_READ("wmf", "Windows metafile"),
	NOT_READ("xbm", "X bitmap"),
	NOT_READ("pam", "PAM"),
	NOT_READ("djvu", "DjVu"),
	NOT_READ("xcf", "GIMP XCF"),
	NOT_READ("fits", "FITS"),
	NOT_READ("eps", "PostScript"),
	NOT_READ("mp4", "MP4 film"),
};

const struct format *format_named(const char *name)
{
	for (size_t i = 0; i < COUNT(formats); i++)
		if (!strcmp(formats[i].name, name)) return &formats[i];
	return NULL;
}

/* Bytes that stand at a fixed place. */
struct magic {
	const char *name;
	size_t offset, n;
	const char *bytes;
};
#define MAGIC(name, offset, bytes) { name, offset, sizeof(bytes) - 1, bytes }

/* The first that fits counts, so the narrower ones stand above. */
static const struct magic magics[] = {
	MAGIC("jpeg", 0, "\xff\xd8\xff"),
	MAGIC("png", 0, "\x89PNG\r\n\x1a\n"),
	MAGIC("gif", 0, "GIF87a"),
	MAGIC("gif", 0, "GIF89a"),
	MAGIC("webp", 8, "WEBP"),
	MAGIC("raw", 8, "CR\x02"),       /* Canon CR2, a TIFF otherwise */
	MAGIC("raw", 0, "II\x55\0"),     /* Panasonic RW2 */
	MAGIC("raw", 0, "IIRO"),         /* Olympus ORF */
	MAGIC("raw", 0, "IIRS"),
	MAGIC("raw", 0, "FUJIFILMCCD-RAW"),
	MAGIC("raw", 4, "ftypcrx "),     /* Canon CR3 */
	MAGIC("tiff", 0, "II*\0"),
	MAGIC("tiff", 0, "MM\0*"),
	MAGIC("tiff", 0, "II+\0"),       /* BigTIFF */
	MAGIC("tiff", 0, "MM\0+"),
	MAGIC("jxl", 0, "\xff\x0a"),
	MAGIC("jxl", 0, "\0\0\0\x0cJXL \r\n\x87\n"),
	MAGIC("jp2", 0, "\0\0\0\x0cjP  \r\n\x87\n"),
	MAGIC("jp2", 0, "\xff\x4f\xff\x51"),
	MAGIC("psd", 0, "8BPS\0\1"),
	MAGIC("pdf", 0, "%PDF-"),
	MAGIC("hdr", 0, "#?RADIANCE"),
	MAGIC("hdr", 0, "#?RGBE"),
	MAGIC("ico", 0, "\0\0\1\0"),
	MAGIC("ico", 0, "\0\0\2\0"),     /* a cursor, the same structure */
	MAGIC("svgz", 0, "\x1f\x8b\x08"),
	MAGIC("exr", 0, "\x76\x2f\x31\x01"),
	MAGIC("dds", 0, "DDS "),
	MAGIC("mng", 0, "\x8aMNG\r\n\x1a\n"),
	MAGIC("jng", 0, "\x8bJNG\r\n\x1a\n"),
	MAGIC("fli", 4, "\x11\xaf"),
	MAGIC("fli", 4, "\x12\xaf"),
	MAGIC("icns", 0, "icns"),
	MAGIC("sgi", 0, "\x01\xda"),
	MAGIC("blp", 0, "BLP1"),
	MAGIC("blp", 0, "BLP2"),
	MAGIC("wmf", 0, "\xd7\xcd\xc6\x9a"),
	MAGIC("xbm", 0, "#define "),
	MAGIC("pam", 0, "P7\n"),
	MAGIC("djvu", 0, "AT&TFORM"),
	MAGIC("xcf", 0, "gimp xcf"),
	MAGIC("fits", 0, "SIMPLE  ="),
	MAGIC("eps", 0, "%!PS"),
	MAGIC("bmp", 0, "BM"),
};

/* ISO base media: the brand tells HEIC from AVIF from a film. The major brand "mif1" says only "some HEIF picture", so the
 * compatible ones that follow are read too (the version between them is a number, or a brand in the newest files). */
static const char *brand_of(const uint8_t *bytes, size_t n)
{
	static const char *const heif[] = { "heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "msf1",
		                            "mif3" };
	size_t box = (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
	const char *found = NULL;

	if (box > n) box = n;
	for (size_t at = 8; at + 4 <= box; at += 4) {
		if (!memcmp(bytes + at, "avif", 4) || !memcmp(bytes + at, "avis", 4)) return "avif";
		for (size_t i = 0; i < COUNT(heif); i++)
			if (!memcmp(bytes + at, heif[i], 4)) found = "heif";
	}
	return found ? found : "mp4";
}

static bool is_space(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* An XML prologue, comments and a document type may precede <svg>; libvips looks no further than 1,000 bytes either. */
static bool is_svg(const uint8_t *bytes, size_t n)
{
	size_t at = n >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3) ? 3 : 0;

	if (n > 1000) n = 1000;
	while (at < n && is_space(bytes[at])) at++;
	if (at == n || bytes[at] != '<') return false;
	for (; at + 4 <= n; at++)
		if (!memcmp(bytes + at, "<svg", 4)) return true;
	return false;
}

const struct format *format_of(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < COUNT(magics); i++) {
		const struct magic *m = &magics[i];

		if (n >= m->offset + m->n && !memcmp(bytes + m->offset, m->bytes, m->n)) return format_named(m->name);
	}
	if (n >= 12 && !memcmp(bytes + 4, "ftyp", 4)) return format_named(brand_of(bytes, n));
	if (n >= 3 && bytes[0] == 'P' && ((bytes[1] >= '1' && bytes[1] <= '6') || (bytes[1] | 32) == 'f') &&
	    is_space(bytes[2]))
		return format_named("ppm");
	return is_svg(bytes, n) ? format_named("svg") : NULL;
}

const char *image_sniff(const void *bytes, size_t n)
{
	const struct format *format = bytes ? format_of(bytes, n) : NULL;

	return format ? format->name : NULL;
}

bool image_name_fits(const char *name)
{
	static const char *const extensions[] = { "jpg",  "jpeg", "jpe",  "jfif", "png", "gif", "webp", "tif", "tiff",
						  "heic", "heif", "avif", "jxl",  "jp2", "j2k", "jpx",  "j2c", "svg",
						  "pdf",  "ppm",  "pgm",  "pbm",  "pnm", "pfm", "hdr",  "bmp", "ico",
						  "psd",  "cr2",  "nef",  "arw",  "dng", "mpo", "apng", "hif", "pef" };
	const char *dot = strrchr(name, '.');

	if (!dot || dot == name || dot[-1] == '/') return false;
	for (size_t i = 0; i < COUNT(extensions); i++)
		if (str_equal_nocase(dot + 1, extensions[i])) return true;
	return false;
}
