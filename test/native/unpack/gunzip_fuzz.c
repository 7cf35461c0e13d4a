/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decompresses standard input, and then many damaged versions of it, with gunzip.c and with zlib, which must agree: on every byte of what
 * both accept, and on what they refuse. Run with sanitizers. Arguments: number of damaged versions, seed.
 */
#include "gunzip.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { MAX_OUTPUT = 32 << 20 };

struct bytes {
        unsigned char *data;
        size_t size;
};

struct run {
        struct bytes in;
        size_t at;
        size_t piece; /* how much one read gives */
        struct bytes out;
};

static int fill(void *context, uint8_t *to, size_t capacity, size_t *ret_size) {
        struct run *run = context;
        size_t n = run->in.size - run->at;
        n = n > run->piece ? run->piece : n;
        n = n > capacity ? capacity : n;
        memcpy(to, run->in.data + run->at, n);
        run->at += n;
        *ret_size = n;
        return 0;
}

static int deliver(void *context, const uint8_t *data, size_t size) {
        struct run *run = context;
        if (run->out.size + size > MAX_OUTPUT)
                return -EFBIG;
        memcpy(run->out.data + run->out.size, data, size);
        run->out.size += size;
        return 0;
}

static int ours(struct run *run) {
        struct berth_error err = {0};
        const struct gunzip_io io = {.context = run, .fill = fill, .deliver = deliver};
        run->out.size = 0;
        size_t head = run->in.size < run->piece ? run->in.size : run->piece;
        run->at = head = head > GUNZIP_MAX_HEAD ? GUNZIP_MAX_HEAD : head;
        return gunzip_run(&io, run->in.data, head, &err);
}

static bool theirs(struct bytes in, struct bytes *out) {
        z_stream stream = {.next_in = in.data, .avail_in = (uInt) in.size, .next_out = out->data, .avail_out = MAX_OUTPUT};
        bool accepted = false;
        if (inflateInit2(&stream, 15 + 16) != Z_OK)
                abort();
        while (inflate(&stream, Z_NO_FLUSH) == Z_STREAM_END) {
                accepted = stream.avail_in == 0;
                if (accepted || inflateReset(&stream) != Z_OK)
                        break;
        }
        out->size = MAX_OUTPUT - stream.avail_out;
        (void) inflateEnd(&stream);
        return accepted;
}

static unsigned long next_random(unsigned long *state) {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        return *state;
}

static void damage(struct bytes *bytes, unsigned long *random) {
        for (unsigned long n = next_random(random) % 4; bytes->size > 0; n--) {
                size_t at = next_random(random) % (next_random(random) % 2 ? bytes->size : bytes->size < 400 ? bytes->size : 400);
                switch (next_random(random) % 4) {
                case 0:
                        bytes->data[at] ^= (unsigned char) (1U << next_random(random) % 8);
                        break;
                case 1:
                        bytes->data[at] = (unsigned char) next_random(random);
                        break;
                case 2:
                        bytes->size = at;
                        break;
                default:
                        memmove(bytes->data + at, bytes->data + at / 2, bytes->size - at);
                }
                if (n == 0)
                        return;
        }
}

static int compare(struct run *run, struct bytes *expected, unsigned long number) {
        int r = ours(run);
        bool accepted = theirs(run->in, expected);
        if (r == -EFBIG)
                return 0;
        if ((r == 0) != accepted) {
                (void) fprintf(stderr, "version %lu: ours %d, zlib %s\n", number, r, accepted ? "accepts" : "refuses");
                return -1;
        }
        if (accepted && (run->out.size != expected->size || memcmp(run->out.data, expected->data, expected->size) != 0)) {
                (void) fprintf(stderr, "version %lu: other bytes than zlib's\n", number);
                return -1;
        }
        return accepted;
}

int main(int argc, char **argv) {
        unsigned long versions = argc > 1 ? strtoul(argv[1], NULL, 10) : 0, random = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
        struct bytes seed = {.data = malloc(MAX_OUTPUT)}, expected = {.data = malloc(MAX_OUTPUT)};
        struct run run = {.in = {.data = malloc(MAX_OUTPUT)}, .out = {.data = malloc(MAX_OUTPUT)}, .piece = 65536};
        for (ssize_t n; (n = read(STDIN_FILENO, seed.data + seed.size, MAX_OUTPUT - seed.size)) > 0;)
                seed.size += (size_t) n;

        unsigned long accepted = 0;
        for (unsigned long i = 0; i <= versions; i++) {
                run.in.size = seed.size;
                memcpy(run.in.data, seed.data, seed.size);
                if (i > 0) {
                        damage(&run.in, &random);
                        run.piece = 1 + next_random(&random) % 3000;
                }
                int r = compare(&run, &expected, i);
                if (r < 0 || (i == 0 && r == 0))
                        return 1;
                accepted += (unsigned long) r;
        }
        (void) printf("%lu of %lu accepted\n", accepted, versions + 1);
        free(seed.data), free(expected.data), free(run.in.data), free(run.out.data);
        return 0;
}
