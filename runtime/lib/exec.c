/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <sched.h>

#include "cleanup.h"
#include "console.h"
#include "container.h"
#include "namespace.h"
#include "process.h"
#include "sys.h"

/* A container that shares one of these with the host has the host's, and joining that changes nothing. */
#define EXEC_NAMESPACES (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP)

static int exec_enter(const struct container *container, bool in_unified, struct berth_error *err) {
        int r = container->has_cgroup ? cgroup_attach(&container->layout, &container->cgroup, 0, in_unified, err) : 0;

        /* A container that manages cgroups itself (systemd, an engine) has moved its processes down and given controllers to the groups there. */
        if (r == -EBUSY) {
                r = cgroup_attach_beside(&container->layout, &container->cgroup, container->init.pid, err);
                if (r == 0)
                        r = cgroup_attach(&container->layout, &container->cgroup, 0, true, err);
        }
        if (r == 0 && setns(container->init.pidfd, EXEC_NAMESPACES) < 0)
                return berth_error_set(err, errno, "enter the container's namespaces");
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

static _Noreturn void exec_child(const struct container *container, const struct plan_process *plan, const struct process_io *io, int sync,
                                 bool in_unified) {
        struct process_child child = {.sync = sync, .starter = -1};
        struct process_io own = *io;
        struct berth_error err = {0};
        char path[PATH_MAX];

        int r = process_child_begin(&child, plan, &err);
        if (r == 0)
                r = exec_fill(&own, &err);
        if (r == 0)
                r = exec_enter(container, in_unified, &err);
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

int container_exec(struct container *container, const struct plan *plan, const struct process_io *io, struct process *ret, struct berth_error *err) {
        _cleanup_close_ int group = -1, own = -1;
        struct process process = PROCESS_NONE;
        bool in_unified = false;
        int sync = -1, r;

        if (container->init.pidfd < 0)
                return berth_error_set(err, ESRCH, "the container has no running process");
        if (container->has_cgroup && container->layout.unified_index >= 0) {
                r = cgroup_open_unified(&container->layout, &container->cgroup, &group, err);
                if (r < 0)
                        return r;
        }
        r = namespace_enter_pid(container->init.pidfd, &own, err);
        if (r < 0)
                return r;
        pid_t pid = process_clone(0, group, &process, &sync, &in_unified, err);
        if (pid == 0)
                exec_child(container, &plan->process, io, sync, in_unified);
        r = namespace_leave_pid(&own, pid < 0 ? NULL : err);
        if (pid < 0)
                return (int) pid;
        if (r < 0) {
                process_abandon(&process);
                return r;
        }
        const struct process_orders orders = {
                .plan = &plan->process,
                .state = container->plan->container.state,
                .init = container->init.pid,
                .own_users = plan_namespace_of(&container->plan->container, CLONE_NEWUSER) != NULL,
        };
        r = process_await_ready(&process, &orders, err);
        if (r < 0)
                return r;
        *ret = process;
        return 0;
}
