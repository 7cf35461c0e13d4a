/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp-notify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"
#include "fd.h"

#define NOTIFY_TIMEOUT_S 10 /* an agent that takes nobody any more */

static int notify_connect(const char *path, int *ret_fd, struct berth_error *err) {
        const struct timeval timeout = {.tv_sec = NOTIFY_TIMEOUT_S};
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) < 0)
                return berth_error_set(err, errno, "make a socket for the seccomp listener");
        if (strlen(path) >= sizeof address.sun_path)
                return berth_error_set(err, ENAMETOOLONG, "connect to the seccomp agent at '%s'", path);
        (void) strcpy(address.sun_path, path);
        if (connect(fd, (const struct sockaddr *) &address, sizeof address) < 0)
                return berth_error_set(err, errno, "connect to the seccomp agent at '%s'", path);
        return give_fd(ret_fd, &fd);
}

/* The container's state begins with the version (spec-hooks.c), which the outer object has too. */
static char *notify_text(const struct plan_process *plan, const struct seccomp_subject *subject) {
        const char *version_end = strstr(subject->state, ",\"id\":"), *metadata = plan->seccomp_metadata;
        const char *status = subject->pid == subject->init ? "creating" : "running";
        size_t size = strlen(subject->state) * 2 + strlen(metadata) + 256;
        char *text = malloc(size);

        if (text)
                (void) snprintf(text, size, "{%.*s,\"fds\":[\"seccompFd\"],\"pid\":%d,\"metadata\":%s,\"state\":{%s,\"status\":\"%s\",\"pid\":%d}}",
                                version_end ? (int) (version_end - subject->state) : 0, subject->state, (int) subject->pid, metadata, subject->state,
                                status, (int) subject->init);
        return text;
}

int seccomp_notify(const struct plan_process *plan, const struct seccomp_subject *subject, int listener, struct berth_error *err) {
        _cleanup_close_ int fd = -1;

        if (!plan->seccomp_listener || !subject->state)
                return berth_error_set(err, EINVAL, "the container's plan names no seccomp agent");
        _cleanup_free_ char *text = notify_text(plan, subject);
        if (!text)
                return berth_error_set(err, ENOMEM, "memory for the seccomp agent's message");
        int r = notify_connect(plan->seccomp_listener, &fd, err);
        if (r < 0)
                return r;

        size_t size = strlen(text);
        ssize_t n = fd_send(fd, text, size, &listener, 1, 0);
        if (n >= 0 && (size_t) n < size)
                r = fd_write_all(fd, text + n, size - (size_t) n);
        if (n < 0 || r < 0)
                return berth_error_set(err, n < 0 ? (int) -n : -r, "hand the seccomp listener to the agent at '%s'", plan->seccomp_listener);
        return 0;
}
