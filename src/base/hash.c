/* base/hash.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <sodium.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/fs.h"
#include "base/str.h"

void hash_content(const void *bytes, size_t n, uint8_t out[HASH_BYTES])
{
	/* Idempotent and thread safe. If it fails, the portable implementation is used: slower, same result. */
	if (sodium_init() < 0) {}
	crypto_generichash(out, HASH_BYTES, bytes, n, NULL, 0);
}

void hash_sha256(const void *bytes, size_t n, uint8_t out[HASH_BYTES])
{
	crypto_hash_sha256(out, bytes, n);
}

akin_status hash_sha256_file(const char *path, char hex[2 * HASH_BYTES + 1], akin_error *err)
{
	struct fs_map map;
	uint8_t sum[HASH_BYTES];
	akin_status st = fs_map_open(&map, path, err);

	hex[0] = '\0';
	if (st != AKIN_OK) return st;
	hash_sha256(map.bytes, map.n, sum);
	fs_map_close(&map);
	str_hex(sum, HASH_BYTES, hex);
	return AKIN_OK;
}

uint64_t hash_checksum(const void *bytes, size_t n, uint64_t seed)
{
	return XXH3_64bits_withSeed(bytes, n, seed);
}
