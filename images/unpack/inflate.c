/* SPDX-License-Identifier: Apache-2.0 */
#include "inflate.h"

#include "codec.h"
#include "gzip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

enum {
        ZSTD_WINDOW_LOG = 27, /* 128 MiB, what zstd(1) itself accepts unasked */
};

/* Small layers of zeros compress a thousandfold and hurt nobody. */
static const uint64_t ratio_counts_above = 1ULL << 30;

/* Waits until more of the blob may have been written. 1: look again, 0: it was whole at the last look, or a negative errno. */
static int wait_for_growth(struct inflate *run) {
        if (run->growth < 0)
                return 0;
        uint8_t told[64];
        ssize_t n = read(run->growth, told, sizeof told);
        if (n < 0 && errno != EINTR)
                return berth_error_set(run->err, errno, "wait for more of the layer");
        /* What was written before the end was told may have come after our last look. */
        if (n == 0)
                run->growth = -1;
        return 1;
}

int inflate_fill(struct inflate *run) {
        while (run->held < CODEC_INPUT_SIZE && !run->ended) {
                ssize_t n = read(run->from, run->input + run->held, CODEC_INPUT_SIZE - run->held);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return berth_error_set(run->err, errno, "read the layer");
                if (n == 0) {
                        int r = wait_for_growth(run);
                        if (r < 0)
                                return r;
                        run->ended = r == 0;
                        continue;
                }
                run->held += (size_t) n;
                run->read += (uint64_t) n;
                /* What a stream has already brought is worked on while the rest arrives. */
                if (run->held >= 512)
                        break;
        }
        return 0;
}

void inflate_consume(struct inflate *run, size_t used) {
        memmove(run->input, run->input + used, run->held - used);
        run->held -= used;
}

int inflate_deliver(struct inflate *run, const uint8_t *data, size_t size) {
        run->written += size;
        if (run->written > run->limits->bytes)
                return berth_error_set(run->err, LAYER_ERROR, "the layer is larger than the limit of %llu bytes",
                                       (unsigned long long) run->limits->bytes);
        if (run->limits->ratio > 0 && run->written > ratio_counts_above && run->written / run->limits->ratio > run->read)
                return berth_error_set(run->err, LAYER_ERROR, "the layer grows more than %llu times when it is decompressed",
                                       (unsigned long long) run->limits->ratio);
        while (size > 0) {
                ssize_t n = write(run->to, data, size);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return berth_error_set(run->err, errno, "hand on the decompressed layer");
                data += n, size -= (size_t) n;
        }
        return 0;
}

int inflate_cut_off(const struct inflate *run, const char *format) {
        return berth_error_set(run->err, LAYER_ERROR, "the %s stream of the layer is cut off after %llu bytes", format,
                               (unsigned long long) run->read);
}

int inflate_damaged(const struct inflate *run, const char *format, const char *reason) {
        return berth_error_set(run->err, LAYER_ERROR, "the %s stream of the layer is damaged: %s", format, reason);
}

static int run_plain(struct inflate *run) {
        int r = 0;
        while (r == 0 && run->held > 0) {
                r = inflate_deliver(run, run->input, run->held);
                run->held = 0;
                if (r == 0)
                        r = inflate_fill(run);
        }
        return r;
}

static int run_gzip(struct inflate *run) {
        struct gzip *gzip = gzip_new();
        if (!gzip)
                return berth_error_set(run->err, ENOMEM, "start decompressing");
        for (bool member_ended = false;;) {
                int r = run->held == 0 ? inflate_fill(run) : 0;
                if (r < 0)
                        return r;
                if (run->held == 0 && member_ended)
                        break;
                if (run->held == 0)
                        return inflate_cut_off(run, "gzip");
                struct gzip_bytes bytes = {.in = run->input, .in_size = run->held};
                do {
                        const char *reason;
                        bytes.out = run->output, bytes.out_size = CODEC_OUTPUT_SIZE;
                        r = gzip_step(gzip, &bytes, &member_ended, &reason);
                        if (r == -ENOMEM)
                                return berth_error_set(run->err, ENOMEM, "decompress the layer");
                        if (r < 0)
                                return inflate_damaged(run, "gzip", reason);
                        r = inflate_deliver(run, run->output, CODEC_OUTPUT_SIZE - bytes.out_size);
                        if (r < 0)
                                return r;
                } while (!member_ended && (bytes.in_size > 0 || bytes.out_size == 0));
                inflate_consume(run, run->held - bytes.in_size);
        }
        gzip_free(gzip);
        return 0;
}

static int run_zstd(struct inflate *run) {
        ZSTD_DCtx *context = ZSTD_createDCtx();
        if (!context || ZSTD_isError(ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG)))
                return berth_error_set(run->err, ENOMEM, "start decompressing");
        for (size_t wanted = 1;;) {
                int r = run->held == 0 ? inflate_fill(run) : 0;
                if (r < 0)
                        return r;
                if (run->held == 0 && wanted == 0)
                        break;
                if (run->held == 0)
                        return inflate_cut_off(run, "zstd");
                ZSTD_inBuffer in = {.src = run->input, .size = run->held};
                ZSTD_outBuffer out;
                do {
                        out = (ZSTD_outBuffer){.dst = run->output, .size = CODEC_OUTPUT_SIZE};
                        wanted = ZSTD_decompressStream(context, &out, &in);
                        if (ZSTD_isError(wanted))
                                return inflate_damaged(run, "zstd", ZSTD_getErrorName(wanted));
                        r = inflate_deliver(run, run->output, out.pos);
                        if (r < 0)
                                return r;
                } while (in.pos < in.size || (out.pos == out.size && wanted != 0));
                inflate_consume(run, run->held);
        }
        (void) ZSTD_freeDCtx(context);
        return 0;
}

static bool begins(const struct inflate *run, const char *magic, size_t size) {
        return run->held >= size && memcmp(run->input, magic, size) == 0;
}

int inflate_run(const struct inflate_input *input, int to, const struct limits *limits, struct berth_error *err) {
        struct inflate run = {.from = input->blob, .growth = input->growth, .to = to, .limits = limits, .err = err};
        run.input = malloc(CODEC_INPUT_SIZE);
        run.output = malloc(CODEC_OUTPUT_SIZE);
        if (!run.input || !run.output)
                return berth_error_set(err, ENOMEM, "start decompressing");
        int r = inflate_fill(&run);
        if (r < 0)
                return r;
        if (begins(&run, "\x1f\x8b", 2))
                return run_gzip(&run);
        /* Skippable frames, which may stand first, are 0x184D2A50 to 5F. */
        if (begins(&run, "\x28\xb5\x2f\xfd", 4) || (run.held >= 4 && (run.input[0] & 0xf0) == 0x50 && memcmp(run.input + 1, "\x2a\x4d\x18", 3) == 0))
                return run_zstd(&run);
        if (begins(&run,
                   "\xfd"
                   "7zXZ",
                   5))
                return inflate_xz(&run);
        if (run.held >= 10 && begins(&run, "BZh", 3) && memcmp(run.input + 4, "1AY&SY", 6) == 0)
                return inflate_bzip2(&run);
        return run_plain(&run);
}
