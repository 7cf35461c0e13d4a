/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells of each gzip stream what becomes of it, a line each: its size and SHA-256, `damaged` or `cut off`. Arguments: bytes per step that
 * are given, and that there is room for. Standard input: streams, each behind its length in four bytes, the lowest first.
 */
#include "gzip.h"
#include "sha256.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_STREAM = 4 << 20, MAX_STEP = 1 << 20 };

struct steps {
        size_t in, out;
};

enum verdict { WHOLE, DAMAGED, CUT_OFF };

struct result {
        uint64_t size;
        struct sha256 hash;
};

static size_t least(size_t a, size_t b) {
        return a < b ? a : b;
}

static enum verdict inflate_all(struct gzip *gzip, const uint8_t *data, size_t size, struct steps steps, struct result *result) {
        static uint8_t room[MAX_STEP];
        bool member_ended = false;
        for (size_t at = 0; at < size;) {
                struct gzip_bytes bytes = {.in = data + at, .in_size = least(size - at, steps.in)};
                const size_t given = bytes.in_size;
                do {
                        const char *reason;
                        bytes.out = room, bytes.out_size = steps.out;
                        if (gzip_step(gzip, &bytes, &member_ended, &reason) < 0)
                                return DAMAGED;
                        result->size += steps.out - bytes.out_size;
                        sha256_update(&result->hash, room, steps.out - bytes.out_size);
                } while (!member_ended && (bytes.in_size > 0 || bytes.out_size == 0));
                at += given - bytes.in_size;
        }
        return member_ended ? WHOLE : CUT_OFF;
}

static void tell(const uint8_t *data, size_t size, struct steps steps) {
        struct gzip *gzip = gzip_new();
        struct result result = {0};
        if (!gzip)
                abort();
        sha256_init(&result.hash);
        enum verdict verdict = inflate_all(gzip, data, size, steps, &result);
        gzip_free(gzip);
        if (verdict != WHOLE) {
                puts(verdict == DAMAGED ? "damaged" : "cut off");
                return;
        }
        uint8_t digest[32];
        sha256_final(&result.hash, digest);
        printf("%llu ", (unsigned long long) result.size);
        for (size_t i = 0; i < sizeof digest; i++)
                printf("%02x", digest[i]);
        putchar('\n');
}

int main(int argc, char **argv) {
        static uint8_t data[MAX_STREAM];
        uint8_t head[4];
        if (argc != 3)
                return 2;
        const struct steps steps = {strtoul(argv[1], NULL, 10), strtoul(argv[2], NULL, 10)};
        if (steps.in == 0 || steps.out == 0 || steps.out > MAX_STEP)
                return 2;
        while (fread(head, 1, sizeof head, stdin) == sizeof head) {
                const size_t size = head[0] | (size_t) head[1] << 8 | (size_t) head[2] << 16 | (size_t) head[3] << 24;
                if (size > sizeof data || fread(data, 1, size, stdin) != size)
                        return 2;
                tell(data, size, steps);
        }
        return 0;
}
