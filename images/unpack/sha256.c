/* SPDX-License-Identifier: Apache-2.0 */
#include "sha256.h"

#include <stdbool.h>
#include <string.h>

static const uint32_t round_constants[64] = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
        0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
        0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
        0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
        0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
        0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

#if defined __x86_64__ && !defined SHA256_PORTABLE
#define HAS_SHA_NI
#endif

static uint32_t rotate(uint32_t value, unsigned bits) {
        return value >> bits | value << (32 - bits);
}

static uint32_t load_big_endian(const uint8_t *from) {
        return (uint32_t) from[0] << 24 | (uint32_t) from[1] << 16 | (uint32_t) from[2] << 8 | from[3];
}

static void schedule(uint32_t w[64], const uint8_t *data) {
        for (unsigned i = 0; i < 16; i++)
                w[i] = load_big_endian(data + (size_t) 4 * i);
        for (unsigned i = 16; i < 64; i++) {
                uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
                uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
                w[i] = w[i - 16] + s0 + w[i - 7] + s1;
        }
}

static void all_rounds(uint32_t state[8], const uint32_t w[64]) {
        uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
        uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
        for (unsigned i = 0; i < 64; i++) {
                uint32_t t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + round_constants[i] + w[i];
                uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
                h = g, g = f, f = e, e = d + t1;
                d = c, c = b, b = a, a = t1 + t2;
        }
        state[0] += a, state[1] += b, state[2] += c, state[3] += d;
        state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

static void compress_portable(uint32_t state[8], const uint8_t *data, size_t blocks) {
        for (; blocks > 0; blocks--, data += 64) {
                uint32_t w[64];
                schedule(w, data);
                all_rounds(state, w);
        }
}

static void compress_both_portable(uint32_t one[8], uint32_t other[8], const uint8_t *data, size_t blocks) {
        for (; blocks > 0; blocks--, data += 64) {
                uint32_t w[64];
                schedule(w, data);
                all_rounds(one, w);
                all_rounds(other, w);
        }
}

#ifdef HAS_SHA_NI
#include <cpuid.h>
#include <immintrin.h>

#define USES_SHA_NI __attribute__((target("sha,sse4.1,ssse3")))

/* Intel's SHA extensions keep the state as ABEF and CDGH, and do four rounds for each four message words. */
struct lanes {
        __m128i abef;
        __m128i cdgh;
};

USES_SHA_NI static inline struct lanes load_lanes(const uint32_t state[8]) {
        __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *) (const void *) &state[0]), 0xB1);
        __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *) (const void *) &state[4]), 0x1B);
        return (struct lanes){.abef = _mm_alignr_epi8(cdab, efgh, 8), .cdgh = _mm_blend_epi16(efgh, cdab, 0xF0)};
}

USES_SHA_NI static inline void store_lanes(uint32_t state[8], struct lanes lanes) {
        __m128i feba = _mm_shuffle_epi32(lanes.abef, 0x1B);
        __m128i dchg = _mm_shuffle_epi32(lanes.cdgh, 0xB1);
        _mm_storeu_si128((__m128i *) (void *) &state[0], _mm_blend_epi16(feba, dchg, 0xF0));
        _mm_storeu_si128((__m128i *) (void *) &state[4], _mm_alignr_epi8(dchg, feba, 8));
}

USES_SHA_NI static inline void load_words(__m128i w[4], const uint8_t *data) {
        const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
        for (unsigned i = 0; i < 4; i++)
                w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *) (const void *) (data + (size_t) 16 * i)), swap);
}

/* Words 4i to 4i+3 with their constants; those that are needed sixteen words later take their place. */
USES_SHA_NI static inline __m128i next_words(__m128i w[4], unsigned i) {
        __m128i words = w[i % 4];
        if (i < 12) {
                __m128i next = w[(i + 1) % 4], second = w[(i + 2) % 4], third = w[(i + 3) % 4];
                __m128i mixed = _mm_add_epi32(_mm_sha256msg1_epu32(words, next), _mm_alignr_epi8(third, second, 4));
                w[i % 4] = _mm_sha256msg2_epu32(mixed, third);
        }
        return _mm_add_epi32(words, _mm_loadu_si128((const __m128i *) (const void *) &round_constants[4 * i]));
}

USES_SHA_NI static inline struct lanes four_rounds(struct lanes lanes, __m128i sum) {
        lanes.cdgh = _mm_sha256rnds2_epu32(lanes.cdgh, lanes.abef, sum);
        lanes.abef = _mm_sha256rnds2_epu32(lanes.abef, lanes.cdgh, _mm_shuffle_epi32(sum, 0x0E));
        return lanes;
}

USES_SHA_NI static inline struct lanes add_lanes(struct lanes one, struct lanes other) {
        return (struct lanes){.abef = _mm_add_epi32(one.abef, other.abef), .cdgh = _mm_add_epi32(one.cdgh, other.cdgh)};
}

USES_SHA_NI static void compress_sha_ni(uint32_t state[8], const uint8_t *data, size_t blocks) {
        struct lanes lanes = load_lanes(state);
        for (; blocks > 0; blocks--, data += 64) {
                const struct lanes before = lanes;
                __m128i w[4];
                load_words(w, data);
#pragma GCC unroll 16
                for (unsigned i = 0; i < 16; i++)
                        lanes = four_rounds(lanes, next_words(w, i));
                lanes = add_lanes(lanes, before);
        }
        store_lanes(state, lanes);
}

/* The rounds of one hash wait for each other: those of the second fill the gaps, and the message words are needed once. */
USES_SHA_NI static void compress_both_sha_ni(uint32_t one[8], uint32_t other[8], const uint8_t *data, size_t blocks) {
        struct lanes first = load_lanes(one), second = load_lanes(other);
        for (; blocks > 0; blocks--, data += 64) {
                const struct lanes first_before = first, second_before = second;
                __m128i w[4];
                load_words(w, data);
#pragma GCC unroll 16
                for (unsigned i = 0; i < 16; i++) {
                        __m128i sum = next_words(w, i);
                        first = four_rounds(first, sum);
                        second = four_rounds(second, sum);
                }
                first = add_lanes(first, first_before);
                second = add_lanes(second, second_before);
        }
        store_lanes(one, first);
        store_lanes(other, second);
}

static bool has_sha_ni(void) {
        unsigned a, b, c, d;
        if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSE4_1) || !(c & bit_SSSE3))
                return false;
        return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}
#endif

void sha256_init(struct sha256 *hash) {
        *hash = (struct sha256){
                .state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19},
                .compress = compress_portable,
                .compress_both = compress_both_portable,
        };
#ifdef HAS_SHA_NI
        if (has_sha_ni())
                hash->compress = compress_sha_ni, hash->compress_both = compress_both_sha_ni;
#endif
}

void sha256_update(struct sha256 *hash, const uint8_t *data, size_t size) {
        size_t held = hash->total % 64;
        hash->total += size;
        if (held > 0) {
                size_t fill = 64 - held < size ? 64 - held : size;
                memcpy(hash->block + held, data, fill);
                data += fill, size -= fill;
                if (held + fill < 64)
                        return;
                hash->compress(hash->state, hash->block, 1);
        }
        hash->compress(hash->state, data, size / 64);
        if (size % 64 > 0)
                memcpy(hash->block, data + size - size % 64, size % 64);
}

void sha256_update_both(struct sha256 *one, struct sha256 *other, const uint8_t *data, size_t size) {
        size_t held = one->total % 64;
        if (other->total % 64 != held) {
                sha256_update(one, data, size);
                sha256_update(other, data, size);
                return;
        }
        size_t fill = (64 - held) % 64 < size ? (64 - held) % 64 : size;
        sha256_update(one, data, fill);
        sha256_update(other, data, fill);
        data += fill, size -= fill;
        size_t whole = size / 64 * 64;
        one->compress_both(one->state, other->state, data, whole / 64);
        one->total += whole, other->total += whole;
        sha256_update(one, data + whole, size - whole);
        sha256_update(other, data + whole, size - whole);
}

void sha256_final(struct sha256 *hash, uint8_t ret_digest[32]) {
        uint64_t bits = hash->total * 8;
        uint8_t tail[72] = {0x80};
        size_t padding = 64 - (hash->total + 8) % 64;
        for (unsigned i = 0; i < 8; i++)
                tail[padding + i] = (uint8_t) (bits >> (56 - 8 * i));
        sha256_update(hash, tail, padding + 8);
        for (unsigned i = 0; i < 32; i++)
                ret_digest[i] = (uint8_t) (hash->state[i / 4] >> (24 - 8 * (i % 4)));
}
