/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cgroup-internal.h"
#include "cleanup.h"
#include "console.h"
#include "container.h"
#include "namespace.h"
#include "process.h"
#include "sys.h"
#include "userns.h"

/* A container that shares one of these with the host has the host's, and joining that changes nothing. */
#define EXEC_NAMESPACES (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP)

/* What the new process needs of its surroundings, laid out by the parent. */
struct exec {
        const struct container *container;
        const struct plan_process *plan;
        const struct process_io *io;
        struct cgroup cgroup; /* the container's, or one below it */
        int namespaces;       /* CLONE_NEW* to join */
        int sync;
        bool in_unified, detached;
};

/* 1: the container has a user namespace that is not ours. */
static int exec_has_user_namespace(const struct container *container, struct berth_error *err) {
        struct stat own, theirs;
        char path[48];

        if (container->plan && !plan_namespace_of(&container->plan->container, CLONE_NEWUSER))
                return 0;
        (void) snprintf(path, sizeof path, "/proc/%d/ns/user", (int) container->init.pid);
        if (stat("/proc/self/ns/user", &own) < 0 || stat(path, &theirs) < 0)
                return berth_error_set(err, errno, "ask for the container's user namespace");
        return own.st_ino != theirs.st_ino;
}

static int exec_prepare(struct exec *exec, const struct exec_options *options, struct berth_error *err) {
        const struct container *container = exec->container;

        int r = exec_has_user_namespace(container, err);
        if (r < 0)
                return r;
        exec->namespaces = EXEC_NAMESPACES | (r > 0 ? CLONE_NEWUSER : 0);
        if (!container->plan || plan_namespace_of(&container->plan->container, CLONE_NEWTIME))
                exec->namespaces |= CLONE_NEWTIME;
        exec->cgroup = container->cgroup;
        if (!options || !options->cgroup)
                return 0;
        if (!container->has_cgroup)
                return berth_error_set(err, EINVAL, "the container has no cgroup, so there is no '%s' below it", options->cgroup);
        size_t length = strlen(container->cgroup.path);
        int n = snprintf(exec->cgroup.path + length, sizeof exec->cgroup.path - length, "%s%s", *options->cgroup == '/' ? "" : "/", options->cgroup);
        if (n < 0 || (size_t) n >= sizeof exec->cgroup.path - length)
                return berth_error_set(err, ENAMETOOLONG, "the cgroup '%s' below the container's", options->cgroup);
        return cgroup_path_check(exec->cgroup.path, err);
}

static int exec_attach(const struct exec *exec, struct berth_error *err) {
        const struct container *container = exec->container;
        int r = container->has_cgroup ? cgroup_attach(&container->layout, &exec->cgroup, 0, exec->in_unified, err) : 0;

        /* A container that manages cgroups itself (systemd, an engine) has moved its processes down and given controllers to the groups there. */
        if (r == -EBUSY) {
                r = cgroup_attach_beside(&container->layout, &exec->cgroup, container->init.pid, err);
                if (r == 0)
                        r = cgroup_attach(&container->layout, &exec->cgroup, 0, true, err);
        }
        return r;
}

static int exec_enter(const struct exec *exec, const struct process_child *child, struct berth_error *err) {
        const struct container *container = exec->container;

        int r = exec_attach(exec, err);
        if (r == 0 && setns(container->init.pidfd, exec->namespaces) < 0)
                return berth_error_set(err, errno, "enter the container's namespaces");
        if (r == 0 && exec->namespaces & CLONE_NEWUSER) {
                r = userns_become_root(err);
                if (r == 0)
                        r = process_child_protect(child, err);
        }
        /* Joining leads to the namespace's own root. Above a daemon in a chroot, whose containers pivot no more than that chroot, it is the host's.
         */
        if (r == 0 && (fchdir(container->rootfs) < 0 || chroot(".") < 0))
                return berth_error_set(err, errno, "enter the container's root");
        return r;
}

/* With the host's null device, while it is in sight: what stands at /dev/null of a running container is its own doing. */
static int exec_fill(struct process_io *io, struct berth_error *err) {
        if (io->in >= 0 && io->out >= 0 && io->err >= 0)
                return 0;
        int null = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
        if (null < 0)
                return berth_error_set(err, errno, "open /dev/null");
        io->in = io->in < 0 ? null : io->in;
        io->out = io->out < 0 ? null : io->out;
        io->err = io->err < 0 ? null : io->err;
        return 0;
}

static _Noreturn void exec_child(const struct exec *exec) {
        struct process_child child = {.sync = exec->sync, .starter = -1, .detached = exec->detached};
        const struct plan_process *plan = exec->plan;
        struct process_io own = *exec->io;
        struct berth_error err = {0};
        char path[PATH_MAX];

        int r = process_child_begin(&child, plan, &err);
        if (r == 0)
                r = exec_fill(&own, &err);
        if (r == 0)
                r = exec_enter(exec, &child, &err);
        if (r == 0)
                r = process_child_descriptors(&child, plan, &own, &err);
        if (r == 0 && plan->terminal) {
                _cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
                r = root < 0 ? berth_error_set(&err, errno, "open the container's root") : console_make(plan, root, -1, false, child.sync, &err);
        }
        if (r == 0)
                r = process_child_become(&child, plan, path, &err);
        if (r < 0)
                process_child_fail(child.sync, &err);
        process_child_execute(&child, plan, path);
}

static int exec_clone(struct exec *exec, struct process *ret, struct berth_error *err) {
        const struct container *container = exec->container;
        _cleanup_close_ int group = -1, own = -1;
        int r = 0;

        if (container->has_cgroup && container->layout.unified_index >= 0) {
                r = cgroup_open_unified(&container->layout, &exec->cgroup, &group, err);
                if (r < 0)
                        return r;
        }
        r = namespace_enter_pid(container->init.pidfd, &own, err);
        if (r < 0)
                return r;
        pid_t pid = process_clone(0, group, ret, &exec->sync, &exec->in_unified, err);
        if (pid == 0)
                exec_child(exec);
        r = namespace_leave_pid(&own, pid < 0 ? NULL : err);
        if (pid < 0)
                return (int) pid;
        if (r < 0)
                (void) process_abandon(ret, NULL);
        return r;
}

static int exec_await(const struct exec *exec, struct process *process, struct berth_error *err) {
        const struct container *container = exec->container;
        const struct process_orders orders = {
                .plan = exec->plan,
                .state = container->plan ? container->plan->container.state : NULL,
                .init = container->init.pid,
                .own_users = (exec->namespaces & CLONE_NEWUSER) != 0,
        };

        int r = process_await_ready(process, &orders, err);
        if (r < 0 || !orders.own_users || exec->plan->terminal)
                return r;
        r = userns_give_stdio(process->pid, exec->plan->uid, exec->io, err);
        if (r < 0)
                (void) process_abandon(process, NULL);
        return r;
}

int container_exec(struct container *container, const struct plan *plan, const struct exec_options *options, const struct process_io *io,
                   struct process *ret, struct berth_error *err) {
        struct exec exec = {.container = container, .plan = &plan->process, .io = io, .sync = -1, .detached = options && options->detached};
        struct process process = PROCESS_NONE;

        if (container->init.pidfd < 0)
                return berth_error_set(err, ESRCH, "the container has no running process");
        int r = exec_prepare(&exec, options, err);
        if (r == 0)
                r = exec_clone(&exec, &process, err);
        if (r == 0)
                r = exec_await(&exec, &process, err);
        if (r < 0)
                return r;
        *ret = process;
        return 0;
}
