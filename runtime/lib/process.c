/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "namespace.h"
#include "rlimit.h"
#include "schedule.h"
#include "seccomp-notify.h"
#include "sync.h"
#include "sys.h"

#define PROCESS_ABANDON_MS 5000

static pid_t process_clone3(uint64_t flags, int cgroup_fd, int *pidfd) {
        struct clone_args args = {
                .flags = flags | CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
                .pidfd = (uint64_t) (uintptr_t) pidfd,
                .exit_signal = SIGCHLD,
        };

        if (cgroup_fd >= 0) {
                args.flags |= CLONE_INTO_CGROUP;
                args.cgroup = (unsigned) cgroup_fd;
        }
        return sys_clone3(&args);
}

pid_t process_clone(uint64_t flags, int cgroup_fd, struct process *ret, int *ret_sync, bool *ret_in_cgroup, struct berth_error *err) {
        int sync[2], pidfd = -1;
        bool in_cgroup = cgroup_fd >= 0;

        int r = sync_open(sync, err);
        if (r < 0)
                return r;

        pid_t pid = process_clone3(flags, cgroup_fd, &pidfd);
        if (pid < 0 && in_cgroup) {
                /* A domain-threaded group, or a kernel that cannot: the caller moves the process instead. */
                in_cgroup = false;
                pid = process_clone3(flags, -1, &pidfd);
        }
        if (pid < 0) {
                r = namespace_error(errno, flags, "clone a process", err);
                (void) close(sync[0]);
                (void) close(sync[1]);
                return r;
        }
        *ret_in_cgroup = in_cgroup;
        if (pid == 0) {
                (void) close(sync[0]);
                *ret_sync = sync[1];
                return 0;
        }
        (void) close(sync[1]);
        *ret = (struct process){.pid = pid, .pidfd = pidfd, .sync = sync[0], .console = -1};
        return pid;
}

pid_t process_clone_sibling(uint64_t flags, int *ret_pidfd, struct berth_error *err) {
        int pidfd = -1;
        struct clone_args args = {.flags = flags | CLONE_PIDFD | CLONE_PARENT, .pidfd = (uint64_t) (uintptr_t) &pidfd};

        pid_t pid = sys_clone3(&args);
        if (pid < 0)
                return namespace_error(errno, flags, "clone a process in new namespaces", err);
        *ret_pidfd = pidfd;
        return pid;
}

/* Its end of the channel closes as it dies, so it is as good as dead. */
static int process_explain_death(const struct process *process, struct berth_error *err) {
        struct pollfd ended = {.fd = process->pidfd, .events = POLLIN};
        siginfo_t info = {0};

        if (poll(&ended, 1, PROCESS_ABANDON_MS) == 1)
                (void) waitid((idtype_t) P_PIDFD, (id_t) process->pidfd, &info, WEXITED | WNOHANG | WNOWAIT);
        return berth_error_set(err, ECONNRESET, "the new process was killed before it was ready (%s)",
                               info.si_status == SIGSYS ? "by its seccomp filter, which forbids what a start needs"
                                                        : "a memory limit too low for it?");
}

/* Answers SYNC_READY, or a negative errno. */
static int process_listen(struct process *process, const struct process_orders *orders, struct berth_error *err) {
        const struct seccomp_subject subject = {
                .state = orders->state,
                .pid = process->pid,
                .init = orders->init > 0 ? orders->init : process->pid,
        };

        for (;;) {
                _cleanup_close_ int fd = -1;
                int r = sync_receive(process->sync, &fd, err);
                if (r == SYNC_CONSOLE && orders->plan->terminal && process->console < 0)
                        process->console = take_fd(&fd);
                else if (r == SYNC_LISTENER && fd >= 0)
                        r = seccomp_notify(orders->plan, &subject, fd, err);
                else if (r == 0)
                        return process_explain_death(process, err);
                else if (r > 0 && r != SYNC_READY)
                        return berth_error_set(err, EPROTO, "the new process sent an unexpected message");
                else
                        return r;
                if (r < 0)
                        return r;
        }
}

int process_await_ready(struct process *process, const struct process_orders *orders, struct berth_error *err) {
        int r = process_listen(process, orders, err);

        if (r == SYNC_READY)
                r = rlimit_apply_oom_score(process->pid, orders->plan, err);
        if (r == 0 && orders->own_users)
                r = rlimit_raise(process->pid, orders->plan, err);
        if (r == 0)
                r = schedule_apply(process->pid, orders->plan, err);
        if (r < 0)
                (void) process_abandon(process, NULL);
        return r;
}

int process_start(struct process *process, struct berth_error *err) {
        if (process->sync < 0)
                return berth_error_set(err, EALREADY, "start a process that was started already");

        int r = sync_send(process->sync, SYNC_START, -1, err);
        if (r == 0)
                r = sync_receive(process->sync, NULL, err);
        if (r > 0)
                r = berth_error_set(err, EPROTO, "the new process sent an unexpected message");
        if (r < 0) {
                (void) process_abandon(process, NULL);
                return r;
        }
        (void) close(process->sync);
        process->sync = -1;
        return 0;
}

void process_close(struct process *process) {
        cleanup_close(&process->pidfd);
        cleanup_close(&process->sync);
        cleanup_close(&process->console);
        process->pidfd = process->sync = process->console = -1;
}

int process_abandon(struct process *process, struct berth_error *err) {
        struct pollfd ended = {.fd = process->pidfd, .events = POLLIN};
        siginfo_t info;
        int n = 1;

        /* Who was reaped by the caller is not there any more (ESRCH). */
        if (process->pidfd >= 0 && process->pid > 0 && (sys_pidfd_send_signal(process->pidfd, SIGKILL) == 0 || errno != ESRCH)) {
                do
                        n = poll(&ended, 1, PROCESS_ABANDON_MS);
                while (n < 0 && errno == EINTR);
                if (n > 0)
                        (void) waitid((idtype_t) P_PIDFD, (id_t) process->pidfd, &info, WEXITED);
        }
        int r = n > 0 ? 0 : berth_error_set(err, ETIMEDOUT, "process %d was killed but does not end; the kernel is holding it", (int) process->pid);
        process_close(process);
        process->pid = 0;
        return r;
}
