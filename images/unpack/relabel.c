/* SPDX-License-Identifier: Apache-2.0 */
#include "relabel.h"

#include "../../runtime/lib/cleanup.h"
#include "confine.h"
#include "directory.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

/* As deep as a path of PATH_MAX bytes reaches. */
enum { MAX_DEPTH = 2048, MAX_LABEL = 4096 };

static const char attribute[] = "security.selinux";

/* A directory that is being walked: open, and where its list goes on when what is below is done. */
struct level {
        int fd;
        int64_t next;
};

struct relabel {
        const char *label;
        size_t size; /* with the zero byte, as the kernel keeps it */
        struct level levels[MAX_DEPTH];
        unsigned depth;
        struct directory directory;
        struct berth_error *err;
};

static bool is_label(const struct relabel *relabel, const char *value, ssize_t size) {
        /* Some tools leave the zero byte out. */
        size_t bare = relabel->size - 1;
        return size >= (ssize_t) bare && size <= (ssize_t) relabel->size && memcmp(value, relabel->label, bare) == 0 &&
               (size == (ssize_t) bare || value[bare] == '\0');
}

/* 1: it has the label; 0: it takes none, or is gone. The name is one of the working directory's. */
static int label_entry(struct relabel *relabel, const char *name) {
        char value[MAX_LABEL];
        /* What has the label already is not written again. */
        if (is_label(relabel, value, lgetxattr(name, attribute, value, sizeof value)))
                return 1;
        if (lsetxattr(name, attribute, relabel->label, relabel->size, 0) == 0)
                return 1;
        return errno == ENOENT || errno == EOPNOTSUPP ? 0 : tree_error(relabel->err, errno, "relabel", name);
}

static int go_to(struct relabel *relabel, int fd) {
        directory_begin(&relabel->directory, fd);
        return fchdir(fd) < 0 ? tree_error(relabel->err, errno, "enter", "a directory") : 0;
}

/* Goes into a directory of the current one; what is no directory, or is gone by now, is left alone. */
static int descend(struct relabel *relabel, const struct kernel_dirent *item) {
        struct level *here = &relabel->levels[relabel->depth - 1];
        struct open_how how = {
                .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
        };
        _cleanup_close_ int fd = (int) syscall(SYS_openat2, here->fd, item->name, &how, sizeof how);
        /* EXDEV: it was moved away while it was looked up. */
        if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == EXDEV))
                return 0;
        if (fd < 0)
                return tree_error(relabel->err, errno, "open", item->name);
        if (relabel->depth == MAX_DEPTH)
                return berth_error_set(relabel->err, E2BIG, "directories nested more than %d deep", MAX_DEPTH);
        here->next = item->offset;
        struct level *below = &relabel->levels[relabel->depth++];
        below->fd = take_fd(&fd);
        return go_to(relabel, below->fd);
}

static int ascend(struct relabel *relabel) {
        (void) close(relabel->levels[--relabel->depth].fd);
        if (relabel->depth == 0)
                return 0;
        const struct level *level = &relabel->levels[relabel->depth - 1];
        if (lseek(level->fd, level->next, SEEK_SET) < 0)
                return tree_error(relabel->err, errno, "list", "a directory");
        return go_to(relabel, level->fd);
}

static int walk(struct relabel *relabel, int root) {
        relabel->levels[relabel->depth++] = (struct level){.fd = root};
        int r = go_to(relabel, root);
        while (r == 0 && relabel->depth > 0) {
                const struct kernel_dirent *item;
                r = directory_next(&relabel->directory, &item);
                if (r < 0 && r != -ENOENT)
                        return tree_error(relabel->err, -r, "list", "a directory");
                if (r <= 0) {
                        r = ascend(relabel);
                        continue;
                }
                r = label_entry(relabel, item->name);
                if (r > 0)
                        r = item->type == DT_DIR || item->type == DT_UNKNOWN ? descend(relabel, item) : 0;
        }
        return r;
}

static const int relabel_calls[] = {SYS_read,      SYS_write,     SYS_close, SYS_lseek, SYS_openat2, SYS_getdents64, SYS_fchdir,
                                    SYS_lgetxattr, SYS_lsetxattr, SYS_brk,   SYS_mmap,  SYS_munmap,  SYS_exit_group};

/* Names are all that is hostile here: the process stays in its namespaces, since the mounts of binds are to be seen, and can do little else. */
static int confine(struct berth_error *err) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return berth_error_set(err, errno, "give up new privileges");
        const struct confine_rights rights = {
                /* The last one is asked for where no policy decides over labels. */
                .capabilities = 1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_FOWNER | 1ULL << CAP_SYS_ADMIN,
                .address_space = 64 << 20,
                .file_size = 1 << 20,
                .cpu_seconds = 3600,
                .descriptors = MAX_DEPTH + 20,
                .syscalls = relabel_calls,
                .n_syscalls = sizeof relabel_calls / sizeof relabel_calls[0],
        };
        return confine_drop(&rights, err);
}

/* By way of /proc, since a descriptor opened with O_PATH has no attributes of its own.   1: labelled, 0: it takes none */
static int label_target(int target, const struct relabel *relabel) {
        char path[32];
        (void) snprintf(path, sizeof path, "/proc/self/fd/%d", target);
        if (setxattr(path, attribute, relabel->label, relabel->size, 0) == 0)
                return 1;
        return errno == EOPNOTSUPP ? 0 : tree_error(relabel->err, errno, "relabel", "the source");
}

int relabel_run(int target, const char *label, struct berth_error *err) {
        static struct relabel relabel;
        struct stat st;
        relabel = (struct relabel){.label = label, .size = strlen(label) + 1, .err = err};
        if (relabel.size > MAX_LABEL)
                return berth_error_set(err, ENAMETOOLONG, "the label is longer than %d bytes", MAX_LABEL);
        if (fstat(target, &st) < 0)
                return tree_error(err, errno, "look at", "the source");
        int r = label_target(target, &relabel);
        if (r <= 0 || !S_ISDIR(st.st_mode))
                return r < 0 ? r : 0;
        int root = openat(target, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return tree_error(err, errno, "open", "the source");
        r = confine(err);
        return r < 0 ? r : walk(&relabel, root);
}
