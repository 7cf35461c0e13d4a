/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decompresses gzip members that follow each other; checksums and lengths are verified. Two libraries can do it: the Makefile chooses. */
struct gzip;

/* What one step may take from and write to; it moves all four forward. */
struct gzip_bytes {
        const uint8_t *in;
        size_t in_size;
        uint8_t *out;
        size_t out_size;
};

/* NULL: no memory. */
struct gzip *gzip_new(void);

/*
 * Stops when the input is used up, the room is full or a member has ended; the step after that begins the next member.
 * 0, -ENOMEM, or -EBADMSG with *ret_reason: the stream is damaged.
 */
int gzip_step(struct gzip *gzip, struct gzip_bytes *bytes, bool *ret_member_ended, const char **ret_reason);

void gzip_free(struct gzip *gzip);
