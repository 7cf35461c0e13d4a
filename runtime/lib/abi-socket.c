/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../include/berth.h"
#include "cleanup.h"
#include "fd.h"
#include "sys.h"

int berth_socketpair(int ret[2], struct berth_error *err) {
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret) < 0)
                return berth_error_set(err, errno, "make a pair of sockets");
        return 0;
}

static int connect_unix(const char *path, int type, int *ret_fd, struct berth_error *err) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_close_ int directory = -1, fd = -1;

        if (strlen(path) < sizeof address.sun_path) {
                (void) strcpy(address.sun_path, path);
        } else {
                /* An address holds 107 bytes; the way through /proc is always short. */
                const char *slash = strrchr(path, '/');
                char parent[PATH_MAX];
                if (!slash || (size_t) (slash - path) >= sizeof parent)
                        return berth_error_set(err, ENAMETOOLONG, "connect to '%.64s…'", path);
                memcpy(parent, path, (size_t) (slash - path));
                parent[slash - path] = '\0';
                directory = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
                if (directory < 0)
                        return berth_error_set(err, errno, "open '%s'", parent);
                int n = snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d%s", directory, slash);
                if (n < 0 || (size_t) n >= sizeof address.sun_path)
                        return berth_error_set(err, ENAMETOOLONG, "connect to '%.64s…'", path);
        }

        fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return berth_error_set(err, errno, "make a socket");
        if (connect(fd, (struct sockaddr *) &address, sizeof address) < 0)
                return berth_error_set(err, errno, "connect to '%s'", path);
        return give_fd(ret_fd, &fd);
}

int berth_connect(const char *path, int *ret_fd, struct berth_error *err) {
        return connect_unix(path, SOCK_STREAM, ret_fd, err);
}

int berth_connect_datagram(const char *path, int *ret_fd, struct berth_error *err) {
        return connect_unix(path, SOCK_DGRAM, ret_fd, err);
}

int berth_peer_pid(int sock, int *ret_pid, int *ret_uid, struct berth_error *err) {
        struct ucred peer;
        socklen_t size = sizeof peer;

        if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
                return berth_error_set(err, errno, "ask who is at the other end of a socket");
        *ret_pid = peer.pid;
        *ret_uid = (int) peer.uid;
        return 0;
}

int berth_send(int sock, const void *frame, size_t size, const int *fds, size_t n_fds, struct berth_error *err) {
        const uint8_t *bytes = frame;
        ssize_t n = fd_send(sock, bytes, size, fds, n_fds, MSG_DONTWAIT);

        if (n < 0)
                return berth_error_set(err, (int) -n, "send a frame of %zu bytes", size);
        /*
         * A frame must not stay half sent. The other end reads all the time, so the rest goes as soon as it did; one that stopped
         * reading is given up.
         */
        while ((size_t) n < size) {
                bytes += n;
                size -= (size_t) n;
                n = fd_send(sock, bytes, size, NULL, 0, MSG_DONTWAIT);
                if (n < 0)
                        return berth_error_set(err, EPIPE, "send the rest of a frame (%zu bytes)", size);
        }
        return 0;
}

int berth_close(int fd) {
        return close(fd) < 0 ? -errno : 0;
}
