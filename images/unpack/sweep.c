/* SPDX-License-Identifier: Apache-2.0 */
#include "sweep.h"

#include "../../runtime/lib/cleanup.h"
#include "confine.h"
#include "directory.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A container may nest directories deeper than any number of descriptors: below this level they are first moved up to the root. */
enum { MAX_DEPTH = 100 };

struct sweep {
        int root;
        unsigned moved;
        struct berth_error *err;
};

static int empty(struct sweep *sweep, int fd, unsigned depth);

static int move_up(struct sweep *sweep, int parent, const char *name) {
        for (;;) {
                char place[32];
                (void) snprintf(place, sizeof place, ".deep-%u", sweep->moved++);
                /* Emptied by a later pass over the root. A name in use may be anybody's: the next one is tried. */
                if (syscall(SYS_renameat2, parent, name, sweep->root, place, 1 /* RENAME_NOREPLACE */) == 0)
                        return 0;
                if (errno != EEXIST)
                        return tree_error(sweep->err, errno, "move", name);
        }
}

static int remove_one(struct sweep *sweep, int parent, const char *name, unsigned depth) {
        if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
                return 0;
        if (errno != EISDIR)
                return tree_error(sweep->err, errno, "remove", name);
        if (unlinkat(parent, name, AT_REMOVEDIR) == 0)
                return 0;
        if (errno != ENOTEMPTY)
                return tree_error(sweep->err, errno, "remove", name);
        if (depth == MAX_DEPTH)
                return move_up(sweep, parent, name);

        _cleanup_close_ int fd = -1;
        int r = tree_open(parent, name, O_RDONLY | O_DIRECTORY, &fd, sweep->err);
        if (r == 0)
                r = empty(sweep, fd, depth + 1);
        if (r < 0)
                return r;
        return unlinkat(parent, name, AT_REMOVEDIR) < 0 ? tree_error(sweep->err, errno, "remove", name) : 0;
}

static int empty(struct sweep *sweep, int fd, unsigned depth) {
        struct directory directory;
        const struct kernel_dirent *item;
        /* A filesystem may skip entries while others are removed: only a pass that finds none is the last. */
        for (bool found = true; found;) {
                found = false;
                if (lseek(fd, 0, SEEK_SET) < 0)
                        return tree_error(sweep->err, errno, "list", "a directory");
                directory_begin(&directory, fd);
                int r;
                while ((r = directory_next(&directory, &item)) > 0) {
                        found = true;
                        r = remove_one(sweep, fd, item->name, depth);
                        if (r < 0)
                                return r;
                }
                if (r < 0)
                        return tree_error(sweep->err, -r, "list", "a directory");
        }
        return 0;
}

static const int sweep_calls[] = {SYS_read,       SYS_write,     SYS_close, SYS_lseek, SYS_openat2, SYS_unlinkat,
                                  SYS_getdents64, SYS_renameat2, SYS_brk,   SYS_mmap,  SYS_munmap,  SYS_exit_group};

int sweep_run(int target, struct berth_error *err) {
        struct sweep sweep = {.root = -1, .err = err};
        int r = confine_enter_alone(target, &sweep.root, err);
        if (r < 0)
                return r;
        const struct confine_rights rights = {
                .capabilities = 1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_FOWNER,
                .address_space = 64 << 20,
                .file_size = 1 << 20,
                .cpu_seconds = 3600,
                .descriptors = MAX_DEPTH + 20,
                .syscalls = sweep_calls,
                .n_syscalls = sizeof sweep_calls / sizeof sweep_calls[0],
        };
        r = confine_drop(&rights, err);
        return r < 0 ? r : empty(&sweep, sweep.root, 0);
}
