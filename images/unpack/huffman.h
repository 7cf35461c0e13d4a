/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Decoding tables of DEFLATE. An entry holds, from the lowest bit: 8 bits of code length, 4 bits of extra bits, 4 bits of flags, and 16
 * bits of value. Codes longer than the table's index continue in a second table, whose place and index width are such an entry's value and
 * extra bits.
 */
enum {
        HUFFMAN_LITERAL = 1 << 12,
        HUFFMAN_END = 1 << 13,
        HUFFMAN_SUBTABLE = 1 << 14,
        HUFFMAN_INVALID = 1 << 15,
        HUFFMAN_MAX_BITS = 15,
};

struct huffman_table {
        uint32_t *entries;
        size_t capacity;
        unsigned index_bits;
};

/* What a symbol decodes to: flags, extra bits and value, without the code's length. */
typedef uint32_t (*huffman_meaning)(unsigned symbol);

/*
 * Builds the table for codes of these lengths (0: unused). -EBADMSG when they are no prefix code: over-subscribed, or incomplete but for the
 * one case that RFC 1951 knows, a single code of one bit (`allow_single`). No code at all is allowed; using it is not.
 */
int huffman_build(const struct huffman_table *table, const uint8_t *lengths, unsigned n, huffman_meaning meaning, int allow_single);
