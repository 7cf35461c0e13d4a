/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../include/berth.h"
#include "cleanup.h"
#include "error.h"

#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443
#endif

/* Ours: administrators count from 1, dockerd from the id of its directory, kubelet from 2^20. */
#define PROJECT_FIRST 0x40000000U
#define PROJECT_MASK 0x3fffffffU
#define PROJECT_ATTEMPTS 65536
#define BLOCK 512 /* the unit of Q_XSETQLIM, on ext4 too */

static int open_directory(const char *path, int flags, int *ret_fd, struct berth_error *err) {
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
        if (fd < 0)
                return berth_error_set(err, errno, "open '%.400s'", path);
        *ret_fd = fd;
        return 0;
}

static int quota_call(int fd, unsigned command, uint32_t project, void *data) {
        return syscall(SYS_quotactl_fd, fd, QCMD(command, PRJQUOTA), project, data) < 0 ? -errno : 0;
}

static bool are_limits_enforced(int fd) {
        struct fs_quota_stat state = {0};
        return quota_call(fd, Q_XGETQSTAT, 0, &state) == 0 && (state.qs_flags & FS_QUOTA_PDQ_ENFD) != 0;
}

/* A project of which nothing is known has neither use nor limits. */
static int look_up(int fd, uint32_t project, struct fs_disk_quota *ret) {
        struct fs_disk_quota found = {0};
        int r = quota_call(fd, Q_XGETQUOTA, project, &found);
        if (r == -ENOENT)
                found = (struct fs_disk_quota){0};
        else if (r < 0)
                return r;
        *ret = found;
        return 0;
}

static bool has_limits(const struct fs_disk_quota *quota) {
        return quota->d_blk_hardlimit || quota->d_blk_softlimit || quota->d_ino_hardlimit || quota->d_ino_softlimit;
}

/* @extra: beyond the soft limit, which says what the limit is. */
static int set_limit(int fd, uint32_t project, uint64_t blocks, uint64_t extra) {
        struct fs_disk_quota quota = {
                .d_version = FS_DQUOT_VERSION,
                .d_id = project,
                .d_flags = FS_PROJ_QUOTA,
                .d_fieldmask = FS_DQ_BHARD | FS_DQ_BSOFT,
                .d_blk_hardlimit = blocks + extra,
                .d_blk_softlimit = blocks,
        };
        return quota_call(fd, Q_XSETQLIM, project, &quota);
}

static uint64_t to_blocks(uint64_t bytes) {
        return bytes / BLOCK + (bytes % BLOCK != 0);
}

static int set_attributes(int fd, struct fsxattr attributes, uint32_t project) {
        attributes.fsx_projid = project;
        attributes.fsx_xflags |= FS_XFLAG_PROJINHERIT;
        return ioctl(fd, FS_IOC_FSSETXATTR, &attributes) < 0 ? -errno : 0;
}

/*
 * Moves the directory into a project that holds nothing else. Looking first is not enough: another engine on the same filesystem may
 * look at the same moment. Whoever sees two inodes afterwards goes on to the next.
 */
static int enter_free_project(int fd, const struct fsxattr *before, uint32_t wanted, uint32_t *ret_project) {
        for (uint32_t i = 0; i < PROJECT_ATTEMPTS; i++) {
                uint32_t project = PROJECT_FIRST + ((wanted + i) & PROJECT_MASK);
                struct fs_disk_quota quota;
                int r = look_up(fd, project, &quota);
                if (r < 0)
                        return r;
                if (has_limits(&quota) || quota.d_bcount || quota.d_icount)
                        continue;
                r = set_attributes(fd, *before, project);
                if (r == 0)
                        r = look_up(fd, project, &quota);
                if (r < 0)
                        return r;
                if (quota.d_icount == 1 && !has_limits(&quota)) {
                        *ret_project = project;
                        return 0;
                }
        }
        return -EBUSY;
}

int berth_quota_enforced(const char *directory, struct berth_error *err) {
        _cleanup_close_ int fd = -1;
        int r = open_directory(directory, 0, &fd, err);
        return r < 0 ? r : are_limits_enforced(fd);
}

int berth_quota_limit(const char *directory, uint32_t wanted, uint64_t bytes, struct berth_error *err) {
        _cleanup_close_ int fd = -1;
        struct fsxattr before;
        uint32_t project = 0;
        int r = open_directory(directory, O_NOFOLLOW, &fd, err);
        if (r < 0)
                return r;
        if (ioctl(fd, FS_IOC_FSGETXATTR, &before) < 0)
                return berth_error_set(err, errno, "read the project of '%.400s'", directory);
        r = enter_free_project(fd, &before, wanted, &project);
        if (r == 0)
                r = set_limit(fd, project, to_blocks(bytes), 0);
        if (r == 0)
                return 0;
        /* Out of a project that may be somebody else's, before anybody takes its limit for ours. */
        (void) ioctl(fd, FS_IOC_FSSETXATTR, &before);
        return berth_error_set(err, -r, "limit the size of '%.400s' by a project quota", directory);
}

/* A directory with a limit of its own; what it has from above is the limit of more than this directory. 1: found, 0: there is none. */
static int find_limited(const char *directory, int *ret_fd, struct fs_disk_quota *ret, struct berth_error *err) {
        _cleanup_close_ int fd = -1, parent = -1;
        struct fsxattr own, above = {0};
        struct fs_disk_quota quota;
        int r = open_directory(directory, O_NOFOLLOW, &fd, err);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        if (ioctl(fd, FS_IOC_FSGETXATTR, &own) < 0 || own.fsx_projid < PROJECT_FIRST || !are_limits_enforced(fd))
                return 0;
        parent = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (parent < 0)
                return berth_error_set(err, errno, "open the directory above '%.400s'", directory);
        if (ioctl(parent, FS_IOC_FSGETXATTR, &above) == 0 && above.fsx_projid == own.fsx_projid)
                return 0;
        r = look_up(fd, own.fsx_projid, &quota);
        if (r < 0)
                return berth_error_set(err, -r, "look up the project quota of '%.400s'", directory);
        if (!has_limits(&quota))
                return 0;
        quota.d_id = own.fsx_projid;
        *ret = quota;
        (void) give_fd(ret_fd, &fd);
        return 1;
}

int berth_quota_widen(const char *directory, uint64_t bytes, struct berth_error *err) {
        _cleanup_close_ int fd = -1;
        struct fs_disk_quota quota;
        int r = find_limited(directory, &fd, &quota, err);
        if (r <= 0)
                return r;
        r = set_limit(fd, quota.d_id, quota.d_blk_softlimit, to_blocks(bytes));
        return r < 0 ? berth_error_set(err, -r, "widen the project quota of '%.400s'", directory) : 1;
}

int berth_quota_lift(const char *directory, struct berth_error *err) {
        _cleanup_close_ int fd = -1;
        struct fs_disk_quota quota;
        int r = find_limited(directory, &fd, &quota, err);
        if (r <= 0)
                return r;
        r = set_limit(fd, quota.d_id, 0, 0);
        return r < 0 ? berth_error_set(err, -r, "lift the project quota of '%.400s'", directory) : 1;
}
