/* index/file.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "index/file.h"

#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "sections are used as they lie in the file: little endian");

static const uint8_t magic[8] = { 'A', 'K', 'I', 'N', 'I', 'D', 'X', 0x1a };

/* Where each field of the header lies. */
enum {
	AT_MAGIC = 0,
	AT_VERSION = 8,
	AT_KIND = 12,
	AT_METRIC = 16,
	AT_ELEMENT = 20,
	AT_DIM = 24,
	AT_COUNT = 32,
	AT_SEED = 40,
	AT_FILE_BYTES = 48,
	AT_SOURCE = 56,
	AT_MODEL = 72,
	AT_GENERATION = 104,
	AT_N_SECTIONS = 112,
	AT_CHECKSUM = 120,
	AT_SECTIONS = 128,
	SECTION_ENTRY = 32,
};

static void put32(uint8_t *header, size_t at, uint32_t value)
{
	memcpy(header + at, &value, sizeof value);
}

static void put64(uint8_t *header, size_t at, uint64_t value)
{
	memcpy(header + at, &value, sizeof value);
}

static uint32_t get32(const uint8_t *header, size_t at)
{
	uint32_t value;

	memcpy(&value, header + at, sizeof value);
	return value;
}

static uint64_t get64(const uint8_t *header, size_t at)
{
	uint64_t value;

	memcpy(&value, header + at, sizeof value);
	return value;
}

/* Of the header with zeros in place of the checksum itself. */
static uint64_t header_checksum(const uint8_t *header)
{
	uint8_t copy[FILE_HEADER_BYTES];

	memcpy(copy, header, sizeof copy);
	put64(copy, AT_CHECKSUM, 0);
	return hash_checksum(copy, sizeof copy, 0);
}

/* ---- writing ---- */

akin_status file_out_begin(struct file_out *out, const char *path, akin_error *err)
{
	static const uint8_t blank[FILE_HEADER_BYTES];
	akin_status st;

	*out = (struct file_out){ .writer.fd = -1 };
	if (!(out->chunk = mem_alloc(FILE_CHUNK))) return error_nomem(err);
	st = fs_writer_begin(&out->writer, path, err);
	if (st == AKIN_OK) st = fs_writer_put(&out->writer, blank, sizeof blank, err);
	if (st != AKIN_OK) file_out_abort(out);
	return st;
}

static struct section *current(struct file_out *out)
{
	return &out->header.sections[out->header.n_sections - 1];
}

static akin_status flush(struct file_out *out, akin_error *err)
{
	struct section *section = current(out);

	if (!out->filled) return AKIN_OK;
	section->checksum = hash_checksum(out->chunk, out->filled, section->checksum);
	section->bytes += out->filled;
	akin_status st = fs_writer_put(&out->writer, out->chunk, out->filled, err);
	out->filled = 0;
	return st;
}

static akin_status end_section(struct file_out *out, akin_error *err)
{
	static const uint8_t zeros[FILE_ALIGN];
	akin_status st = out->header.n_sections ? flush(out, err) : AKIN_OK;
	size_t beyond = out->writer.written % FILE_ALIGN;

	if (st == AKIN_OK && beyond) st = fs_writer_put(&out->writer, zeros, FILE_ALIGN - beyond, err);
	return st;
}

akin_status file_out_section(struct file_out *out, enum section_tag tag, akin_error *err)
{
	akin_status st = end_section(out, err);

	if (st != AKIN_OK) return st;
	out->header.sections[out->header.n_sections++] = (struct section){ .tag = tag, .offset = out->writer.written };
	return AKIN_OK;
}

akin_status file_out_put(struct file_out *out, const void *bytes, size_t n, akin_error *err)
{
	const uint8_t *from = bytes;
	akin_status st = AKIN_OK;

	while (n && st == AKIN_OK) {
		size_t part = n < FILE_CHUNK - out->filled ? n : FILE_CHUNK - out->filled;

		memcpy(out->chunk + out->filled, from, part);
		out->filled += part;
		from += part;
		n -= part;
		if (out->filled == FILE_CHUNK) st = flush(out, err);
	}
	return st;
}

static void encode(const struct file_header *header, uint64_t file_bytes, uint8_t *to)
{
	memset(to, 0, FILE_HEADER_BYTES);
	memcpy(to + AT_MAGIC, magic, sizeof magic);
	put32(to, AT_VERSION, FILE_VERSION);
	put32(to, AT_KIND, header->params.kind);
	put32(to, AT_METRIC, header->params.metric);
	put32(to, AT_ELEMENT, header->params.element);
	put64(to, AT_DIM, header->params.dim);
	put64(to, AT_COUNT, header->count);
	put64(to, AT_SEED, header->params.seed);
	put64(to, AT_FILE_BYTES, file_bytes);
	memcpy(to + AT_SOURCE, header->stamp.source, sizeof header->stamp.source);
	memcpy(to + AT_MODEL, header->stamp.model, sizeof header->stamp.model);
	put64(to, AT_GENERATION, header->stamp.generation);
	put32(to, AT_N_SECTIONS, (uint32_t)header->n_sections);
	for (size_t i = 0; i < header->n_sections; i++) {
		size_t at = AT_SECTIONS + i * SECTION_ENTRY;

		put32(to, at, header->sections[i].tag);
		put64(to, at + 8, header->sections[i].offset);
		put64(to, at + 16, header->sections[i].bytes);
		put64(to, at + 24, header->sections[i].checksum);
	}
	put64(to, AT_CHECKSUM, header_checksum(to));
}

akin_status file_out_finish(struct file_out *out, akin_error *err)
{
	uint8_t header[FILE_HEADER_BYTES];
	akin_status st = end_section(out, err);

	if (st == AKIN_OK) {
		encode(&out->header, out->writer.written, header);
		st = fs_writer_put_at(&out->writer, 0, header, sizeof header, err);
	}
	if (st == AKIN_OK) st = fs_writer_commit(&out->writer, err);
	file_out_abort(out);
	return st;
}

void file_out_abort(struct file_out *out)
{
	fs_writer_abort(&out->writer);
	mem_free(out->chunk);
	*out = (struct file_out){ .writer.fd = -1 };
}

/* ---- reading ---- */

static void decode(const uint8_t *from, struct file_header *header)
{
	header->params.kind = (enum index_kind)get32(from, AT_KIND);
	header->params.metric = (enum metric)get32(from, AT_METRIC);
	header->params.element = (enum element)get32(from, AT_ELEMENT);
	header->params.dim = get64(from, AT_DIM);
	header->params.seed = get64(from, AT_SEED);
	header->count = get64(from, AT_COUNT);
	memcpy(header->stamp.source, from + AT_SOURCE, sizeof header->stamp.source);
	memcpy(header->stamp.model, from + AT_MODEL, sizeof header->stamp.model);
	header->stamp.generation = get64(from, AT_GENERATION);
	header->n_sections = get32(from, AT_N_SECTIONS);
	for (size_t i = 0; i < header->n_sections && i < FILE_MAX_SECTIONS; i++) {
		size_t at = AT_SECTIONS + i * SECTION_ENTRY;

		header->sections[i] = (struct section){ get32(from, at), get64(from, at + 8), get64(from, at + 16),
			                                get64(from, at + 24) };
	}
}

/* Sections follow one another, aligned, inside the file; no sum here can overflow. */
static akin_status check_sections(const struct file_header *header, uint64_t file_bytes, akin_error *err)
{
	uint64_t end = FILE_HEADER_BYTES;

	if (header->n_sections > FILE_MAX_SECTIONS)
		return error_set(err, AKIN_ERR_FORMAT, "%zu sections are more than %d", header->n_sections, FILE_MAX_SECTIONS);
	for (size_t i = 0; i < header->n_sections; i++) {
		const struct section *s = &header->sections[i];

		if (s->offset % FILE_ALIGN || s->offset < end || s->offset > file_bytes || s->bytes > file_bytes - s->offset)
			return error_set(err, AKIN_ERR_FORMAT, "section %u of %llu bytes at %llu is misplaced", (unsigned)s->tag,
			                 (unsigned long long)s->bytes, (unsigned long long)s->offset);
		end = s->offset + s->bytes;
	}
	return AKIN_OK;
}

static akin_status read_header(struct file_in *in, akin_error *err)
{
	const uint8_t *bytes = in->map.bytes;

	if (in->map.n < FILE_HEADER_BYTES || memcmp(bytes, magic, sizeof magic) != 0)
		return error_set(err, AKIN_ERR_FORMAT, "not an index file");
	if (get32(bytes, AT_VERSION) != FILE_VERSION)
		return error_set(err, AKIN_ERR_UNSUPPORTED, "version %u of the format is not known, only %d",
		                 (unsigned)get32(bytes, AT_VERSION), FILE_VERSION);
	if (get64(bytes, AT_CHECKSUM) != header_checksum(bytes))
		return error_set(err, AKIN_ERR_FORMAT, "the header's checksum is wrong");
	if (get64(bytes, AT_FILE_BYTES) != in->map.n)
		return error_set(err, AKIN_ERR_FORMAT, "the file has %zu bytes instead of %llu", in->map.n,
		                 (unsigned long long)get64(bytes, AT_FILE_BYTES));
	decode(bytes, &in->header);
	return check_sections(&in->header, in->map.n, err);
}

akin_status file_in_open(struct file_in *in, const char *path, akin_error *err)
{
	akin_status st;

	*in = (struct file_in){ 0 };
	if ((st = fs_map_open(&in->map, path, err)) != AKIN_OK) return st;
	if ((st = read_header(in, err)) != AKIN_OK) file_in_close(in);
	return st;
}

void file_in_close(struct file_in *in)
{
	fs_map_close(&in->map);
	*in = (struct file_in){ 0 };
}

static const struct section *find(const struct file_in *in, enum section_tag tag)
{
	for (size_t i = 0; i < in->header.n_sections; i++)
		if (in->header.sections[i].tag == (uint32_t)tag) return &in->header.sections[i];
	return NULL;
}

akin_status file_in_section(const struct file_in *in, enum section_tag tag, uint64_t bytes, const void **at,
                            akin_error *err)
{
	const struct section *s = find(in, tag);

	*at = NULL;
	if (!s) return error_set(err, AKIN_ERR_FORMAT, "section %u is missing", (unsigned)tag);
	if (s->bytes != bytes)
		return error_set(err, AKIN_ERR_FORMAT, "section %u has %llu bytes instead of %llu", (unsigned)tag,
		                 (unsigned long long)s->bytes, (unsigned long long)bytes);
	*at = in->map.bytes + s->offset;
	return AKIN_OK;
}

static akin_status verify(const struct file_in *in, const struct section *s, akin_error *err)
{
	uint64_t sum = 0;

	for (uint64_t done = 0; done < s->bytes; done += FILE_CHUNK) {
		uint64_t left = s->bytes - done;

		sum = hash_checksum(in->map.bytes + s->offset + done, left < FILE_CHUNK ? left : FILE_CHUNK, sum);
	}
	if (sum == s->checksum) return AKIN_OK;
	return error_set(err, AKIN_ERR_FORMAT, "the checksum of section %u is wrong", (unsigned)s->tag);
}

akin_status file_in_verify(const struct file_in *in, enum section_tag tag, akin_error *err)
{
	const struct section *s = find(in, tag);

	return s ? verify(in, s, err) : error_set(err, AKIN_ERR_FORMAT, "section %u is missing", (unsigned)tag);
}

akin_status file_in_verify_all(const struct file_in *in, akin_error *err)
{
	akin_status st = AKIN_OK;

	for (size_t i = 0; st == AKIN_OK && i < in->header.n_sections; i++) st = verify(in, &in->header.sections[i], err);
	return st;
}
