/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* SHA-256 over a stream, with the processor's own instructions where it has them. @see FIPS 180-4 */
struct sha256 {
        uint32_t state[8];
        uint64_t total;
        uint8_t block[64];
        void (*compress)(uint32_t state[8], const uint8_t *data, size_t blocks);
        void (*compress_both)(uint32_t one[8], uint32_t other[8], const uint8_t *data, size_t blocks);
};

void sha256_init(struct sha256 *hash);
void sha256_update(struct sha256 *hash, const uint8_t *data, size_t size);

/* The same bytes for two hashes that have taken different ones before: little more work than for one while both stand at the same place in a block.
 */
void sha256_update_both(struct sha256 *one, struct sha256 *other, const uint8_t *data, size_t size);

void sha256_final(struct sha256 *hash, uint8_t ret_digest[32]);
