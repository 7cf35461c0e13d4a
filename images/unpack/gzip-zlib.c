/* SPDX-License-Identifier: Apache-2.0 */
/* By zlib. */
#include "gzip.h"

#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

enum { WINDOW_BITS = 15 + 16 /* zlib: expect a gzip header */ };

struct gzip {
        z_stream stream;
        bool member_ended;
};

struct gzip *gzip_new(void) {
        struct gzip *gzip = calloc(1, sizeof *gzip);
        if (!gzip || inflateInit2(&gzip->stream, WINDOW_BITS) == Z_OK)
                return gzip;
        free(gzip);
        return NULL;
}

int gzip_step(struct gzip *gzip, struct gzip_bytes *bytes, bool *ret_member_ended, const char **ret_reason) {
        z_stream *stream = &gzip->stream;
        if (gzip->member_ended && inflateReset(stream) != Z_OK)
                return -ENOMEM;
        stream->next_in = bytes->in, stream->avail_in = (uInt) bytes->in_size;
        stream->next_out = bytes->out, stream->avail_out = (uInt) bytes->out_size;
        int z = inflate(stream, Z_NO_FLUSH);
        bytes->in = stream->next_in, bytes->in_size = stream->avail_in;
        bytes->out = stream->next_out, bytes->out_size = stream->avail_out;
        *ret_member_ended = gzip->member_ended = z == Z_STREAM_END;
        if (z == Z_MEM_ERROR)
                return -ENOMEM;
        *ret_reason = stream->msg ? stream->msg : "a dictionary is asked for";
        return z == Z_OK || z == Z_STREAM_END || z == Z_BUF_ERROR ? 0 : -EBADMSG;
}

void gzip_free(struct gzip *gzip) {
        (void) inflateEnd(&gzip->stream);
        free(gzip);
}
