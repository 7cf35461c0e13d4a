/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include "../../runtime/lib/cleanup.h"
#include "confine.h"
#include "listing.h"
#include "report.h"
#include "sha256.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The record: a magic word, the entries in the order of the listing, a SHA-256 of all that. Numbers are the machine's own: the file never
 * leaves it.
 */
static const char magic[8] = "BRTHDIG1";

struct stored {
        uint32_t mode;
        uint32_t uid;
        uint32_t gid;
        uint32_t path_size;
        uint64_t size;
        uint64_t device;
        uint8_t digest[32];
};

enum { BUFFER = 64 << 10, MAX_PATH = PATH_MAX + NAME_MAX, SHOWN = 20 };

struct writer {
        int output;
        struct sha256 hash;
        size_t used;
        uint8_t buffer[BUFFER];
};

static int write_out(struct writer *writer, struct berth_error *err) {
        for (size_t done = 0; done < writer->used;) {
                ssize_t size = write(writer->output, writer->buffer + done, writer->used - done);
                if (size < 0 && errno != EINTR)
                        return berth_error_set(err, errno, "write the record of a layer: %s", strerror(errno));
                done += size > 0 ? (size_t) size : 0;
        }
        writer->used = 0;
        return 0;
}

static int put(struct writer *writer, const void *data, size_t size, struct berth_error *err) {
        if (writer->used + size > sizeof writer->buffer) {
                int r = write_out(writer, err);
                if (r < 0)
                        return r;
        }
        memcpy(writer->buffer + writer->used, data, size);
        writer->used += size;
        sha256_update(&writer->hash, data, size);
        return 0;
}

static int write_entry(void *user, const struct listed *entry, struct berth_error *err) {
        struct writer *writer = user;
        if (entry->unreadable)
                return berth_error_set(err, entry->unreadable, "read '%.300s': %s", entry->path, strerror(entry->unreadable));
        struct stored stored = {
                .mode = entry->mode,
                .uid = entry->uid,
                .gid = entry->gid,
                .path_size = (uint32_t) strlen(entry->path),
                .size = entry->size,
                .device = entry->device,
        };
        memcpy(stored.digest, entry->digest, sizeof stored.digest);
        int r = put(writer, &stored, sizeof stored, err);
        return r < 0 ? r : put(writer, entry->path, stored.path_size, err);
}

static const int record_calls[] = {SYS_read,       SYS_write,      SYS_close,  SYS_newfstatat, SYS_fstat,      SYS_openat2,
                                   SYS_getdents64, SYS_readlinkat, SYS_lseek,  SYS_fgetxattr,  SYS_flistxattr, SYS_brk,
                                   SYS_mmap,       SYS_munmap,     SYS_mremap, SYS_madvise,    SYS_exit_group};

/* CAP_SYS_ADMIN shows trusted.overlay.opaque; among these calls there is nothing else that it opens. */
static int enter(int target, int *ret_root, struct berth_error *err) {
        /* Nobody waits for it, or nobody who minds. */
        (void) setpriority(PRIO_PROCESS, 0, 19);
        int r = confine_enter_alone(target, ret_root, err);
        if (r < 0)
                return r;
        const struct confine_rights rights = {
                .capabilities = 1ULL << CAP_DAC_READ_SEARCH | 1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_FOWNER | 1ULL << CAP_SYS_ADMIN,
                .address_space = 1024 << 20,
                .file_size = 4ULL << 30,
                .cpu_seconds = 3600,
                .descriptors = LISTING_MOST_LEVELS + 20,
                .syscalls = record_calls,
                .n_syscalls = sizeof record_calls / sizeof record_calls[0],
        };
        return confine_drop(&rights, err);
}

int record_write_known(int root, const struct known_digests *known, int output, struct berth_error *err) {
        _cleanup_free_ struct writer *writer = calloc(1, sizeof *writer);
        if (!writer)
                return berth_error_set(err, ENOMEM, "write the record of a layer");
        writer->output = output;
        sha256_init(&writer->hash);
        int r = put(writer, magic, sizeof magic, err);
        if (r == 0)
                r = listing_walk(root, known, write_entry, writer, err);
        if (r < 0)
                return r;
        uint8_t digest[32];
        sha256_final(&writer->hash, digest);
        r = put(writer, digest, sizeof digest, err);
        return r < 0 ? r : write_out(writer, err);
}

int record_write(int target, struct berth_error *err) {
        _cleanup_close_ int root = -1;
        int r = enter(target, &root, err);
        return r < 0 ? r : record_write_known(root, NULL, STDOUT_FILENO, err);
}

struct verifier {
        uint64_t left; /* bytes of entries not read yet */
        size_t used, at;
        bool has; /* `expected` and `path` are an entry that was not met yet */
        struct stored expected;
        char path[MAX_PATH + 1];
        uint64_t differences, entries;
        uint8_t buffer[BUFFER];
};

static int damaged(struct berth_error *err) {
        return berth_error_set(err, LAYER_ERROR, "the record of the layer's digests is damaged");
}

static int get(struct verifier *verifier, void *data, size_t size, struct berth_error *err) {
        if (size > verifier->left)
                return damaged(err);
        verifier->left -= size;
        for (uint8_t *to = data; size > 0;) {
                if (verifier->at == verifier->used) {
                        ssize_t n = read(RECORD_FD, verifier->buffer, sizeof verifier->buffer);
                        if (n <= 0)
                                return damaged(err);
                        verifier->used = (size_t) n, verifier->at = 0;
                }
                size_t part = verifier->used - verifier->at < size ? verifier->used - verifier->at : size;
                memcpy(to, verifier->buffer + verifier->at, part);
                verifier->at += part, to += part, size -= part;
        }
        return 0;
}

/* All of it is read before any of it is believed. */
static int check_record(struct verifier *verifier, struct berth_error *err) {
        struct stat st;
        uint8_t found[32], told[32];
        char word[sizeof magic];
        if (fstat(RECORD_FD, &st) < 0 || st.st_size < (off_t) (sizeof magic + sizeof told))
                return damaged(err);
        struct sha256 hash;
        sha256_init(&hash);
        verifier->left = (uint64_t) st.st_size;
        while (verifier->left > sizeof told) {
                uint64_t rest = verifier->left - sizeof told;
                uint8_t part[4096];
                size_t size = rest < sizeof part ? (size_t) rest : sizeof part;
                if (get(verifier, part, size, err) < 0)
                        return damaged(err);
                sha256_update(&hash, part, size);
        }
        sha256_final(&hash, found);
        if (get(verifier, told, sizeof told, err) < 0 || memcmp(found, told, sizeof told) != 0 || lseek(RECORD_FD, 0, SEEK_SET) < 0)
                return damaged(err);
        verifier->used = verifier->at = 0;
        verifier->left = (uint64_t) st.st_size - sizeof told;
        if (get(verifier, word, sizeof word, err) < 0 || memcmp(word, magic, sizeof word) != 0)
                return damaged(err);
        return 0;
}

static int next_expected(struct verifier *verifier, struct berth_error *err) {
        verifier->has = verifier->left > 0;
        if (!verifier->has)
                return 0;
        int r = get(verifier, &verifier->expected, sizeof verifier->expected, err);
        if (r == 0 && verifier->expected.path_size > MAX_PATH)
                r = damaged(err);
        if (r == 0)
                r = get(verifier, verifier->path, verifier->expected.path_size, err);
        if (r < 0)
                return r;
        verifier->path[verifier->expected.path_size] = '\0';
        return 0;
}

/* Names come from layers: none of them may begin a line of ours. */
static int differs(struct verifier *verifier, const char *how, const char *path, struct berth_error *err) {
        if (++verifier->differences > SHOWN)
                return 0;
        char line[400];
        int size = snprintf(line, sizeof line - 1, "%s %.350s", how, *path ? path : ".");
        for (int i = 0; i < size; i++)
                if ((unsigned char) line[i] < 0x20 || line[i] == 0x7f)
                        line[i] = '?';
        line[size++] = '\n';
        return write(STDOUT_FILENO, line, (size_t) size) == size ? 0 : berth_error_set(err, EPIPE, "tell what differs");
}

/* The order of the listing: a directory's entries come right behind it. */
static int compare_paths(const char *one, const char *other) {
        for (; *one && *one == *other; one++, other++)
                ;
        /* The end of a path comes first, then its slash, then every byte that a name may hold. */
        int left = *one == '\0' ? 0 : *one == '/' ? 1 : (unsigned char) *one + 1;
        int right = *other == '\0' ? 0 : *other == '/' ? 1 : (unsigned char) *other + 1;
        return left - right;
}

static const char *difference_of(const struct stored *expected, const struct listed *entry) {
        if ((expected->mode & S_IFMT) != (entry->mode & S_IFMT))
                return "type";
        if (entry->unreadable)
                return "unreadable";
        if (expected->mode != entry->mode)
                return "mode";
        if (expected->uid != entry->uid || expected->gid != entry->gid)
                return "owner";
        if (expected->size != entry->size)
                return "size";
        if (expected->device != entry->device)
                return "device";
        return memcmp(expected->digest, entry->digest, sizeof expected->digest) ? "content" : NULL;
}

static int verify_entry(void *user, const struct listed *entry, struct berth_error *err) {
        struct verifier *verifier = user;
        verifier->entries++;
        int r = 0;
        while (r == 0 && verifier->has && compare_paths(verifier->path, entry->path) < 0) {
                r = differs(verifier, "missing", verifier->path, err);
                if (r == 0)
                        r = next_expected(verifier, err);
        }
        if (r < 0)
                return r;
        if (!verifier->has || strcmp(verifier->path, entry->path) != 0)
                return differs(verifier, "extra", entry->path, err);
        const char *difference = difference_of(&verifier->expected, entry);
        r = difference ? differs(verifier, difference, entry->path, err) : 0;
        return r < 0 ? r : next_expected(verifier, err);
}

int record_verify(int target, struct berth_error *err) {
        _cleanup_close_ int root = -1;
        int r = enter(target, &root, err);
        if (r < 0)
                return r;
        _cleanup_free_ struct verifier *verifier = calloc(1, sizeof *verifier);
        if (!verifier)
                return berth_error_set(err, ENOMEM, "compare a layer with its record");
        r = check_record(verifier, err);
        if (r == 0)
                r = next_expected(verifier, err);
        if (r == 0)
                r = listing_walk(root, NULL, verify_entry, verifier, err);
        while (r == 0 && verifier->has) {
                r = differs(verifier, "missing", verifier->path, err);
                if (r == 0)
                        r = next_expected(verifier, err);
        }
        if (r < 0)
                return r;
        char line[80];
        int size =
                snprintf(line, sizeof line, "total %llu %llu\n", (unsigned long long) verifier->differences, (unsigned long long) verifier->entries);
        return write(STDOUT_FILENO, line, (size_t) size) == size ? 0 : berth_error_set(err, EPIPE, "tell what differs");
}
