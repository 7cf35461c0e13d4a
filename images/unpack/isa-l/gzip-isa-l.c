/* SPDX-License-Identifier: Apache-2.0 */
/* By isa-l, which takes half to two thirds of zlib's time. */
#include "../gzip.h"

#include <igzip_lib.h>
#include <stdlib.h>

struct gzip {
        struct inflate_state state;
        /* Bytes of the member that were used, up to its flags. */
        size_t before_flags;
};

enum { MAGIC = 0x1f, FLAGS_AT = 3, RESERVED_FLAGS = 0xe0 };

static void begin_member(struct gzip *gzip) {
        isal_inflate_reset(&gzip->state);
        gzip->state.crc_flag = ISAL_GZIP;
        gzip->before_flags = 0;
}

/* isa-l passes over them. @see RFC 1952 2.3.1.2 */
static bool has_reserved_flags(const struct gzip *gzip, const struct gzip_bytes *bytes) {
        const size_t at = FLAGS_AT - gzip->before_flags;
        return gzip->before_flags <= FLAGS_AT && at < bytes->in_size && bytes->in[at] & RESERVED_FLAGS;
}

struct gzip *gzip_new(void) {
        struct gzip *gzip = calloc(1, sizeof *gzip);
        if (!gzip)
                return NULL;
        isal_inflate_init(&gzip->state);
        begin_member(gzip);
        return gzip;
}

static const char *reason_of(int code) {
        switch (code) {
        case ISAL_INVALID_BLOCK:
                return "invalid block";
        case ISAL_INVALID_SYMBOL:
                return "invalid symbol";
        case ISAL_INVALID_LOOKBACK:
                return "invalid distance too far back";
        case ISAL_INVALID_WRAPPER:
                return "incorrect header check";
        case ISAL_UNSUPPORTED_METHOD:
                return "unknown compression method";
        case ISAL_INCORRECT_CHECKSUM:
                return "incorrect data check";
        default:
                return "it leads nowhere";
        }
}

int gzip_step(struct gzip *gzip, struct gzip_bytes *bytes, bool *ret_member_ended, const char **ret_reason) {
        struct inflate_state *state = &gzip->state;
        if (state->block_state == ISAL_BLOCK_FINISH) {
                /* It would wait for a whole header before it looks. */
                *ret_reason = reason_of(ISAL_INVALID_WRAPPER);
                if (bytes->in_size > 0 && bytes->in[0] != MAGIC)
                        return -EBADMSG;
                begin_member(gzip);
        }
        if (has_reserved_flags(gzip, bytes)) {
                *ret_reason = "unknown header flags set";
                return -EBADMSG;
        }
        const size_t in_before = bytes->in_size, out_before = bytes->out_size;
        /* It only reads there. */
        state->next_in = (uint8_t *) (uintptr_t) bytes->in, state->avail_in = (uint32_t) bytes->in_size;
        state->next_out = bytes->out, state->avail_out = (uint32_t) bytes->out_size;
        int code = isal_inflate(state);
        bytes->in = state->next_in, bytes->in_size = state->avail_in;
        bytes->out = state->next_out, bytes->out_size = state->avail_out;
        if (gzip->before_flags <= FLAGS_AT)
                gzip->before_flags += in_before - bytes->in_size;
        *ret_member_ended = state->block_state == ISAL_BLOCK_FINISH;
        const bool stands_still = in_before > 0 && bytes->in_size == in_before && bytes->out_size == out_before && !*ret_member_ended;
        *ret_reason = reason_of(code);
        return code < 0 || stands_still ? -EBADMSG : 0;
}

void gzip_free(struct gzip *gzip) {
        free(gzip);
}
