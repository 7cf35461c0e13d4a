/* SPDX-License-Identifier: Apache-2.0 */
#include "deflate.h"

#include "deflate-bits.h"
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

int deflate_damaged(const struct deflate *stream, const char *what) {
        return berth_error_set(stream->err, LAYER_ERROR, "the gzip stream of the layer is damaged: %s", what);
}

int deflate_cut_off(const struct deflate *stream) {
        return berth_error_set(stream->err, LAYER_ERROR, "the gzip stream of the layer is cut off after %llu bytes",
                               (unsigned long long) stream->in_total);
}

int deflate_init(struct deflate *stream, const struct gunzip_io *io, const uint8_t *head, size_t head_size, struct berth_error *err) {
        stream->io = io;
        stream->err = err;
        stream->bits = stream->n_bits = 0;
        stream->in_ended = false;
        stream->in_total = head_size;
        stream->input = malloc(DEFLATE_INPUT + DEFLATE_INPUT_SLACK);
        stream->output = malloc(DEFLATE_HISTORY + DEFLATE_OUTPUT + DEFLATE_OUTPUT_SLACK);
        if (!stream->input || !stream->output)
                return berth_error_set(err, ENOMEM, "start decompressing");
        stream->in = stream->input;
        memcpy(stream->input, head, head_size);
        stream->in_end = stream->input + head_size;
        memset(stream->input + head_size, 0, DEFLATE_INPUT_SLACK);
        stream->out = stream->history = stream->undelivered = stream->output;
        return 0;
}

void deflate_release(struct deflate *stream) {
        free(stream->input);
        free(stream->output);
}

void deflate_begin_member(struct deflate *stream) {
        stream->history = stream->out;
        stream->checksum = 0;
        stream->member_size = 0;
}

int deflate_flush(struct deflate *stream) {
        size_t size = (size_t) (stream->out - stream->undelivered);
        stream->checksum = (uint32_t) crc32_z(stream->checksum, stream->undelivered, size);
        stream->member_size += size;
        int r = size > 0 ? stream->io->deliver(stream->io->context, stream->undelivered, size) : 0;
        stream->undelivered = stream->out;
        return r;
}

/* Makes room for more output; matches reach back 32 KiB. */
static int make_room(struct deflate *stream) {
        int r = deflate_flush(stream);
        size_t shift = (size_t) (stream->out - stream->output);
        if (r < 0 || shift <= DEFLATE_HISTORY)
                return r;
        shift -= DEFLATE_HISTORY;
        memmove(stream->output, stream->output + shift, DEFLATE_HISTORY);
        stream->out -= shift;
        stream->undelivered = stream->out;
        stream->history = stream->history - stream->output > (ptrdiff_t) shift ? stream->history - shift : stream->output;
        return 0;
}

/* Puts back whole bytes that were loaded ahead, so that `in` is the next byte. */
static void align_input(struct deflate *stream) {
        stream->in -= stream->n_bits / 8;
        stream->bits = stream->n_bits = 0;
}

/* Keeps the longest header of a block (562 bytes) at hand, unless the input ends: zeros follow then, and over_read tells who used them. */
static int need_input(struct deflate *stream) {
        while (!stream->in_ended && stream->in_end - stream->in < DEFLATE_INPUT_SLACK) {
                /* What is loaded already may be put back: see align_input. */
                size_t loaded = stream->n_bits / 8, held = (size_t) (stream->in_end - stream->in) + loaded, n = 0;
                memmove(stream->input, stream->in - loaded, held);
                stream->in = stream->input + loaded;
                stream->in_end = stream->input + held;
                int r = stream->io->fill(stream->io->context, stream->input + held, DEFLATE_INPUT - held, &n);
                if (r < 0)
                        return r;
                stream->in_ended = n == 0;
                stream->in_total += n;
                stream->in_end += n;
                memset(stream->input + held + n, 0, DEFLATE_INPUT_SLACK);
        }
        return 0;
}

int deflate_byte(struct deflate *stream) {
        int r = need_input(stream);
        if (r < 0)
                return r;
        return stream->in < stream->in_end ? *stream->in++ : deflate_cut_off(stream);
}

int deflate_at_end(struct deflate *stream) {
        int r = need_input(stream);
        return r < 0 ? r : stream->in == stream->in_end;
}

/* Copies a match; up to 7 bytes behind it are written too, which the next symbol overwrites. */
static uint8_t *copy_match(uint8_t *out, unsigned distance, unsigned length) {
        const uint8_t *from = out - distance;
        uint8_t *const end = out + length;
        if (distance >= 8) {
                do {
                        uint64_t word;
                        memcpy(&word, from, sizeof word);
                        memcpy(out, &word, sizeof word);
                        from += 8, out += 8;
                } while (out < end);
        } else if (distance == 1) {
                memset(out, *from, length);
        } else {
                do
                        *out++ = *from++;
                while (out < end);
        }
        return end;
}

/* The state of a stream in registers, as long as a block is decoded. */
#define LOAD() (bits = stream->bits, n_bits = stream->n_bits, in = stream->in, out = stream->out)
#define STORE() (stream->bits = bits, stream->n_bits = n_bits, stream->in = in, stream->out = out)

static int decode_block(struct deflate *stream) {
        const uint32_t *literals = stream->literals, *distances = stream->distances;
        const uint8_t *out_stop = stream->output + DEFLATE_HISTORY + DEFLATE_OUTPUT;
        uint64_t bits;
        unsigned n_bits;
        const uint8_t *in;
        uint8_t *out;
        LOAD();
        for (const uint8_t *in_stop = NULL;;) {
                if (in >= in_stop || out >= out_stop) {
                        STORE();
                        int r = need_input(stream);
                        if (r == 0 && over_read(stream))
                                r = deflate_cut_off(stream);
                        if (r == 0 && out >= out_stop)
                                r = make_room(stream);
                        if (r < 0)
                                return r;
                        LOAD();
                        in_stop = stream->in_end + (stream->in_ended ? DEFLATE_INPUT_SLACK / 2 : -DEFLATE_INPUT_SLACK / 2);
                }
                REFILL();
                uint32_t entry = literals[bits & ((1U << LITERAL_BITS) - 1)];
                if (entry & HUFFMAN_LITERAL) {
                        /* Three literals of at most 11 bits leave enough for the look-up of what follows. */
                        TAKE(entry & 0xff);
                        *out++ = (uint8_t) (entry >> 16);
                        entry = literals[bits & ((1U << LITERAL_BITS) - 1)];
                        if (entry & HUFFMAN_LITERAL) {
                                TAKE(entry & 0xff);
                                *out++ = (uint8_t) (entry >> 16);
                                entry = literals[bits & ((1U << LITERAL_BITS) - 1)];
                                if (entry & HUFFMAN_LITERAL) {
                                        TAKE(entry & 0xff);
                                        *out++ = (uint8_t) (entry >> 16);
                                        continue;
                                }
                        }
                        REFILL();
                }
                if (entry & HUFFMAN_SUBTABLE) {
                        TAKE(entry & 0xff);
                        entry = literals[(entry >> 16) + (bits & ((1U << (entry >> 8 & 15)) - 1))];
                        if (entry & HUFFMAN_LITERAL) {
                                TAKE(entry & 0xff);
                                *out++ = (uint8_t) (entry >> 16);
                                continue;
                        }
                }
                TAKE(entry & 0xff);
                if (entry & (HUFFMAN_END | HUFFMAN_INVALID)) {
                        STORE();
                        if (over_read(stream))
                                return deflate_cut_off(stream);
                        return entry & HUFFMAN_END ? 0 : deflate_damaged(stream, "invalid literal/length code");
                }
                unsigned extra = entry >> 8 & 15;
                unsigned length = (entry >> 16) + (unsigned) (bits & ((1U << extra) - 1));
                TAKE(extra);

                entry = distances[bits & ((1U << DISTANCE_BITS) - 1)];
                if (entry & HUFFMAN_SUBTABLE) {
                        TAKE(entry & 0xff);
                        entry = distances[(entry >> 16) + (bits & ((1U << (entry >> 8 & 15)) - 1))];
                }
                TAKE(entry & 0xff);
                extra = entry >> 8 & 15;
                unsigned distance = (entry >> 16) + (unsigned) (bits & ((1U << extra) - 1));
                TAKE(extra);
                if ((entry & HUFFMAN_INVALID) || distance > (size_t) (out - stream->history)) {
                        STORE();
                        return over_read(stream) ? deflate_cut_off(stream) : deflate_damaged(stream, "invalid distance");
                }
                out = copy_match(out, distance, length);
        }
}

static int copy_stored(struct deflate *stream) {
        align_input(stream);
        uint8_t header[4];
        for (unsigned i = 0; i < 4; i++) {
                int r = deflate_byte(stream);
                if (r < 0)
                        return r;
                header[i] = (uint8_t) r;
        }
        unsigned left = (unsigned) header[0] | (unsigned) header[1] << 8;
        if (left != (0xffffU & ~((unsigned) header[2] | (unsigned) header[3] << 8)))
                return deflate_damaged(stream, "invalid stored block lengths");
        while (left > 0) {
                int r = need_input(stream);
                if (r == 0 && stream->in >= stream->in_end)
                        r = deflate_cut_off(stream);
                if (r == 0)
                        r = make_room(stream);
                if (r < 0)
                        return r;
                size_t n = (size_t) (stream->in_end - stream->in);
                if (n > left)
                        n = left;
                memcpy(stream->out, stream->in, n);
                stream->in += n, stream->out += n, left -= (unsigned) n;
        }
        return 0;
}

int deflate_run(struct deflate *stream) {
        for (bool last = false; !last;) {
                int r = need_input(stream);
                if (r < 0)
                        return r;
                last = take_bits(stream, 1);
                unsigned type = take_bits(stream, 2);
                if (type == 3)
                        r = deflate_damaged(stream, "invalid block type");
                else if (type == 0)
                        r = copy_stored(stream);
                else {
                        r = type == 1 ? deflate_fixed_tables(stream) : deflate_dynamic_tables(stream);
                        if (over_read(stream))
                                return deflate_cut_off(stream);
                        if (r == 0)
                                r = decode_block(stream);
                }
                if (r < 0)
                        return r;
                if (over_read(stream))
                        return deflate_cut_off(stream);
        }
        align_input(stream);
        return 0;
}
