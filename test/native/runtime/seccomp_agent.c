/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fd.h"

/*
 * Answers what containers ask by seccomp notification: agent SOCKET ERRNO
 * Prints "listening", and for each listener the state that came with it, a line each. Ends when its stdin does.
 */

static void agent_answer(int listener, int code) {
        struct pollfd ready = {.fd = listener, .events = POLLIN};

        while (poll(&ready, 1, -1) > 0 && (ready.revents & POLLIN)) {
                struct seccomp_notif asked = {0};
                if (ioctl(listener, (int) SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0)
                        continue; /* who asked is gone */
                struct seccomp_notif_resp answer = {.id = asked.id, .error = -code};
                (void) ioctl(listener, (int) SECCOMP_IOCTL_NOTIF_SEND, &answer);
        }
}

/* Says the states in the order in which the listeners come. */
static int agent_take(int connection) {
        char state[8192];
        int listener = -1;
        ssize_t n = fd_receive(connection, state, sizeof state - 1, &listener, 0);

        for (ssize_t more = n; n > 0 && more > 0; n += more)
                more = read(connection, state + n, sizeof state - 1 - (size_t) n);
        printf("%.*s\n", n > 0 ? (int) n : 0, state);
        fflush(stdout);
        (void) close(connection);
        return listener;
}

int main(int argc, char **argv) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (argc != 3 || strlen(argv[1]) >= sizeof address.sun_path)
                return 2;
        (void) strcpy(address.sun_path, argv[1]);
        if (bind(fd, (const struct sockaddr *) &address, sizeof address) < 0 || listen(fd, 8) < 0)
                return 1;
        printf("listening\n");
        fflush(stdout);

        struct pollfd ready[] = {{.fd = fd, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
        while (poll(ready, 2, -1) > 0 && ready[1].revents == 0) {
                int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
                int listener = connection < 0 ? -1 : agent_take(connection);
                if (listener >= 0 && fork() == 0) {
                        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                        agent_answer(listener, atoi(argv[2]));
                        _exit(0);
                }
                (void) close(listener);
        }
        return 0;
}
