/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * System calls that musl 1.2 lacks or whose libc declarations clash with the kernel's headers (sys/mount.h against
 * linux/mount.h). All answer -1 and errno, as the libc would.
 */

#ifndef UMOUNT_NOFOLLOW
#define UMOUNT_NOFOLLOW 8
#endif
#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x10U
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x8U
#endif

static inline int sys_openat2(int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve) {
        struct open_how how = {.flags = (uint64_t) (unsigned) flags | O_CLOEXEC, .mode = mode, .resolve = resolve};
        return (int) syscall(SYS_openat2, dirfd, path, &how, sizeof how);
}

static inline int sys_open_tree(int dirfd, const char *path, unsigned flags) {
        return (int) syscall(SYS_open_tree, dirfd, path, flags | OPEN_TREE_CLOEXEC);
}

static inline int sys_move_mount(int from, const char *from_path, int to, const char *to_path, unsigned flags) {
        return (int) syscall(SYS_move_mount, from, from_path, to, to_path, flags);
}

static inline int sys_fsopen(const char *type) {
        return (int) syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
}

static inline int sys_fsconfig(int fs, unsigned command, const char *key, const void *value, int aux) {
        return (int) syscall(SYS_fsconfig, fs, command, key, value, aux);
}

static inline int sys_fspick(int mount) {
        return (int) syscall(SYS_fspick, mount, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
}

static inline int sys_fsmount(int fs, unsigned attributes) {
        return (int) syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes);
}

static inline int sys_mount_setattr(int dirfd, const char *path, unsigned flags, const struct mount_attr *attr) {
        return (int) syscall(SYS_mount_setattr, dirfd, path, flags, attr, sizeof *attr);
}

static inline int sys_mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data) {
        return (int) syscall(SYS_mount, source, target, type, flags, data);
}

static inline int sys_umount2(const char *target, int flags) {
        return (int) syscall(SYS_umount2, target, flags);
}

static inline int sys_pivot_root(const char *new_root, const char *put_old) {
        return (int) syscall(SYS_pivot_root, new_root, put_old);
}

static inline int sys_close_range(unsigned first, unsigned last, unsigned flags) {
        return (int) syscall(SYS_close_range, first, last, flags);
}

static inline pid_t sys_clone3(struct clone_args *args) {
        return (pid_t) syscall(SYS_clone3, args, sizeof *args);
}

static inline int sys_pidfd_open(pid_t pid) {
        return (int) syscall(SYS_pidfd_open, pid, 0);
}

static inline int sys_pidfd_send_signal(int pidfd, int sig) {
        return (int) syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0);
}

static inline int sys_pidfd_getfd(int pidfd, int fd) {
        return (int) syscall(SYS_pidfd_getfd, pidfd, fd, 0);
}
