/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

/* What libFuzzer calls with every input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* A promise of the code under test that did not hold: libFuzzer keeps the input and ends. */
#define must(condition, ...)                                                                                                                         \
        do {                                                                                                                                         \
                if (!(condition)) {                                                                                                                  \
                        (void) fprintf(stderr, "%s:%d: not so: %s: ", __FILE__, __LINE__, #condition);                                               \
                        (void) fprintf(stderr, __VA_ARGS__);                                                                                         \
                        (void) fputc('\n', stderr);                                                                                                  \
                        abort();                                                                                                                     \
                }                                                                                                                                    \
        } while (0)

/* Every refusal has a code and a sentence. */
#define must_explain(r, err) must((r) < 0 && (err)->code > 0 && (err)->text[0] != '\0', "%d, code %d, '%s'", r, (err)->code, (err)->text)

/* Takes an input apart; past its end everything is 0. */
struct fuzz_input {
        const uint8_t *at;
        size_t left;
};

static inline uint8_t fuzz_u8(struct fuzz_input *input) {
        if (input->left == 0)
                return 0;
        input->left--;
        return *input->at++;
}

static inline uint16_t fuzz_u16(struct fuzz_input *input) {
        uint16_t low = fuzz_u8(input);
        return (uint16_t) (low | fuzz_u8(input) << 8);
}

static inline uint32_t fuzz_u32(struct fuzz_input *input) {
        uint32_t low = fuzz_u16(input);
        return low | (uint32_t) fuzz_u16(input) << 16;
}

static inline uint64_t fuzz_u64(struct fuzz_input *input) {
        uint64_t low = fuzz_u32(input);
        return low | (uint64_t) fuzz_u32(input) << 32;
}
