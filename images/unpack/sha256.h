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
};

void sha256_init(struct sha256 *hash);
void sha256_update(struct sha256 *hash, const uint8_t *data, size_t size);
void sha256_final(struct sha256 *hash, uint8_t ret_digest[32]);
