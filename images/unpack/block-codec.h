/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* What a block may refer back to: the end of the one before it. */
enum { BLOCK_DICTIONARY_SIZE = 32 << 10 };

/* A format whose streams can be made of blocks that are compressed each by itself. */
struct block_codec {
        size_t block_size;
        /* Room that a compressed block may take. */
        size_t (*bound)(size_t size);
        /* For one process; NULL: no memory. */
        void *(*open)(void);
        /* The size, or 0 on failure. `dictionary` ends where the block begins; it has up to BLOCK_DICTIONARY_SIZE bytes, the first one's none. */
        size_t (*compress)(void *state, const uint8_t *block, size_t size, size_t dictionary, uint8_t *out, size_t room);
        /* What stands before and behind the blocks: at most 32 bytes.   Returns the size. */
        size_t (*begin)(uint8_t *out);
        size_t (*end)(uint8_t *out, uint32_t crc, uint64_t size);
        /* Whether a stream without blocks is none. */
        int needs_block;
};

extern const struct block_codec gzip_blocks;
extern const struct block_codec zstd_blocks;
