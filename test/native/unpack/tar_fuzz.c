/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the headers of the archive on standard input and of many damaged versions of it. Run with sanitizers. Arguments: versions, seed. */
#include "report.h"
#include "tar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_SIZE = 1 << 20, BLOCK = 512 };

static unsigned long next_random(unsigned long *state) {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        return *state;
}

/* A damaged header is refused for its checksum and nothing is learnt: it gets a right one. */
static void mend(unsigned char *block) {
        unsigned sum = 0;
        memset(block + 148, ' ', 8);
        for (unsigned i = 0; i < BLOCK; i++)
                sum += block[i];
        (void) snprintf((char *) block + 148, 8, "%06o", sum);
}

static size_t damage(unsigned char *data, size_t size, unsigned long *random) {
        for (unsigned long n = next_random(random) % 5; n > 0; n--) {
                size_t at = next_random(random) % size;
                static const unsigned char pieces[] = "0179 =\n\377\200\0x5LK";
                data[at] = (unsigned char) (next_random(random) % 2 ? pieces[next_random(random) % sizeof pieces] : next_random(random));
                mend(data + at / BLOCK * BLOCK);
        }
        return next_random(random) % 8 == 0 ? next_random(random) % size : size;
}

/* Touches every byte of an entry, so that the sanitizers see what it points to. */
static unsigned long sum_of(const struct tar_entry *entry) {
        unsigned long sum = strlen(entry->name) + strlen(entry->link) + entry->uid + entry->gid;
        for (size_t i = 0; i < entry->n_xattrs; i++) {
                sum += strlen(entry->xattrs[i].name);
                for (size_t at = 0; at < entry->xattrs[i].size; at++)
                        sum += ((const unsigned char *) entry->xattrs[i].value)[at];
        }
        return sum;
}

static int read_all(int fd, unsigned long *sum) {
        struct berth_error err = {0};
        struct source source;
        struct tar_reader *reader = calloc(1, sizeof *reader);
        int r = source_init(&source, fd, &err);
        reader->source = &source;
        for (unsigned entries = 0; r == 0 && entries < 1000; entries++) {
                const struct tar_entry *entry = NULL;
                r = tar_next(reader, &entry, &err);
                if (r < 0 || !entry)
                        break;
                *sum += sum_of(entry);
                r = source_skip(&source, entry->size, &err);
                if (r == 0)
                        r = tar_skip_padding(reader, &err);
        }
        if (r < 0 && err.text[0] == '\0')
                abort(); /* an error without a sentence */
        tar_forget(reader);
        free(reader);
        free(source.buffer);
        return r;
}

int main(int argc, char **argv) {
        unsigned long versions = argc > 1 ? strtoul(argv[1], NULL, 10) : 0, random = argc > 2 ? strtoul(argv[2], NULL, 10) : 1, sum = 0;
        unsigned char *seed = malloc(MAX_SIZE), *data = malloc(MAX_SIZE);
        size_t size = 0;
        for (ssize_t n; (n = read(STDIN_FILENO, seed + size, MAX_SIZE - size)) > 0;)
                size += (size_t) n;
        unsigned long accepted = 0;
        for (unsigned long i = 0; i <= versions; i++) {
                memcpy(data, seed, size);
                size_t damaged = i == 0 ? size : damage(data, size, &random);
                int fd = memfd_create("archive", MFD_CLOEXEC);
                if (fd < 0 || write(fd, data, damaged) != (ssize_t) damaged || lseek(fd, 0, SEEK_SET) != 0)
                        return 2;
                int r = read_all(fd, &sum);
                (void) close(fd);
                if (i == 0 && r != 0)
                        return 1;
                accepted += r == 0;
        }
        (void) printf("%lu of %lu accepted (%lu)\n", accepted, versions + 1, sum);
        free(seed), free(data);
        return 0;
}
