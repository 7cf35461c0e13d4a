/* SPDX-License-Identifier: Apache-2.0 */
#include "gunzip.h"

#include "deflate.h"
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

enum { FLAG_CHECKSUM = 2, FLAG_EXTRA = 4, FLAG_NAME = 8, FLAG_COMMENT = 16, FLAG_RESERVED = 0xe0 };

static int damaged(struct deflate *stream, const char *what) {
        return berth_error_set(stream->err, LAYER_ERROR, "the gzip stream of the layer is damaged: %s", what);
}

static int get_bytes(struct deflate *stream, uint8_t *to, size_t n) {
        for (size_t i = 0; i < n; i++) {
                int r = deflate_byte(stream);
                if (r < 0)
                        return r;
                to[i] = (uint8_t) r;
        }
        /* The header may have a checksum of its own; the content's begins anew behind it. */
        stream->checksum = (uint32_t) crc32_z(stream->checksum, to, n);
        return 0;
}

static int skip_text(struct deflate *stream) {
        for (uint8_t byte = 1; byte != 0;) {
                int r = get_bytes(stream, &byte, 1);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int skip_extra(struct deflate *stream) {
        uint8_t size[2], byte;
        int r = get_bytes(stream, size, sizeof size);
        for (unsigned left = (unsigned) size[0] | (unsigned) size[1] << 8; r == 0 && left > 0; left--)
                r = get_bytes(stream, &byte, 1);
        return r;
}

static int read_header(struct deflate *stream) {
        uint8_t header[10], checksum[2];
        int r = get_bytes(stream, header, 2);
        if (r == 0 && (header[0] != 0x1f || header[1] != 0x8b))
                return damaged(stream, "something else follows it");
        if (r == 0)
                r = get_bytes(stream, header + 2, sizeof header - 2);
        if (r < 0)
                return r;
        if (header[2] != 8 || (header[3] & FLAG_RESERVED))
                return damaged(stream, "bad header");
        if (header[3] & FLAG_EXTRA)
                r = skip_extra(stream);
        if (r == 0 && (header[3] & FLAG_NAME))
                r = skip_text(stream);
        if (r == 0 && (header[3] & FLAG_COMMENT))
                r = skip_text(stream);
        uint32_t expected = stream->checksum & 0xffff;
        if (r == 0 && (header[3] & FLAG_CHECKSUM)) {
                r = get_bytes(stream, checksum, sizeof checksum);
                if (r == 0 && ((uint32_t) checksum[0] | (uint32_t) checksum[1] << 8) != expected)
                        return damaged(stream, "header checksum mismatch");
        }
        stream->checksum = 0;
        return r;
}

static uint32_t little_endian(const uint8_t *from) {
        return (uint32_t) from[0] | (uint32_t) from[1] << 8 | (uint32_t) from[2] << 16 | (uint32_t) from[3] << 24;
}

static int check_trailer(struct deflate *stream) {
        int r = deflate_flush(stream);
        if (r < 0)
                return r;
        const uint32_t checksum = stream->checksum;
        uint8_t trailer[8];
        r = get_bytes(stream, trailer, sizeof trailer);
        if (r < 0)
                return r;
        if (little_endian(trailer) != checksum)
                return damaged(stream, "incorrect data check");
        if (little_endian(trailer + 4) != (uint32_t) stream->member_size)
                return damaged(stream, "incorrect length check");
        return 0;
}

int gunzip_run(const struct gunzip_io *io, const uint8_t *head, size_t head_size, struct berth_error *err) {
        struct deflate *stream = malloc(sizeof *stream);
        if (!stream)
                return berth_error_set(err, ENOMEM, "start decompressing");
        int r = deflate_init(stream, io, head, head_size, err);
        while (r == 0) {
                deflate_begin_member(stream);
                r = read_header(stream);
                if (r == 0)
                        r = deflate_run(stream);
                if (r == 0)
                        r = check_trailer(stream);
                if (r == 0)
                        r = deflate_at_end(stream);
        }
        deflate_release(stream);
        free(stream);
        return r < 0 ? r : 0;
}
