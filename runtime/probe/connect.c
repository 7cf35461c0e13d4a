/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"

#include "cleanup.h"
#include "fd.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

int64_t probe_now(void) {
        struct timespec now;
        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int connect_to(const struct probe_address *address, int64_t deadline, int *ret_fd) {
        _cleanup_close_ int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, &address->any, address->size) < 0) {
                if (errno != EINPROGRESS)
                        return -errno;
                int64_t left = deadline - probe_now();
                if (left <= 0)
                        return -ETIMEDOUT;
                struct timespec timeout = {left / 1000, left % 1000 * 1000000};
                struct pollfd wait = {.fd = fd, .events = POLLOUT};
                int ready = ppoll(&wait, 1, &timeout, NULL);
                if (ready <= 0)
                        return ready < 0 ? -errno : -ETIMEDOUT;
                int code = 0;
                socklen_t size = sizeof code;
                if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0)
                        return -errno;
                if (code != 0)
                        return -code;
        }
        return give_fd(ret_fd, &fd);
}

int probe_connect(const struct probe_address *addresses, int n, int64_t deadline, int *ret_fd, int *ret_index, struct berth_error *err) {
        int first = -EADDRNOTAVAIL;
        for (int i = 0; i < n; i++) {
                int r = connect_to(&addresses[i], deadline, ret_fd);
                if (r == 0) {
                        *ret_index = i;
                        return 0;
                }
                /* What the first one says tells most: the others are tried for servers that listen elsewhere. */
                if (i == 0)
                        first = r;
        }
        char text[PROBE_ADDRESS_TEXT];
        probe_address_text(&addresses[0], text);
        return berth_error_set(err, -first, "connect to %s: %s", text, strerror(-first));
}
