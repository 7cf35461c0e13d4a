/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 of two streams that share all but their beginnings. Arguments: bytes of standard input that only the first takes, that only the
 * second takes, and how many both take at a time. Prints a digest a line. */
#include "sha256.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST = 1 << 20 };

static void print(struct sha256 *hash) {
        uint8_t digest[32];
        sha256_final(hash, digest);
        for (unsigned i = 0; i < sizeof digest; i++)
                printf("%02x", digest[i]);
        printf("\n");
}

int main(int argc, char **argv) {
        if (argc != 4)
                return 2;
        uint8_t *data = malloc(MOST);
        size_t size = fread(data, 1, MOST, stdin), piece = strtoul(argv[3], NULL, 10);
        struct sha256 one, other;
        sha256_init(&one);
        sha256_init(&other);
        sha256_update(&one, data, strtoul(argv[1], NULL, 10));
        sha256_update(&other, data, strtoul(argv[2], NULL, 10));
        for (size_t at = 0; at < size; at += piece)
                sha256_update_both(&one, &other, data + at, size - at < piece ? size - at : piece);
        print(&one);
        print(&other);
        free(data);
        return 0;
}
