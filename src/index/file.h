/* index/file.h - the container of an index file: header, table of sections, sections. docs/index-file.md is its description.
 * Knows where the sections lie and their checksums, not what is in them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_INDEX_FILE_H
#define AKIN_INDEX_FILE_H

#include "base/fs.h"
#include "index/index.h"

/* Written to files: never renumber. */
enum section_tag {
	SECTION_IDS = 1,
	SECTION_ROWS = 2,
	SECTION_SCALES = 3,
	/* of a graph */
	SECTION_GRAPH = 32,
	SECTION_CODES = 33,
	SECTION_LINKS = 34,
	SECTION_NODE_ROWS = 35,
	SECTION_CODE_BIAS = 36,
	SECTION_CODE_MATRIX = 37,
	/* of inverted lists */
	SECTION_IVF_META = 20,
	SECTION_IVF_MODEL = 21,
	SECTION_IVF_SIZES = 22,
	SECTION_IVF_ROWS = 23,
	SECTION_IVF_BLOCKS = 24,
	SECTION_LSH_META = 40,
	SECTION_LSH_MODEL = 41,
	SECTION_LSH_HEADS = 42,
	SECTION_LSH_NEXT = 43,
	SECTION_BINARY_META = 50,
	SECTION_BINARY_HEADS = 51,
	SECTION_BINARY_NEXT = 52,
};

enum { FILE_VERSION = 1, FILE_HEADER_BYTES = 512, FILE_MAX_SECTIONS = 12, FILE_ALIGN = 64, FILE_CHUNK = 1 << 20 };

struct section {
	uint32_t tag;
	uint64_t offset, bytes, checksum;
};

struct file_header {
	struct index_params params;
	uint64_t count;
	struct index_stamp stamp;
	size_t n_sections;
	struct section sections[FILE_MAX_SECTIONS];
};

/* ---- writing: begin, then for each section start and put, then finish; or abort at any time ---- */

struct file_out {
	struct fs_writer writer;
	struct file_header header;
	uint8_t *chunk;
	size_t filled;
};
akin_status file_out_begin(struct file_out *out, const char *path, akin_error *err);
/* At most FILE_MAX_SECTIONS. */
akin_status file_out_section(struct file_out *out, enum section_tag tag, akin_error *err);
akin_status file_out_put(struct file_out *out, const void *bytes, size_t n, akin_error *err);
akin_status file_out_finish(struct file_out *out, akin_error *err);
void file_out_abort(struct file_out *out);

/* ---- reading ---- */

struct file_in {
	struct fs_map map;
	struct file_header header;
};
/* Every section lies inside the file. Contents are not looked at. */
akin_status file_in_open(struct file_in *in, const char *path, akin_error *err);
void file_in_close(struct file_in *in);
/* AKIN_ERR_FORMAT unless the section is there and has that many bytes. */
akin_status file_in_section(const struct file_in *in, enum section_tag tag, uint64_t bytes, const void **at,
                            akin_error *err);
akin_status file_in_verify(const struct file_in *in, enum section_tag tag, akin_error *err);
akin_status file_in_verify_all(const struct file_in *in, akin_error *err);

#endif
