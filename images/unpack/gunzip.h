/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../../runtime/lib/error.h"

#include <stddef.h>
#include <stdint.h>

/* Where compressed bytes come from and plain ones go. Both return 0 or a negative errno with *err set. */
struct gunzip_io {
        void *context;
        /* Reads at most `capacity` bytes; 0 bytes are the end. */
        int (*fill)(void *context, uint8_t *to, size_t capacity, size_t *ret_size);
        int (*deliver)(void *context, const uint8_t *data, size_t size);
};

/*
 * Decompresses a gzip stream of any number of members and checks their checksums and lengths. `head` are bytes that were read from the
 * input already (at most GUNZIP_MAX_HEAD). @see RFC 1951, RFC 1952
 */
enum { GUNZIP_MAX_HEAD = 256 << 10 };
int gunzip_run(const struct gunzip_io *io, const uint8_t *head, size_t head_size, struct berth_error *err);
