/* SPDX-License-Identifier: Apache-2.0 */
#include "reaper.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log-compress.h"
#include "shim.h"

static struct task *reaper_find(struct shim *shim, pid_t pid) {
        if (shim->init.pid == pid && shim->init.state < TASK_EXITED)
                return &shim->init;
        for (struct task *task = shim->execs; task; task = task->next)
                if (task->pid == pid && task->state < TASK_EXITED)
                        return task;
        return NULL;
}

/* One signal can stand for many children. Those that we do not know are orphans of execs, left to us as their subreaper. */
static void reaper_ready(void *owner, uint32_t events) {
        struct shim *shim = owner;
        struct signalfd_siginfo info;
        (void) events;
        while (read(shim->children.fd, &info, sizeof(info)) > 0)
                continue;
        for (;;) {
                int status;
                pid_t pid = waitpid(-1, &status, WNOHANG);
                if (pid <= 0)
                        return;
                if (log_compress_reaped(&shim->log, pid, status))
                        continue;
                struct task *task = reaper_find(shim, pid);
                if (task)
                        task_exited(task, status);
        }
}

/* A handler, not SIG_IGN: an ignored signal would stay ignored in the container's processes, a handler does not survive execve. */
static void reaper_ignore(int signal) {
        (void) signal;
}

int reaper_open(struct shim *shim, struct berth_error *err) {
        static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGALRM, SIGTERM, SIGUSR1, SIGUSR2, SIGXFSZ};
        struct sigaction action = {.sa_handler = reaper_ignore, .sa_flags = SA_RESTART};
        for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
                if (sigaction(ignored[i], &action, NULL) < 0)
                        return berth_error_set(err, errno, "handle signal %d", ignored[i]);
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGCHLD);
        if (sigprocmask(SIG_SETMASK, &set, NULL) < 0)
                return berth_error_set(err, errno, "block SIGCHLD");
        shim->children = (struct source){.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC), .ready = reaper_ready, .owner = shim};
        if (shim->children.fd < 0)
                return berth_error_set(err, errno, "create a signal descriptor");
        int r = loop_watch(&shim->loop, &shim->children, EPOLLIN);
        return r < 0 ? berth_error_set(err, -r, "watch for SIGCHLD") : 0;
}
