/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * docker-init: [--] COMMAND [ARGUMENT...]. Process 1 of a container whose command does not care for that office: it passes signals on,
 * collects whoever ends without a parent, and ends as the command does. It is seen by the image's programs and trusts none of them.
 */

/* What a fault of our own raises: those are not the command's. */
static const int init_faults[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS};

static void init_say(const char *what, const char *name, const char *reason) {
        const struct iovec parts[] = {
                {.iov_base = "berth-init: ", .iov_len = 12},
                {.iov_base = (char *) what, .iov_len = strlen(what)},
                {.iov_base = (char *) name, .iov_len = strlen(name)},
                {.iov_base = ": ", .iov_len = 2},
                {.iov_base = (char *) reason, .iov_len = strlen(reason)},
                {.iov_base = "\n", .iov_len = 1},
        };
        (void) !writev(STDERR_FILENO, parts, sizeof(parts) / sizeof(parts[0]));
}

/* In a process group of its own, so that keys on a terminal reach the command and what it started, and not twice. */
static _Noreturn void init_execute(char **argv, const sigset_t *mask) {
        (void) setpgid(0, 0);
        (void) tcsetpgrp(STDIN_FILENO, getpgrp()); /* SIGTTOU is still blocked; without a terminal it fails, and is not needed */
        (void) sigprocmask(SIG_SETMASK, mask, NULL);
        (void) execvp(argv[0], argv);
        int code = errno;
        init_say("exec ", argv[0], strerror(code));
        _exit(code == ENOENT ? 127 : 126);
}

/* True when the command has ended; *ret_status is its own then. */
static int init_reap(pid_t command, int *ret_status) {
        int ended = 0, status;
        for (;;) {
                pid_t pid = waitpid(-1, &status, WNOHANG);
                if (pid <= 0)
                        return ended;
                if (pid != command)
                        continue;
                ended = 1;
                *ret_status = status;
        }
}

static int init_watch(pid_t command, const sigset_t *signals) {
        int status = 0;
        for (;;) {
                siginfo_t info;
                int signal = sigwaitinfo(signals, &info);
                if (signal == SIGCHLD && init_reap(command, &status))
                        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
                if (signal > 0 && signal != SIGCHLD)
                        (void) kill(command, signal);
        }
}

int main(int argc, char **argv) {
        int first = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;
        if (first >= argc || (first == 1 && argv[1][0] == '-')) {
                init_say("usage", "", "docker-init [--] COMMAND [ARGUMENT...]");
                return 1;
        }
        sigset_t signals, before;
        (void) sigfillset(&signals);
        for (size_t i = 0; i < sizeof(init_faults) / sizeof(init_faults[0]); i++)
                (void) sigdelset(&signals, init_faults[i]);
        (void) sigprocmask(SIG_SETMASK, &signals, &before);
        pid_t command = fork();
        if (command < 0) {
                init_say("fork for ", argv[first], strerror(errno));
                return 1;
        }
        if (command == 0)
                init_execute(argv + first, &before);
        return init_watch(command, &signals);
}
