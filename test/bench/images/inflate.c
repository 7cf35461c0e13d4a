/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

/* inflate FILE…: decompresses gzip files with zlib and throws the bytes away. */

static unsigned char input[256 << 10], output[512 << 10];

static int inflate_file(int fd) {
        z_stream stream = {0};
        if (inflateInit2(&stream, 15 + 16) != Z_OK)
                return 1;
        ssize_t n = 0;
        int z = Z_OK;
        while (z != Z_STREAM_END && (n = read(fd, input, sizeof input)) > 0) {
                stream.next_in = input, stream.avail_in = (uInt) n;
                do {
                        stream.next_out = output, stream.avail_out = sizeof output;
                        z = inflate(&stream, Z_NO_FLUSH);
                } while (z == Z_OK && stream.avail_out == 0);
        }
        (void) inflateEnd(&stream);
        return z != Z_STREAM_END;
}

int main(int argc, char **argv) {
        for (int i = 1; i < argc; i++) {
                int fd = open(argv[i], O_RDONLY);
                if (fd < 0 || inflate_file(fd) != 0) {
                        (void) fprintf(stderr, "cannot decompress %s\n", argv[i]);
                        return 1;
                }
                (void) close(fd);
        }
        return 0;
}
