/* SPDX-License-Identifier: Apache-2.0 */
#include "codec.h"

#include <errno.h>
#include <lzma.h>

/* What `xz -9` needs is 65 MiB. */
static const uint64_t memory_limit = 128 << 20;

static const char *reason_of(lzma_ret code) {
        switch (code) {
        case LZMA_MEMLIMIT_ERROR:
                return "its dictionary is larger than 128 MiB";
        case LZMA_OPTIONS_ERROR:
                return "it uses options that are not supported";
        case LZMA_FORMAT_ERROR:
                return "what follows is no xz stream";
        default:
                return "the data is corrupt";
        }
}

static int run_stream(struct inflate *run, lzma_stream *stream) {
        for (bool finished = false; !finished;) {
                int r = run->held == 0 && !run->ended ? inflate_fill(run) : 0;
                if (r < 0)
                        return r;
                lzma_action action = run->ended && run->held == 0 ? LZMA_FINISH : LZMA_RUN;
                stream->next_in = run->input, stream->avail_in = run->held;
                do {
                        stream->next_out = run->output, stream->avail_out = CODEC_OUTPUT_SIZE;
                        lzma_ret code = lzma_code(stream, action);
                        if (code == LZMA_MEM_ERROR)
                                return berth_error_set(run->err, ENOMEM, "decompress the layer");
                        /* No progress although all of the input is there: the end is missing. */
                        if (code == LZMA_BUF_ERROR && action == LZMA_FINISH)
                                return inflate_cut_off(run, "xz");
                        if (code != LZMA_OK && code != LZMA_STREAM_END && code != LZMA_BUF_ERROR)
                                return inflate_damaged(run, "xz", reason_of(code));
                        r = inflate_deliver(run, run->output, CODEC_OUTPUT_SIZE - stream->avail_out);
                        if (r < 0)
                                return r;
                        finished = code == LZMA_STREAM_END;
                } while (!finished && (stream->avail_in > 0 || stream->avail_out == 0));
                inflate_consume(run, run->held - stream->avail_in);
        }
        return 0;
}

int inflate_xz(struct inflate *run) {
        lzma_stream stream = LZMA_STREAM_INIT;
        if (lzma_stream_decoder(&stream, memory_limit, LZMA_CONCATENATED) != LZMA_OK)
                return berth_error_set(run->err, ENOMEM, "start decompressing");
        int r = run_stream(run, &stream);
        lzma_end(&stream);
        return r;
}
