/* SPDX-License-Identifier: Apache-2.0 */
#include "deflate-bits.h"

enum { LENGTH_BITS = 7 };

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
                return deflate_damaged(stream, "invalid literal/length codes");
        if (huffman_build(&distance_table, distances, n_distances, distance_meaning, 1) < 0)
                return deflate_damaged(stream, "invalid distance codes");
        return 0;
}

int deflate_fixed_tables(struct deflate *stream) {
        uint8_t lengths[288], distances[32];
        for (unsigned i = 0; i < 288; i++)
                lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
        memset(distances, 5, sizeof distances);
        return build_tables(stream, lengths, 288, distances, 32);
}

int deflate_dynamic_tables(struct deflate *stream) {
        static const uint8_t order[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
        unsigned n_literals = take_bits(stream, 5) + 257, n_distances = take_bits(stream, 5) + 1, n_lengths = take_bits(stream, 4) + 4;
        if (n_literals > 286 || n_distances > 30)
                return deflate_damaged(stream, "too many length or distance symbols");
        uint8_t length_lengths[19] = {0}, lengths[286 + 30];
        for (unsigned i = 0; i < n_lengths; i++)
                length_lengths[order[i]] = (uint8_t) take_bits(stream, 3);
        uint32_t entries[1 << LENGTH_BITS];
        const struct huffman_table table = {entries, 1 << LENGTH_BITS, LENGTH_BITS};
        if (huffman_build(&table, length_lengths, 19, length_meaning, 0) < 0)
                return deflate_damaged(stream, "invalid code lengths set");

        for (unsigned i = 0; i < n_literals + n_distances;) {
                uint32_t entry = entries[peek_bits(stream, LENGTH_BITS)];
                if (entry & HUFFMAN_INVALID)
                        return deflate_damaged(stream, "invalid code lengths set");
                (void) take_bits(stream, entry & 0xff);
                unsigned symbol = entry >> 16;
                if (symbol < 16) {
                        lengths[i++] = (uint8_t) symbol;
                        continue;
                }
                if (symbol == 16 && i == 0)
                        return deflate_damaged(stream, "invalid bit length repeat");
                uint8_t value = symbol == 16 ? lengths[i - 1] : 0;
                unsigned times = symbol == 16 ? take_bits(stream, 2) + 3 : symbol == 17 ? take_bits(stream, 3) + 3 : take_bits(stream, 7) + 11;
                if (times > n_literals + n_distances - i)
                        return deflate_damaged(stream, "invalid bit length repeat");
                memset(lengths + i, value, times);
                i += times;
        }
        if (lengths[256] == 0)
                return deflate_damaged(stream, "missing end-of-block");
        return build_tables(stream, lengths, n_literals, lengths + n_literals, n_distances);
}
