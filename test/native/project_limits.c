/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the projects of a filesystem that have a limit: number, bytes that they may take, inodes that they have. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/dqblk_xfs.h>
#include <linux/quota.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BLOCK 512

int main(int argc, char **argv) {
        int fd = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1;
        if (fd < 0) {
                fprintf(stderr, "project_limits: give a directory\n");
                return 1;
        }
        for (uint64_t from = 1; from <= UINT32_MAX;) {
                struct fs_disk_quota quota = {0};
                if (syscall(443 /* quotactl_fd */, fd, QCMD(Q_XGETNEXTQUOTA, PRJQUOTA), (uint32_t) from, &quota) < 0) {
                        if (errno == ENOENT || errno == ESRCH)
                                return 0;
                        fprintf(stderr, "project_limits: %s\n", strerror(errno));
                        return 1;
                }
                if (quota.d_blk_hardlimit)
                        printf("%" PRIu32 " %" PRIu64 " %" PRIu64 "\n", quota.d_id, (uint64_t) quota.d_blk_hardlimit * BLOCK, (uint64_t) quota.d_icount);
                from = (uint64_t) quota.d_id + 1;
        }
        return 0;
}
