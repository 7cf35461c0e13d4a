/* SPDX-License-Identifier: Apache-2.0 */
#include "block-codec.h"

#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

enum {
        GZIP_LEVEL = 4, /* as small as what Docker sends, in half the time of gzip(1)'s 6 */
        ZSTD_LEVEL = 3, /* as zstd(1) */
        RAW_DEFLATE = -15,
        MEMORY_LEVEL = 8,
        /* zlib's bound is for one call that ends the stream; a flush adds an empty block. */
        FLUSH_ROOM = 64,
};

static size_t gzip_bound(size_t size) {
        return compressBound(size) + FLUSH_ROOM;
}

static void *gzip_open(void) {
        z_stream *stream = calloc(1, sizeof *stream);
        if (stream && deflateInit2(stream, GZIP_LEVEL, Z_DEFLATED, RAW_DEFLATE, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
                free(stream);
                return NULL;
        }
        return stream;
}

/* Ends on a whole byte, so that blocks can be put one behind the other. */
static size_t gzip_compress(void *state, const uint8_t *block, size_t size, size_t dictionary, uint8_t *out, size_t room) {
        z_stream *stream = state;
        if (deflateReset(stream) != Z_OK)
                return 0;
        if (dictionary > 0 && deflateSetDictionary(stream, block - dictionary, (uInt) dictionary) != Z_OK)
                return 0;
        stream->next_in = block, stream->avail_in = (uInt) size;
        stream->next_out = out, stream->avail_out = (uInt) room;
        if (deflate(stream, Z_SYNC_FLUSH) != Z_OK || stream->avail_in > 0 || stream->avail_out == 0)
                return 0;
        return room - stream->avail_out;
}

/* No name, no time, no system: nothing that differs from run to run.   See RFC 1952. */
static size_t gzip_begin(uint8_t *out) {
        static const uint8_t header[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
        memcpy(out, header, sizeof header);
        return sizeof header;
}

static size_t put_le32(uint8_t *out, uint32_t value) {
        for (unsigned i = 0; i < 4; i++)
                out[i] = (uint8_t) (value >> 8 * i);
        return 4;
}

static size_t gzip_end(uint8_t *out, uint32_t crc, uint64_t size) {
        /* An empty last block. */
        out[0] = 3, out[1] = 0;
        size_t used = 2;
        used += put_le32(out + used, crc);
        return used + put_le32(out + used, (uint32_t) size);
}

const struct block_codec gzip_blocks = {
        .block_size = 1 << 20,
        .bound = gzip_bound,
        .open = gzip_open,
        .compress = gzip_compress,
        .begin = gzip_begin,
        .end = gzip_end,
};

static size_t zstd_bound(size_t size) {
        return ZSTD_compressBound(size);
}

static void *zstd_open(void) {
        ZSTD_CCtx *context = ZSTD_createCCtx();
        if (context && (ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, ZSTD_LEVEL)) ||
                        ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)))) {
                (void) ZSTD_freeCCtx(context);
                return NULL;
        }
        return context;
}

/* A frame for each block: frames follow each other freely.   See RFC 8878. */
static size_t zstd_compress(void *state, const uint8_t *block, size_t size, size_t dictionary, uint8_t *out, size_t room) {
        (void) dictionary;
        size_t used = ZSTD_compress2(state, out, room, block, size);
        return ZSTD_isError(used) ? 0 : used;
}

static size_t zstd_begin(uint8_t *out) {
        (void) out;
        return 0;
}

static size_t zstd_end(uint8_t *out, uint32_t crc, uint64_t size) {
        (void) out, (void) crc, (void) size;
        return 0;
}

const struct block_codec zstd_blocks = {
        .block_size = 4 << 20,
        .bound = zstd_bound,
        .open = zstd_open,
        .compress = zstd_compress,
        .begin = zstd_begin,
        .end = zstd_end,
        .needs_block = 1,
};
