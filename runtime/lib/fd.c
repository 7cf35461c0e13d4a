/* SPDX-License-Identifier: Apache-2.0 */
#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"

ssize_t fd_send(int sock, const void *data, size_t size, const int *fds, size_t n_fds, int flags) {
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(int) * FD_PASS_MAX)];
        } control;
        struct iovec iov = {.iov_base = (void *) (uintptr_t) data, .iov_len = size};
        struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

        if (n_fds > FD_PASS_MAX)
                return -E2BIG;
        if (n_fds > 0) {
                memset(&control, 0, sizeof control);
                message.msg_control = &control;
                message.msg_controllen = (__typeof__(message.msg_controllen)) CMSG_SPACE(sizeof(int) * n_fds);
                struct cmsghdr *header = &control.header;
                header->cmsg_level = SOL_SOCKET;
                header->cmsg_type = SCM_RIGHTS;
                header->cmsg_len = (__typeof__(header->cmsg_len)) CMSG_LEN(sizeof(int) * n_fds);
                memcpy(CMSG_DATA(header), fds, sizeof(int) * n_fds);
        }

        ssize_t n;
        do
                n = sendmsg(sock, &message, flags | MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : n;
}

ssize_t fd_receive(int sock, void *data, size_t size, int *ret_fd, int flags) {
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(int) * FD_PASS_MAX)];
        } control;
        struct iovec iov = {.iov_base = data, .iov_len = size};
        struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};

        ssize_t n;
        do
                n = recvmsg(sock, &message, flags | MSG_CMSG_CLOEXEC);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;

        int got = -1;
        /* One header at most: only SCM_RIGHTS is ever sent to our sockets, and the kernel puts all of it into one. */
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
                size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                for (size_t i = 0; i < count; i++) {
                        int fd;
                        memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
                        if (got < 0 && ret_fd)
                                got = fd;
                        else
                                (void) close(fd);
                }
        }
        if (ret_fd)
                *ret_fd = got;
        return n;
}

int fd_write_all(int fd, const void *data, size_t size) {
        const char *bytes = data;

        while (size > 0) {
                ssize_t n = write(fd, bytes, size);
                if (n < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                bytes += n;
                size -= (size_t) n;
        }
        return 0;
}
