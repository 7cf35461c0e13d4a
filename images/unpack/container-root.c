/* SPDX-License-Identifier: Apache-2.0 */
#include "container-root.h"

#include "../../runtime/lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { MAX_LINKS = 255 };

#ifndef MQUEUE_MAGIC
#define MQUEUE_MAGIC 0x19800202
#endif

int container_root_become(int users, struct berth_error *err) {
        if (users < 0)
                return 0;
        if (setns(users, CLONE_NEWUSER) < 0)
                return berth_error_set(err, errno, "enter the container's user namespace: %s", strerror(errno));
        if (setresgid(0, 0, 0) < 0 || setgroups(0, NULL) < 0 || setresuid(0, 0, 0) < 0)
                return berth_error_set(err, errno, "become root of the container's user namespace: %s", strerror(errno));
        (void) close(users);
        return 0;
}

int container_root_enter(int root, struct berth_error *err) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return berth_error_set(err, errno, "give up new privileges");
        if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
                return berth_error_set(err, errno, "enter empty namespaces: %s", strerror(errno));
        if (fchdir(root) < 0 || chroot(".") < 0 || chdir("/") < 0)
                return berth_error_set(err, errno, "make the container's root the root: %s", strerror(errno));
        return 0;
}

bool container_root_is_kernel(int fd) {
        static const unsigned long types[] = {PROC_SUPER_MAGIC,    SYSFS_MAGIC,   CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, DEVPTS_SUPER_MAGIC,
                                              SECURITYFS_MAGIC,    DEBUGFS_MAGIC, TRACEFS_MAGIC,      BPF_FS_MAGIC,        BINFMTFS_MAGIC,
                                              MQUEUE_MAGIC,        NSFS_MAGIC,    EFIVARFS_MAGIC,     SELINUX_MAGIC,       PSTOREFS_MAGIC};
        struct statfs fs;
        if (fstatfs(fd, &fs) < 0)
                return true;
        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
                if ((unsigned long) fs.f_type == types[i])
                        return true;
        return false;
}

int container_root_open(int root, const char *path, int flags, int *ret_fd) {
        struct open_how how = {.flags = (unsigned) (flags | O_CLOEXEC), .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
        _cleanup_close_ int fd = (int) syscall(SYS_openat2, root, path, &how, sizeof how);
        if (fd < 0)
                /* EACCES: procfs, which shows its magic links to few. */
                return errno == ELOOP || errno == EXDEV || errno == EAGAIN || errno == EACCES ? -ENOENT : -errno;
        if (container_root_is_kernel(fd))
                return -ENOENT;
        return give_fd(ret_fd, &fd);
}

/* What is left of a path, while symlinks put more in front of it. */
struct rest {
        char text[2 * PATH_MAX];
};

static int rest_put(struct rest *rest, const char *target) {
        char behind[2 * PATH_MAX];
        memcpy(behind, rest->text, sizeof behind);
        int size = snprintf(rest->text, sizeof rest->text, "%s/%s", target, behind);
        return size < 0 || (size_t) size >= sizeof rest->text ? -ENAMETOOLONG : 0;
}

/* The first component, which is taken off; false at the end. */
static bool rest_next(struct rest *rest, char ret[NAME_MAX + 1], int *ret_error) {
        const char *from = rest->text + strspn(rest->text, "/");
        size_t length = strcspn(from, "/");
        if (length == 0)
                return false;
        if (length > NAME_MAX) {
                *ret_error = -ENAMETOOLONG;
                return false;
        }
        memcpy(ret, from, length);
        ret[length] = '\0';
        memmove(rest->text, from + length, strlen(from + length) + 1);
        return true;
}

static void leave(char path[PATH_MAX]) {
        char *slash = strrchr(path, '/');
        if (slash)
                *slash = '\0';
}

/* 1: a symlink, whose target is told; 0: something else, or nothing. */
static int target_of(int root, const char *path, char ret[PATH_MAX]) {
        _cleanup_close_ int fd = -1;
        if (container_root_open(root, path, O_PATH | O_NOFOLLOW, &fd) < 0)
                return 0;
        ssize_t size = readlinkat(fd, "", ret, PATH_MAX - 1);
        if (size < 0)
                return 0;
        ret[size] = '\0';
        return 1;
}

/* Follows every symlink by name, also of what is not there. */
static int resolve(int root, const char *path, char ret[PATH_MAX]) {
        struct rest rest = {0};
        char name[NAME_MAX + 1], target[PATH_MAX];
        int links = 0, r = 0;
        ret[0] = '\0';
        if (strlen(path) >= PATH_MAX)
                return -ENAMETOOLONG;
        memcpy(rest.text, path, strlen(path) + 1);
        while (r == 0 && rest_next(&rest, name, &r)) {
                size_t size = strlen(ret);
                if (strcmp(name, ".") == 0)
                        continue;
                if (strcmp(name, "..") == 0) {
                        leave(ret);
                        continue;
                }
                if (size + strlen(name) + 2 > PATH_MAX)
                        return -ENAMETOOLONG;
                (void) snprintf(ret + size, PATH_MAX - size, "/%s", name);
                if (!target_of(root, ret, target))
                        continue;
                if (++links > MAX_LINKS)
                        return -ELOOP;
                ret[target[0] == '/' ? 0 : size] = '\0';
                r = rest_put(&rest, target);
        }
        if (ret[0] == '\0')
                memcpy(ret, "/", 2);
        return r;
}

int container_root_look(int root, const char *path, struct container_place *ret, struct berth_error *err) {
        _cleanup_close_ int fd = -1, behind = -1;
        struct stat st;
        *ret = (struct container_place){0};
        int r = container_root_open(root, path, O_PATH | O_NOFOLLOW, &fd);
        if (r == 0 && fstat(fd, &ret->st) < 0)
                r = -errno;
        if (r == 0)
                r = resolve(root, path, ret->resolved);
        if (r < 0)
                return berth_error_set(err, -r, "lstat %.300s: %s", path,
                                       r == -ENOENT    ? "no such file or directory"
                                       : r == -ENOTDIR ? "not a directory"
                                                       : strerror(-r));
        if (container_root_open(root, ret->resolved, O_PATH, &behind) == 0 && fstat(behind, &st) == 0)
                ret->resolved_mode = st.st_mode;
        return 0;
}
