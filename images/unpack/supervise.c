/* SPDX-License-Identifier: Apache-2.0 */
#include "supervise.h"

#include "../../runtime/lib/cleanup.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define OPAQUE_XATTR "trusted.overlay.opaque"

/* 1: one directory is marked, 0: the writer has ended. Negative: who asked cannot be told, and waits. */
static int answer_one(int marker) {
        char byte;
        union {
                struct cmsghdr align;
                char bytes[CMSG_SPACE(sizeof(int))];
        } control;
        struct iovec part = {.iov_base = &byte, .iov_len = 1};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
        ssize_t n = recvmsg(marker, &message, MSG_CMSG_CLOEXEC);
        if (n <= 0)
                return n == 0 || errno == ECONNRESET ? 0 : -errno;
        _cleanup_close_ int fd = -1;
        const struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
        if (rights && rights->cmsg_type == SCM_RIGHTS && rights->cmsg_len == CMSG_LEN(sizeof fd))
                memcpy(&fd, CMSG_DATA(rights), sizeof fd);
        int answer = fd < 0 ? EBADF : fsetxattr(fd, OPAQUE_XATTR, "y", 1, 0) < 0 ? errno : 0;
        if (send(marker, &answer, sizeof answer, MSG_NOSIGNAL) == sizeof answer)
                return 1;
        return errno == EPIPE || errno == ECONNRESET ? 0 : -errno;
}

static int status_of(int pid) {
        int status;
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return status;
}

static int ended_badly(const char *who, int status, struct berth_error *err) {
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
                return berth_error_set(err, LAYER_ERROR, "the layer takes more processor time than its size allows");
        if (WIFSIGNALED(status))
                return berth_error_set(err, EPROTO, "the %s was killed by signal %d", who, WTERMSIG(status));
        return berth_error_set(err, EPROTO, "the %s ended with %d and said nothing", who, WEXITSTATUS(status));
}

static void kill_both(const struct family *family) {
        if (family->writer > 0)
                (void) kill(family->writer, SIGKILL);
        if (family->inflater > 0)
                (void) kill(family->inflater, SIGKILL);
}

void supervise_end(const struct family *family) {
        kill_both(family);
        if (family->writer > 0)
                (void) status_of(family->writer);
        if (family->inflater > 0)
                (void) status_of(family->inflater);
}

int supervise_run(const struct family *family, const struct shared *shared, struct berth_error *err) {
        struct pollfd polls[] = {{.fd = family->marker, .events = POLLIN}, {.fd = family->signals, .events = POLLIN}};
        bool stopped = false;
        int answered = 1;
        for (;;) {
                /* Not poll: arm64 has only this one. */
                int n = ppoll(polls, 2, NULL, NULL);
                if (n < 0 && errno == EINTR)
                        continue;
                stopped = n < 0 || polls[1].revents != 0;
                if (!stopped && polls[0].revents != 0)
                        answered = answer_one(family->marker);
                /* The writer's end of the socket is closed by its exit, whatever the reason. */
                if (stopped || answered <= 0)
                        break;
        }
        if (stopped || answered < 0)
                kill_both(family);
        int writer = status_of(family->writer);
        /* Without a reader nothing is left to do for it, and its input may never end. */
        if (writer != 0)
                (void) kill(family->inflater, SIGKILL);
        int inflater = status_of(family->inflater);
        if (stopped)
                return berth_error_set(err, EINTR, "unpacking was stopped");
        if (answered < 0)
                return berth_error_set(err, -answered, "mark a directory opaque: %s", strerror(-answered));
        if (writer == 0 && inflater == 0)
                return 0;

        /* A damaged stream reaches the writer as an archive that is cut off: the cause goes before the effect. */
        if (shared->inflate.code != 0 && shared->inflate.code != EPIPE)
                *err = shared->inflate;
        else if (WIFSIGNALED(inflater) && WTERMSIG(inflater) != SIGKILL)
                return ended_badly("decompressor", inflater, err);
        else if (shared->write.code != 0)
                *err = shared->write;
        else if (writer != 0)
                return ended_badly("writer", writer, err);
        else
                return ended_badly("decompressor", inflater, err);
        err->text[sizeof err->text - 1] = '\0';
        return -err->code;
}
