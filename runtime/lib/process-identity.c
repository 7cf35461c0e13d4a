/* SPDX-License-Identifier: Apache-2.0 */
#include "process-identity.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "sys.h"

#define PROCESS_START_FIELD 22

int process_start_time(pid_t pid, uint64_t *ret, struct berth_error *err) {
        char path[32], text[1024];

        (void) snprintf(path, sizeof path, "/proc/%d/stat", (int) pid);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return berth_error_set(err, errno == ENOENT ? ESRCH : errno, "process %d", (int) pid);
        ssize_t n = read(fd, text, sizeof text - 1);
        if (n <= 0)
                return berth_error_set(err, n == 0 || errno == ESRCH ? ESRCH : errno, "process %d", (int) pid);
        text[n] = '\0';

        /* The second field is the name in parentheses, which may hold anything; fields are counted from behind it. */
        char *at = strrchr(text, ')');
        /* One that has ended and is not reaped (a PID 1 that never reaps keeps such for ever) is gone as well. */
        if (at && (strncmp(at, ") Z", 3) == 0 || strncmp(at, ") X", 3) == 0))
                return berth_error_set(err, ESRCH, "process %d", (int) pid);
        for (int field = 2; at && field < PROCESS_START_FIELD; field++)
                at = strchr(at + 1, ' ');
        if (!at)
                return berth_error_set(err, EBADMSG, "read the start time of process %d", (int) pid);
        *ret = strtoull(at + 1, NULL, 10);
        return 0;
}

int process_open_exact(pid_t pid, uint64_t start_time, int *ret_pidfd, struct berth_error *err) {
        uint64_t found = 0;

        if (pid <= 0)
                return berth_error_set(err, ESRCH, "process %d", (int) pid);
        _cleanup_close_ int pidfd = sys_pidfd_open(pid);
        if (pidfd < 0)
                return berth_error_set(err, errno, "open process %d", (int) pid);
        /* Read after the pidfd is held: the number cannot go to another process unnoticed. */
        int r = process_start_time(pid, &found, err);
        if (r < 0)
                return r;
        if (found != start_time)
                return berth_error_set(err, ESRCH, "process %d of that start time", (int) pid);
        return give_fd(ret_pidfd, &pidfd);
}
