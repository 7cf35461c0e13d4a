/* SPDX-License-Identifier: Apache-2.0 */
#include "container.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "container-init.h"
#include "container-network.h"
#include "process.h"
#include "sync.h"
#include "sys.h"

int container_prepare(struct container *container, bool with_netns, struct berth_error *err) {
        if (container->layout.n == 0) {
                int r = cgroup_detect(&container->layout, err);
                if (r < 0)
                        return r;
        }
        if (with_netns && container->netns < 0)
                return netns_create(&container->netns, &container->netlink, err);
        return 0;
}

static int container_make_cgroup(struct container *container, struct berth_error *err) {
        const char *path = plan_cgroup_path(container->plan);

        if (!path)
                return 0;
        int r = cgroup_create(&container->layout, path, plan_cgroup_limits(container->plan), &container->cgroup, err);
        if (r == 0)
                container->has_cgroup = true;
        return r;
}

static int container_clone(struct container *container, const struct namespace_set *namespaces, const struct process_io *io,
                           struct berth_error *err) {
        _cleanup_close_ int group = -1, own = -1;
        struct container_init init = {
                .plan = container->plan,
                .layout = &container->layout,
                .cgroup = container->has_cgroup ? &container->cgroup : NULL,
                .namespaces = namespaces,
                .netns = namespaces->new_network ? container->netns : -1,
                .io = io,
                .prepared = ROOTFS_PREPARED_NONE,
                .child = {.sync = -1, .starter = container->starter},
        };
        int r;

        if (container->has_cgroup && container->layout.unified_index >= 0) {
                r = cgroup_open_unified(&container->layout, &container->cgroup, &group, err);
                if (r < 0)
                        return r;
        }
        if (namespaces->pid >= 0) {
                r = namespace_enter_pid(namespaces->pid, &own, err);
                if (r < 0)
                        return r;
        }
        pid_t pid = process_clone(namespaces->clone_flags, group, &container->init, &init.child.sync, &init.in_unified, err);
        if (pid == 0)
                container_init(&init);
        r = namespaces->pid >= 0 ? namespace_leave_pid(&own, pid < 0 ? NULL : err) : 0;
        return pid < 0 ? (int) pid : r;
}

/* Through /proc of the waiting process, which is ours and still runs nothing of the image. */
static int container_open_root(struct container *container, struct berth_error *err) {
        char path[64];

        (void) snprintf(path, sizeof path, "/proc/%d/root", (int) container->init.pid);
        container->rootfs = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return container->rootfs < 0 ? berth_error_set(err, errno, "open the container's root") : 0;
}

static int container_build(struct container *container, const struct process_io *io, struct berth_error *err) {
        struct namespace_set namespaces = NAMESPACE_SET_NONE;

        int r = namespace_open_all(&container->plan->container, &namespaces, err);
        if (r < 0)
                return r;
        container->own_pids = (namespaces.clone_flags & CLONE_NEWPID) != 0;
        r = container_prepare(container, namespaces.new_network, err);
        if (r == 0)
                r = container_make_cgroup(container, err);
        if (r == 0)
                r = container_clone(container, &namespaces, io, err);
        if (r == 0)
                r = container_network_up(container, err);
        const struct process_orders orders = {
                .plan = &container->plan->process,
                .state = container->plan->container.state,
                .own_users = plan_namespace_of(&container->plan->container, CLONE_NEWUSER) != NULL,
        };
        if (r == 0)
                r = process_await_ready(&container->init, &orders, err);
        if (r == 0)
                r = container_open_root(container, err);
        namespace_close_all(&namespaces);
        return r;
}

int container_create(struct container *container, struct plan *plan, const struct process_io *io, struct berth_error *err) {
        if (container->init.pid > 0)
                return berth_error_set(err, EEXIST, "the container was created already");
        if (!plan->has_container || !plan->has_keeper)
                return berth_error_set(err, EINVAL, "the plan is that of an exec'd process");

        container->plan = plan;
        int r = container_build(container, io, err);
        if (r < 0)
                (void) container_release(container, NULL);
        return r;
}

int container_start(struct container *container, struct berth_error *err) {
        return process_start(&container->init, err);
}

int container_start_detached(int connection, struct berth_error *err) {
        int r = sync_send(connection, SYNC_START, -1, err);

        if (r == 0)
                r = sync_receive(connection, NULL, err);
        return r > 0 ? berth_error_set(err, EPROTO, "the container's process sent an unexpected message") : r;
}

void container_forget(struct container *container) {
        process_close(&container->init);
        cleanup_close(&container->rootfs);
        cleanup_close(&container->host_netlink);
        cleanup_close(&container->netlink);
        cleanup_close(&container->netns);
        *container = CONTAINER_NONE;
}

int container_release(struct container *container, struct berth_error *err) {
        struct berth_error later;
        int first = 0, r;

        process_abandon(&container->init);
        cleanup_close(&container->rootfs);
        container->rootfs = -1;

        if (container->has_cgroup) {
                /* With a pid namespace of its own the kernel has killed everything along with init. */
                r = container->own_pids ? 0 : cgroup_signal_all(&container->layout, &container->cgroup, SIGKILL, err);
                if (r < 0)
                        first = r;
                r = cgroup_remove(&container->layout, &container->cgroup, first ? &later : err);
                if (r < 0 && first == 0)
                        first = r;
                container->has_cgroup = false;
        }
        r = container_network_down(container, first ? &later : err);
        if (r < 0 && first == 0)
                first = r;
        container->plan = NULL;
        return first;
}
