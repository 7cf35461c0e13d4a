/* SPDX-License-Identifier: Apache-2.0 */
#include "deflate.h"

#include "huffman.h"
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { LITERAL_BITS = 11, DISTANCE_BITS = 8, LENGTH_BITS = 7 };

static int damaged(const struct deflate *stream, const char *what) {
        return berth_error_set(stream->err, LAYER_ERROR, "the gzip stream of the layer is damaged: %s", what);
}

static int cut_off(const struct deflate *stream) {
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

static bool over_read(const struct deflate *stream) {
        return stream->in - stream->n_bits / 8 > stream->in_end;
}

int deflate_byte(struct deflate *stream) {
        int r = need_input(stream);
        if (r < 0)
                return r;
        return stream->in < stream->in_end ? *stream->in++ : cut_off(stream);
}

int deflate_at_end(struct deflate *stream) {
        int r = need_input(stream);
        return r < 0 ? r : stream->in == stream->in_end;
}

/* At least 56 bits are at hand afterwards. The bits above n_bits are those of the next byte already, which does no harm: it is or'ed again. */
#define REFILL()                                                                                                                                     \
        do {                                                                                                                                         \
                uint64_t word_;                                                                                                                      \
                memcpy(&word_, in, sizeof word_);                                                                                                    \
                bits |= word_ << n_bits;                                                                                                             \
                in += (63 - n_bits) >> 3;                                                                                                            \
                n_bits |= 56;                                                                                                                        \
        } while (0)
#define TAKE(n) (bits >>= (n), n_bits -= (n))

/* Looks at the next bits, at most 32 of them. */
static uint32_t peek_bits(struct deflate *stream, unsigned n) {
        uint64_t bits = stream->bits;
        unsigned n_bits = stream->n_bits;
        const uint8_t *in = stream->in;
        if (n_bits < n)
                REFILL();
        stream->bits = bits, stream->n_bits = n_bits, stream->in = in;
        return (uint32_t) (bits & ((1ULL << n) - 1));
}

static uint32_t take_bits(struct deflate *stream, unsigned n) {
        uint32_t value = peek_bits(stream, n);
        stream->bits >>= n;
        stream->n_bits -= n;
        return value;
}

static uint32_t literal_meaning(unsigned symbol) {
        static const uint16_t base[] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                        31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
        static const uint8_t extra[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
        if (symbol < 256)
                return HUFFMAN_LITERAL | symbol << 16;
        if (symbol == 256)
                return HUFFMAN_END;
        if (symbol > 285)
                return HUFFMAN_INVALID;
        return (uint32_t) base[symbol - 257] << 16 | (uint32_t) extra[symbol - 257] << 8;
}

static uint32_t distance_meaning(unsigned symbol) {
        if (symbol > 29)
                return HUFFMAN_INVALID;
        unsigned extra = symbol < 4 ? 0 : symbol / 2 - 1;
        uint32_t base = symbol < 4 ? symbol + 1 : ((2 + (symbol & 1)) << extra) + 1;
        return base << 16 | extra << 8;
}

static uint32_t length_meaning(unsigned symbol) {
        return symbol << 16;
}

static int build_tables(struct deflate *stream, const uint8_t *literals, unsigned n_literals, const uint8_t *distances, unsigned n_distances) {
        const struct huffman_table literal_table = {stream->literals, DEFLATE_LITERALS, LITERAL_BITS};
        const struct huffman_table distance_table = {stream->distances, DEFLATE_DISTANCES, DISTANCE_BITS};
        if (huffman_build(&literal_table, literals, n_literals, literal_meaning, 1) < 0)
                return damaged(stream, "invalid literal/length codes");
        if (huffman_build(&distance_table, distances, n_distances, distance_meaning, 1) < 0)
                return damaged(stream, "invalid distance codes");
        return 0;
}

static int fixed_tables(struct deflate *stream) {
        uint8_t lengths[288], distances[32];
        for (unsigned i = 0; i < 288; i++)
                lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
        memset(distances, 5, sizeof distances);
        return build_tables(stream, lengths, 288, distances, 32);
}

static int dynamic_tables(struct deflate *stream) {
        static const uint8_t order[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
        unsigned n_literals = take_bits(stream, 5) + 257, n_distances = take_bits(stream, 5) + 1, n_lengths = take_bits(stream, 4) + 4;
        if (n_literals > 286 || n_distances > 30)
                return damaged(stream, "too many length or distance symbols");
        uint8_t length_lengths[19] = {0}, lengths[286 + 30];
        for (unsigned i = 0; i < n_lengths; i++)
                length_lengths[order[i]] = (uint8_t) take_bits(stream, 3);
        uint32_t entries[1 << LENGTH_BITS];
        const struct huffman_table table = {entries, 1 << LENGTH_BITS, LENGTH_BITS};
        if (huffman_build(&table, length_lengths, 19, length_meaning, 0) < 0)
                return damaged(stream, "invalid code lengths set");

        for (unsigned i = 0; i < n_literals + n_distances;) {
                uint32_t entry = entries[peek_bits(stream, LENGTH_BITS)];
                if (entry & HUFFMAN_INVALID)
                        return damaged(stream, "invalid code lengths set");
                (void) take_bits(stream, entry & 0xff);
                unsigned symbol = entry >> 16;
                if (symbol < 16) {
                        lengths[i++] = (uint8_t) symbol;
                        continue;
                }
                if (symbol == 16 && i == 0)
                        return damaged(stream, "invalid bit length repeat");
                uint8_t value = symbol == 16 ? lengths[i - 1] : 0;
                unsigned times = symbol == 16 ? take_bits(stream, 2) + 3 : symbol == 17 ? take_bits(stream, 3) + 3 : take_bits(stream, 7) + 11;
                if (times > n_literals + n_distances - i)
                        return damaged(stream, "invalid bit length repeat");
                memset(lengths + i, value, times);
                i += times;
        }
        if (lengths[256] == 0)
                return damaged(stream, "missing end-of-block");
        return build_tables(stream, lengths, n_literals, lengths + n_literals, n_distances);
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
                                r = cut_off(stream);
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
                                return cut_off(stream);
                        return entry & HUFFMAN_END ? 0 : damaged(stream, "invalid literal/length code");
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
                        return over_read(stream) ? cut_off(stream) : damaged(stream, "invalid distance");
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
                return damaged(stream, "invalid stored block lengths");
        while (left > 0) {
                int r = need_input(stream);
                if (r == 0 && stream->in >= stream->in_end)
                        r = cut_off(stream);
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
                        r = damaged(stream, "invalid block type");
                else if (type == 0)
                        r = copy_stored(stream);
                else {
                        r = type == 1 ? fixed_tables(stream) : dynamic_tables(stream);
                        if (over_read(stream))
                                return cut_off(stream);
                        if (r == 0)
                                r = decode_block(stream);
                }
                if (r < 0)
                        return r;
                if (over_read(stream))
                        return cut_off(stream);
        }
        align_input(stream);
        return 0;
}
