/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int source_init(struct source *source, int fd, struct berth_error *err) {
        *source = (struct source){.fd = fd, .buffer = malloc(SOURCE_CAPACITY)};
        if (!source->buffer)
                return berth_error_set(err, ENOMEM, "read the archive");
        sha256_init(&source->hash);
        return 0;
}

static void hash_up_to(struct source *source, size_t at) {
        sha256_update(&source->hash, source->buffer + source->hashed, at - source->hashed);
        source->hashed = at;
}

/* 1: more bytes came, 0: the end. */
static int refill(struct source *source, struct berth_error *err) {
        if (source->begin == source->end || source->end == SOURCE_CAPACITY) {
                hash_up_to(source, source->begin);
                memmove(source->buffer, source->buffer + source->begin, source->end - source->begin);
                source->end -= source->begin, source->begin = source->hashed = 0;
        }
        ssize_t n;
        do
                n = read(source->fd, source->buffer + source->end, SOURCE_CAPACITY - source->end);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return berth_error_set(err, errno, "read the archive");
        source->end += (size_t) n, source->total += (uint64_t) n;
        return n > 0;
}

int source_peek(struct source *source, size_t want, const uint8_t **ret_data, size_t *ret_size, struct berth_error *err) {
        while (source->end - source->begin < want) {
                int r = refill(source, err);
                if (r < 0)
                        return r;
                if (r == 0)
                        break;
        }
        *ret_data = source->buffer + source->begin;
        *ret_size = source->end - source->begin < want ? source->end - source->begin : want;
        return 0;
}

void source_take(struct source *source, size_t size) {
        source->begin += size;
}

void source_take_content(struct source *source, size_t size, struct sha256 *content) {
        hash_up_to(source, source->begin);
        sha256_update_both(&source->hash, content, source->buffer + source->begin, size);
        source->begin += size;
        source->hashed = source->begin;
}

int source_some(struct source *source, uint64_t most, const uint8_t **ret_data, size_t *ret_size, struct berth_error *err) {
        if (source->begin == source->end) {
                int r = refill(source, err);
                if (r < 0)
                        return r;
        }
        size_t held = source->end - source->begin;
        *ret_data = source->buffer + source->begin;
        *ret_size = held < most ? held : (size_t) most;
        return 0;
}

static int cut_off(const struct source *source, struct berth_error *err) {
        return berth_error_set(err, LAYER_ERROR, "the archive is cut off after %llu bytes", (unsigned long long) source->total);
}

int source_read(struct source *source, void *to, size_t size, struct berth_error *err) {
        for (uint8_t *at = to; size > 0;) {
                const uint8_t *data;
                size_t n;
                int r = source_some(source, size, &data, &n, err);
                if (r < 0)
                        return r;
                if (n == 0)
                        return cut_off(source, err);
                memcpy(at, data, n);
                source_take(source, n);
                at += n, size -= n;
        }
        return 0;
}

int source_skip(struct source *source, uint64_t size, struct berth_error *err) {
        while (size > 0) {
                const uint8_t *data;
                size_t n;
                int r = source_some(source, size, &data, &n, err);
                if (r < 0)
                        return r;
                if (n == 0)
                        return cut_off(source, err);
                source_take(source, n);
                size -= n;
        }
        return 0;
}

int source_drain(struct source *source, struct berth_error *err) {
        for (;;) {
                const uint8_t *data;
                size_t n;
                int r = source_some(source, SOURCE_CAPACITY, &data, &n, err);
                if (r < 0 || n == 0)
                        return r;
                source_take(source, n);
        }
}

void source_digest(struct source *source, uint8_t ret_digest[32]) {
        hash_up_to(source, source->end);
        sha256_final(&source->hash, ret_digest);
}
