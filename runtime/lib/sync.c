/* SPDX-License-Identifier: Apache-2.0 */
#include "sync.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "fd.h"

/*
 * A container's own processes see one that is about to join them and may stop it for ever; whoever waits for it has others to serve. Less
 * than a daemon waits for its shim, so that it hears the reason.
 */
#define SYNC_TIMEOUT_S 20

struct sync_message {
        uint32_t kind;
        struct berth_error error;
};

int sync_open(int ret[2], struct berth_error *err) {
        const struct timeval timeout = {.tv_sec = SYNC_TIMEOUT_S};
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return berth_error_set(err, errno, "make the channel to the new process");
        if (setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) < 0) {
                int code = errno;
                (void) close(pair[0]);
                (void) close(pair[1]);
                return berth_error_set(err, code, "limit the wait for the new process");
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

void sync_fail(int sock, const struct berth_error *failure) {
        struct sync_message message = {.kind = SYNC_FAILED, .error = *failure};
        ssize_t n = write(sock, &message, sizeof message);
        (void) n; /* the other side is gone, and with it everybody who could be told */
}

int sync_receive(int sock, int *ret_fd, struct berth_error *err) {
        struct sync_message message;
        ssize_t n;

        if (ret_fd)
                n = fd_receive(sock, &message, sizeof message, ret_fd, 0);
        else
                do
                        n = read(sock, &message, sizeof message);
                while (n < 0 && errno == EINTR);
        int code = n >= 0 ? 0 : ret_fd ? (int) -n : errno;
        if (code == EAGAIN)
                return berth_error_set(err, ETIMEDOUT, "the new process said nothing for %d s; is something in the container stopping it?",
                                       SYNC_TIMEOUT_S);
        if (code != 0)
                return berth_error_set(err, code, "read from the other process");
        if (n == 0)
                return 0;
        if ((size_t) n >= sizeof message.kind && message.kind != SYNC_FAILED)
                return (int) message.kind;
        if ((size_t) n != sizeof message)
                return berth_error_set(err, EBADMSG, "a damaged message from the other process");
        message.error.text[sizeof message.error.text - 1] = '\0';
        if (err)
                *err = message.error;
        return message.error.code > 0 ? -message.error.code : -EIO;
}
