/* SPDX-License-Identifier: Apache-2.0 */
#include "huffman.h"

#include <errno.h>
#include <string.h>

enum { MAX_INDEX_BITS = 11, MAX_SYMBOLS = 288 };

/* Codes are written from their highest bit, all else from its lowest. */
static unsigned reverse(unsigned code, unsigned length) {
        unsigned reversed = 0;
        for (unsigned i = 0; i < length; i++)
                reversed |= (code >> i & 1) << (length - 1 - i);
        return reversed;
}

static int check(const uint16_t count[HUFFMAN_MAX_BITS + 1], int allow_single) {
        int left = 1;
        unsigned used = 0;
        for (unsigned length = 1; length <= HUFFMAN_MAX_BITS; length++) {
                left = left * 2 - count[length];
                used += count[length];
                if (left < 0)
                        return -EBADMSG;
        }
        if (left == 0 || used == 0 || (allow_single && used == 1 && count[1] == 1))
                return 0;
        return -EBADMSG;
}

static void spread(uint32_t *entries, unsigned first, unsigned step, unsigned size, uint32_t entry) {
        for (unsigned at = first; at < size; at += step)
                entries[at] = entry;
}

int huffman_build(const struct huffman_table *table, const uint8_t *lengths, unsigned n, huffman_meaning meaning, int allow_single) {
        uint16_t count[HUFFMAN_MAX_BITS + 1] = {0};
        for (unsigned symbol = 0; symbol < n; symbol++)
                count[lengths[symbol]]++;
        count[0] = 0;
        int r = check(count, allow_single);
        if (r < 0)
                return r;

        unsigned next[HUFFMAN_MAX_BITS + 2] = {0};
        for (unsigned length = 1; length <= HUFFMAN_MAX_BITS; length++)
                next[length + 1] = (next[length] + count[length]) << 1;

        const unsigned bits = table->index_bits, size = 1U << bits;
        uint16_t codes[MAX_SYMBOLS];
        uint8_t longest[1 << MAX_INDEX_BITS] = {0}; /* of the codes that begin with this index */
        for (unsigned symbol = 0; symbol < n; symbol++) {
                unsigned length = lengths[symbol];
                if (length == 0)
                        continue;
                codes[symbol] = (uint16_t) reverse(next[length]++, length);
                unsigned prefix = codes[symbol] & (size - 1);
                if (length > bits && longest[prefix] < length)
                        longest[prefix] = (uint8_t) length;
        }

        spread(table->entries, 0, 1, size, HUFFMAN_INVALID | 1);
        size_t used = size;
        for (unsigned symbol = 0; symbol < n; symbol++) {
                unsigned length = lengths[symbol];
                if (length == 0)
                        continue;
                if (length <= bits) {
                        spread(table->entries, codes[symbol], 1U << length, size, meaning(symbol) | length);
                        continue;
                }
                unsigned prefix = codes[symbol] & (size - 1), sub_bits = longest[prefix] - bits;
                uint32_t *link = &table->entries[prefix];
                if (!(*link & HUFFMAN_SUBTABLE)) {
                        if (used + (1U << sub_bits) > table->capacity)
                                return -EBADMSG;
                        *link = (uint32_t) used << 16 | HUFFMAN_SUBTABLE | sub_bits << 8 | bits;
                        spread(table->entries + used, 0, 1, 1U << sub_bits, HUFFMAN_INVALID | 1);
                        used += 1U << sub_bits;
                }
                spread(table->entries + (*link >> 16), codes[symbol] >> bits, 1U << (length - bits), 1U << sub_bits,
                       meaning(symbol) | (length - bits));
        }
        return 0;
}
