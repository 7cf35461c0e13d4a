/* SPDX-License-Identifier: Apache-2.0 */
#include "codec.h"

#include <bzlib.h>
#include <errno.h>

static int begin(struct inflate *run, bz_stream *stream) {
        *stream = (bz_stream){0};
        return BZ2_bzDecompressInit(stream, 0, 0) == BZ_OK ? 0 : berth_error_set(run->err, ENOMEM, "start decompressing");
}

static int run_input(struct inflate *run, bz_stream *stream, bool *ret_ended) {
        stream->next_in = (char *) run->input, stream->avail_in = (unsigned) run->held;
        do {
                stream->next_out = (char *) run->output, stream->avail_out = CODEC_OUTPUT_SIZE;
                int code = BZ2_bzDecompress(stream);
                if (code == BZ_MEM_ERROR)
                        return berth_error_set(run->err, ENOMEM, "decompress the layer");
                if (code != BZ_OK && code != BZ_STREAM_END)
                        return inflate_damaged(run, "bzip2", "the data is corrupt");
                int r = inflate_deliver(run, run->output, CODEC_OUTPUT_SIZE - stream->avail_out);
                if (r < 0)
                        return r;
                *ret_ended = code == BZ_STREAM_END;
        } while (!*ret_ended && (stream->avail_in > 0 || stream->avail_out == 0));
        inflate_consume(run, run->held - stream->avail_in);
        return 0;
}

int inflate_bzip2(struct inflate *run) {
        bz_stream stream;
        int r = begin(run, &stream);
        for (bool ended = false; r == 0;) {
                r = run->held == 0 ? inflate_fill(run) : 0;
                if (r < 0 || (run->held == 0 && ended))
                        break;
                if (run->held == 0) {
                        r = inflate_cut_off(run, "bzip2");
                        break;
                }
                /* Parallel compressors write several streams one after the other. */
                if (ended) {
                        (void) BZ2_bzDecompressEnd(&stream);
                        r = begin(run, &stream);
                }
                if (r == 0)
                        r = run_input(run, &stream, &ended);
        }
        (void) BZ2_bzDecompressEnd(&stream);
        return r;
}
