/* SPDX-License-Identifier: Apache-2.0 */
#include "measure.h"

#include "../../runtime/lib/cleanup.h"
#include "confine.h"
#include "directory.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAX_ENTRIES = 10000000, MAX_DEPTH = 400 };

struct measure {
        struct inode_set linked; /* seen already, of files with several names */
        struct usage usage;
        struct berth_error *err;
};

static int count_below(struct measure *measure, int fd, unsigned depth);

static int count_one(struct measure *measure, int parent, const char *name, unsigned depth) {
        struct stat st;
        if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : tree_error(measure->err, errno, "look at", name);
        if (!S_ISDIR(st.st_mode) && st.st_nlink > 1) {
                if (inode_set_has(&measure->linked, st.st_ino))
                        return 0;
                int r = inode_set_add(&measure->linked, st.st_ino, measure->err);
                if (r < 0)
                        return r;
        }
        if (++measure->usage.inodes > MAX_ENTRIES)
                return berth_error_set(measure->err, E2BIG, "more than %d files to count", MAX_ENTRIES);
        measure->usage.bytes += (uint64_t) st.st_blocks * 512;
        if (!S_ISDIR(st.st_mode)) {
                measure->usage.content += (uint64_t) st.st_size;
                return 0;
        }
        if (depth == MAX_DEPTH)
                return berth_error_set(measure->err, E2BIG, "directories nested more than %d deep", MAX_DEPTH);

        _cleanup_close_ int fd = -1;
        int r = tree_open(parent, name, O_RDONLY | O_DIRECTORY, &fd, measure->err);
        /* A container may be at work here. */
        if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP)
                return 0;
        return r < 0 ? r : count_below(measure, fd, depth + 1);
}

static int count_below(struct measure *measure, int fd, unsigned depth) {
        struct directory directory;
        const struct kernel_dirent *item;
        directory_begin(&directory, fd);
        int r;
        while ((r = directory_next(&directory, &item)) > 0) {
                r = count_one(measure, fd, item->name, depth);
                if (r < 0)
                        return r;
        }
        return r < 0 && r != -ENOENT ? tree_error(measure->err, -r, "list", "a directory") : 0;
}

static const int measure_calls[] = {SYS_read, SYS_write, SYS_close,  SYS_newfstatat, SYS_fstat,   SYS_openat2,   SYS_getdents64,
                                    SYS_brk,  SYS_mmap,  SYS_munmap, SYS_mremap,     SYS_madvise, SYS_exit_group};

int measure_run(int target, struct usage *ret, struct berth_error *err) {
        _cleanup_close_ int root = -1;
        int r = confine_enter_alone(target, &root, err);
        if (r < 0)
                return r;
        const struct confine_rights rights = {
                .capabilities = 1ULL << CAP_DAC_READ_SEARCH | 1ULL << CAP_DAC_OVERRIDE,
                .address_space = 512 << 20,
                .file_size = 1 << 20,
                .cpu_seconds = 600,
                .descriptors = MAX_DEPTH + 20,
                .syscalls = measure_calls,
                .n_syscalls = sizeof measure_calls / sizeof measure_calls[0],
        };
        struct measure measure = {.err = err};
        r = confine_drop(&rights, err);
        if (r == 0)
                r = count_below(&measure, root, 0);
        if (r == 0)
                *ret = measure.usage;
        return r;
}
