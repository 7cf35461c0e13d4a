/* SPDX-License-Identifier: Apache-2.0 */
#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "shim.h"
#include "sys.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
#define PEER_CGROUP_MAX 16384 /* of /proc/PID/cgroup */

/* Keeps the number from becoming another's while we look. Before kernel 6.5 it could in the moment in between. */
static int peer_open(int sock, pid_t pid) {
        int pidfd = -1;
        socklen_t size = sizeof(pidfd);
        if (getsockopt(sock, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == 0)
                return pidfd;
        return errno == ENOPROTOOPT ? sys_pidfd_open(pid) : -1;
}

static bool peer_shares_pids(pid_t pid) {
        char path[64];
        struct stat ours, theirs;
        (void) snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int) pid);
        return stat("/proc/self/ns/pid", &ours) == 0 && stat(path, &theirs) == 0 && ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

/* Lines are "number:controllers:path"; the path may begin above the mount that we work in. */
static bool peer_is_below(const char *lines, const char *group) {
        size_t size = strlen(group);
        for (const char *at = strstr(lines, group); at; at = strstr(at + 1, group))
                if (at[size] == '/' || at[size] == '\n' || at[size] == '\0')
                        return true;
        return false;
}

/* True as well when that cannot be told. */
static bool peer_is_contained(pid_t pid, const char *group) {
        char path[64], lines[PEER_CGROUP_MAX];
        (void) snprintf(path, sizeof(path), "/proc/%d/cgroup", (int) pid);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return true;
        size_t used = 0;
        for (ssize_t n; (n = read(fd, lines + used, sizeof(lines) - used)) != 0; used += (size_t) n)
                if (n < 0 || used + (size_t) n == sizeof(lines))
                        return true;
        lines[used] = '\0';
        return peer_is_below(lines, group);
}

bool peer_is_trusted(const struct shim *shim, int sock) {
        struct ucred peer;
        socklen_t size = sizeof(peer);
        if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || (peer.uid != 0 && peer.uid != geteuid()) || peer.pid <= 0)
                return false;
        _cleanup_close_ int pidfd = peer_open(sock, peer.pid);
        if (pidfd < 0 || !peer_shares_pids(peer.pid))
                return false;
        const char *group = shim->plan ? plan_cgroup_path(shim->plan) : NULL;
        if (group && peer_is_contained(peer.pid, group))
                return false;
        return sys_pidfd_send_signal(pidfd, 0) == 0;
}
