/* SPDX-License-Identifier: Apache-2.0 */
#include "sync.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "fd.h"

struct sync_message {
        uint32_t kind;
        struct berth_error error;
};

struct sync_child {
        uint32_t kind;
        int32_t pid;
};

int sync_set_patience(int sock, unsigned seconds, struct berth_error *err) {
        const struct timeval timeout = {.tv_sec = seconds};

        if (setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) < 0)
                return berth_error_set(err, errno, "limit the wait for the new process");
        return 0;
}

int sync_open(int ret[2], struct berth_error *err) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return berth_error_set(err, errno, "make the channel to the new process");
        int r = sync_set_patience(pair[0], SYNC_PATIENCE_S, err);
        if (r < 0) {
                (void) close(pair[0]);
                (void) close(pair[1]);
                return r;
        }
        ret[0] = pair[0];
        ret[1] = pair[1];
        return 0;
}

int sync_send(int sock, enum sync_kind kind, int fd, struct berth_error *err) {
        uint32_t message = (uint32_t) kind;
        ssize_t n = fd < 0 ? write(sock, &message, sizeof message) : fd_send(sock, &message, sizeof message, &fd, 1, 0);
        if (n < 0)
                return berth_error_set(err, fd < 0 ? errno : (int) -n, "write to the other process");
        return 0;
}

int sync_send_child(int sock, pid_t pid, int pidfd, struct berth_error *err) {
        const struct sync_child message = {.kind = SYNC_CHILD, .pid = pid};
        ssize_t n = fd_send(sock, &message, sizeof message, &pidfd, 1, 0);
        return n < 0 ? berth_error_set(err, (int) -n, "hand over the new process") : 0;
}

void sync_fail(int sock, const struct berth_error *failure) {
        struct sync_message message = {.kind = SYNC_FAILED, .error = *failure};
        ssize_t n = write(sock, &message, sizeof message);
        (void) n; /* the other side is gone, and with it everybody who could be told */
}

static int sync_read(int sock, struct sync_message *ret, size_t *ret_size, int *ret_fd, struct berth_error *err) {
        ssize_t n;

        if (ret_fd)
                n = fd_receive(sock, ret, sizeof *ret, ret_fd, 0);
        else
                do
                        n = read(sock, ret, sizeof *ret);
                while (n < 0 && errno == EINTR);
        int code = n >= 0 ? 0 : ret_fd ? (int) -n : errno;
        if (code == EAGAIN) {
                struct timeval limit = {0};
                socklen_t limit_size = sizeof limit;
                (void) getsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, &limit_size);
                return berth_error_set(err, ETIMEDOUT, "the new process said nothing for %lld s; is something in the container stopping it?",
                                       (long long) limit.tv_sec);
        }
        if (code != 0)
                return berth_error_set(err, code, "read from the other process");
        *ret_size = (size_t) n;
        return 0;
}

/* The kind of a whole message, 0 at the end, or what a FAILED says. */
static int sync_judge(struct sync_message *message, size_t size, struct berth_error *err) {
        if (size == 0)
                return 0;
        if (size >= sizeof message->kind && message->kind != SYNC_FAILED)
                return (int) message->kind;
        if (size != sizeof *message)
                return berth_error_set(err, EBADMSG, "a damaged message from the other process");
        message->error.text[sizeof message->error.text - 1] = '\0';
        if (err)
                *err = message->error;
        return message->error.code > 0 ? -message->error.code : -EIO;
}

int sync_receive(int sock, int *ret_fd, struct berth_error *err) {
        struct sync_message message;
        size_t size = 0;

        int r = sync_read(sock, &message, &size, ret_fd, err);
        return r < 0 ? r : sync_judge(&message, size, err);
}

int sync_receive_child(int sock, pid_t *ret_pid, int *ret_pidfd, struct berth_error *err) {
        struct sync_message message;
        struct sync_child child;
        int pidfd = -1;
        size_t size = 0;

        int r = sync_read(sock, &message, &size, &pidfd, err);
        if (r == 0)
                r = sync_judge(&message, size, err);
        if (r == SYNC_CHILD && size == sizeof child && pidfd >= 0) {
                memcpy(&child, &message, sizeof child);
                *ret_pid = child.pid;
                *ret_pidfd = pidfd;
                return 0;
        }
        if (pidfd >= 0)
                (void) close(pidfd);
        if (r == 0)
                return berth_error_set(err, ECONNRESET, "the new process was killed before it was made (a memory limit too low for it?)");
        return r < 0 ? r : berth_error_set(err, EPROTO, "the new process sent an unexpected message");
}
