/* SPDX-License-Identifier: Apache-2.0 */
#include "filter-cache.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "seccomp-compile.h"

#define CACHE_DIRECTORY "seccomp:filters"
#define CACHE_FILES 16
#define CACHE_KEY_MAX (64 << 10)
#define CACHE_STALE_SECONDS 60

/* A file is this, the key, the filter. */
struct cache_header {
        char magic[8];
        uint64_t check; /* of the filter: the disk may have lost a part of it in a crash */
        uint32_t key_size, filter_size;
};
static const char cache_magic[8] = "brthbpf";

struct cache {
        int directory;
        char name[24];
        size_t key_size;
        char key[CACHE_KEY_MAX];
};

/* FNV-1a. It chooses a file and finds accidents; whether a file is the right one is decided by comparing the whole key. */
static uint64_t cache_sum(const void *data, size_t size) {
        const unsigned char *bytes = data;
        uint64_t sum = 0xcbf29ce484222325;

        for (size_t i = 0; i < size; i++)
                sum = (sum ^ bytes[i]) * 0x100000001b3;
        return sum;
}

/* The linker's hash of everything in this program, our compiler of profiles and libseccomp among it; 0: it has none. */
static size_t cache_build_id(const unsigned char **ret) {
        const char *header = (const char *) getauxval(AT_PHDR); // NOLINT(performance-no-int-to-ptr)
        unsigned long n = getauxval(AT_PHNUM), base = 0;

        for (unsigned long i = 0; header && i < n; i++) {
                const Elf64_Phdr *segment = (const Elf64_Phdr *) (const void *) (header + i * sizeof *segment);
                if (segment->p_type == PT_PHDR)
                        base = (unsigned long) header - segment->p_vaddr;
                if (segment->p_type != PT_NOTE)
                        continue;
                const char *at = (const char *) (base + segment->p_vaddr), *end = at + segment->p_memsz; // NOLINT(performance-no-int-to-ptr)
                while ((size_t) (end - at) > sizeof(Elf64_Nhdr)) {
                        const Elf64_Nhdr *note = (const Elf64_Nhdr *) (const void *) at;
                        const char *name = at + sizeof *note, *value = name + ((note->n_namesz + 3U) & ~3U);
                        if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == sizeof "GNU" && memcmp(name, "GNU", sizeof "GNU") == 0) {
                                *ret = (const unsigned char *) value;
                                return note->n_descsz;
                        }
                        at = value + ((note->n_descsz + 3U) & ~3U);
                }
        }
        return 0;
}

/* All that decides the filter: this program, the kernel (libseccomp asks it what it can), the machine, the profile. */
static bool cache_key(struct cache *cache, const char *profile, size_t size) {
        const struct scmp_version *library = seccomp_version();
        const unsigned char *id = NULL;
        struct utsname kernel;
        size_t id_size = cache_build_id(&id);

        if (id_size == 0 || !library || uname(&kernel) < 0)
                return false;
        int n = snprintf(cache->key, sizeof cache->key, "libseccomp %u.%u.%u api %u\n%s\n%s\n%s\n", library->major, library->minor, library->micro,
                         seccomp_api_get(), kernel.release, kernel.version, kernel.machine);
        if (n < 0 || (size_t) n + id_size + size > sizeof cache->key)
                return false;
        cache->key_size = (size_t) n;
        memcpy(cache->key + cache->key_size, id, id_size);
        cache->key_size += id_size;
        memcpy(cache->key + cache->key_size, profile, size);
        cache->key_size += size;
        (void) snprintf(cache->name, sizeof cache->name, "%u", (unsigned) (cache_sum(cache->key, cache->key_size) % CACHE_FILES));
        return true;
}

static bool cache_is_ours(const struct stat *st, mode_t type) {
        return (st->st_mode & S_IFMT) == type && (st->st_mode & 077) == 0 && st->st_uid == geteuid();
}

static bool cache_open(struct cache *cache, const struct command *command) {
        char path[PATH_MAX];
        struct stat st;

        if (snprintf(path, sizeof path, "%s/" CACHE_DIRECTORY, command->root) >= (int) sizeof path)
                return false;
        (void) mkdir(path, 0700); /* it may be there */
        cache->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        return cache->directory >= 0 && fstat(cache->directory, &st) == 0 && cache_is_ours(&st, S_IFDIR);
}

static bool cache_find(const struct cache *cache, void *filter, size_t capacity, size_t *ret_size) {
        static char key[CACHE_KEY_MAX];
        struct cache_header header;
        struct stat st;
        _cleanup_close_ int fd = openat(cache->directory, cache->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

        if (fd < 0 || fstat(fd, &st) < 0 || !cache_is_ours(&st, S_IFREG))
                return false;
        struct iovec parts[] = {{&header, sizeof header}, {key, cache->key_size}, {filter, capacity}};
        ssize_t n = readv(fd, parts, sizeof parts / sizeof *parts);
        if (n < (ssize_t) sizeof header || memcmp(header.magic, cache_magic, sizeof cache_magic) != 0 || header.key_size != cache->key_size)
                return false;
        if ((size_t) n != sizeof header + header.key_size + header.filter_size || memcmp(key, cache->key, cache->key_size) != 0)
                return false;
        if (cache_sum(filter, header.filter_size) != header.check)
                return false;
        *ret_size = header.filter_size;
        return true;
}

/* Somebody else's who is at it, or of one that was killed: that one goes, and the next container's filter is kept. */
static void cache_clear(const struct cache *cache, const char *name) {
        struct stat st;

        if (fstatat(cache->directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_mtime + CACHE_STALE_SECONDS < time(NULL))
                (void) unlinkat(cache->directory, name, 0);
}

static void cache_keep(const struct cache *cache, const void *filter, size_t size) {
        struct cache_header header = {.key_size = (uint32_t) cache->key_size, .filter_size = (uint32_t) size, .check = cache_sum(filter, size)};
        const struct iovec parts[] = {
                {&header, sizeof header}, {(void *) (uintptr_t) cache->key, cache->key_size}, {(void *) (uintptr_t) filter, size}};
        char name[sizeof cache->name + sizeof ".new"];

        memcpy(header.magic, cache_magic, sizeof cache_magic);
        (void) snprintf(name, sizeof name, "%s.new", cache->name);
        _cleanup_close_ int fd = openat(cache->directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0) {
                cache_clear(cache, name);
                return;
        }
        if (writev(fd, parts, sizeof parts / sizeof *parts) != (ssize_t) (sizeof header + cache->key_size + size) ||
            renameat(cache->directory, name, cache->directory, cache->name) < 0)
                (void) unlinkat(cache->directory, name, 0);
}

int filter_cache_compile(const struct command *command, const char *profile, size_t size, void *filter, size_t capacity, size_t *ret_size,
                         struct berth_error *err) {
        static struct cache cache;

        cache.directory = -1;
        bool known = cache_key(&cache, profile, size) && cache_open(&cache, command);
        _cleanup_close_ int directory = cache.directory;
        if (known && cache_find(&cache, filter, capacity, ret_size))
                return 0;
        int r = seccomp_compile(profile, size, filter, capacity, ret_size, err);
        if (r == 0 && known)
                cache_keep(&cache, filter, *ret_size);
        return r;
}
