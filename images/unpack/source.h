/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../../runtime/lib/error.h"
#include "sha256.h"

#include <stdint.h>

enum { SOURCE_CAPACITY = 1 << 20 };

/* The uncompressed archive, hashed as it is read. */
struct source {
        int fd;
        uint8_t *buffer;
        size_t begin;
        size_t end;
        size_t hashed;  /* up to here in the buffer, at most to `begin` */
        uint64_t total; /* bytes read */
        struct sha256 hash;
};

int source_init(struct source *source, int fd, struct berth_error *err);

/* The next bytes without consuming them: `want` of them (at most 512) in one piece, fewer only at the end. */
int source_peek(struct source *source, size_t want, const uint8_t **ret_data, size_t *ret_size, struct berth_error *err);

/* Takes bytes that peek or some have shown. */
void source_take(struct source *source, size_t size);

/* The same, hashing them for `content` too. */
void source_take_content(struct source *source, size_t size, struct sha256 *content);

/* Whatever is at hand, at least one byte and at most `most`; 0 bytes only at the end. */
int source_some(struct source *source, uint64_t most, const uint8_t **ret_data, size_t *ret_size, struct berth_error *err);

/* Copies exactly `size` bytes; an early end is an error of the layer. */
int source_read(struct source *source, void *to, size_t size, struct berth_error *err);

/* Passes over `size` bytes. */
int source_skip(struct source *source, uint64_t size, struct berth_error *err);

/* Reads to the end: padding behind the archive is part of its digest. */
int source_drain(struct source *source, struct berth_error *err);

/* The digest of all that was read; nothing can be read after it. */
void source_digest(struct source *source, uint8_t ret_digest[32]);
