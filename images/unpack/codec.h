/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "report.h"

#include <stdbool.h>
#include <stddef.h>

enum {
        CODEC_INPUT_SIZE = 256 << 10,
        CODEC_OUTPUT_SIZE = 512 << 10,
};

/* A run of a decompressor: what is read, what is written, and how much of both is allowed. */
struct inflate {
        int from;
        int growth; /* see struct inflate_input */
        int to;
        const struct limits *limits;
        struct berth_error *err;
        uint64_t read;
        uint64_t written;
        size_t held; /* bytes of input not used yet */
        bool ended;
        uint8_t *input;
        uint8_t *output;
};

/* Reads more input; `ended` is set at its end. */
int inflate_fill(struct inflate *run);

/* Forgets input that was used. */
void inflate_consume(struct inflate *run, size_t used);

/* Hands bytes on, within the limits. */
int inflate_deliver(struct inflate *run, const uint8_t *data, size_t size);

/* The input ended before the stream did. */
int inflate_cut_off(const struct inflate *run, const char *format);
int inflate_damaged(const struct inflate *run, const char *format, const char *reason);

/* The input begins with the codec's magic number; each reads to the end. */
int inflate_xz(struct inflate *run);
int inflate_bzip2(struct inflate *run);
