/* base/hash.h - content hashes: BLAKE2b-256 for identity of pictures (nobody can make two contents collide), SHA-256 for
 * the published sums of model files, XXH3 for checksums of our own files.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_BASE_HASH_H
#define AKIN_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { HASH_BYTES = 32 };

void hash_content(const void *bytes, size_t n, uint8_t out[HASH_BYTES]);
void hash_sha256(const void *bytes, size_t n, uint8_t out[HASH_BYTES]);
akin_status hash_sha256_file(const char *path, char hex[2 * HASH_BYTES + 1], akin_error *err);
uint64_t hash_checksum(const void *bytes, size_t n, uint64_t seed);

#endif
