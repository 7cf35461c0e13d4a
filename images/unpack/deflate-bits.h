/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "deflate.h"
#include "huffman.h"

#include <string.h>

/* What the parts of the decoder share: the bits at hand, and the two ways in which a stream is wrong. */

enum { LITERAL_BITS = 11, DISTANCE_BITS = 8 };

int deflate_damaged(const struct deflate *stream, const char *what);
int deflate_cut_off(const struct deflate *stream);

/* Fill the stream's tables: with the codes that RFC 1951 fixes, or with those that the block brings. */
int deflate_fixed_tables(struct deflate *stream);
int deflate_dynamic_tables(struct deflate *stream);

/* Whether bits were used that are not there: the zeros behind the end. */
static inline bool over_read(const struct deflate *stream) {
        return stream->in - stream->n_bits / 8 > stream->in_end;
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
static inline uint32_t peek_bits(struct deflate *stream, unsigned n) {
        uint64_t bits = stream->bits;
        unsigned n_bits = stream->n_bits;
        const uint8_t *in = stream->in;
        if (n_bits < n)
                REFILL();
        stream->bits = bits, stream->n_bits = n_bits, stream->in = in;
        return (uint32_t) (bits & ((1ULL << n) - 1));
}

static inline uint32_t take_bits(struct deflate *stream, unsigned n) {
        uint32_t value = peek_bits(stream, n);
        stream->bits >>= n;
        stream->n_bits -= n;
        return value;
}
