/* SPDX-License-Identifier: Apache-2.0 */
#include "container.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "container-init.h"
#include "container-network.h"
#include "container-stage.h"
#include "hooks.h"
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

static int container_clone_staged(struct container *container, const struct container_init *prepared, int group, struct berth_error *err) {
        struct container_init init = *prepared;
        struct process stage = PROCESS_NONE;

        pid_t pid = process_clone(0, group, &stage, &init.child.sync, &init.in_unified, err);
        if (pid == 0)
                container_stage(&init);
        return pid < 0 ? (int) pid : container_await_stage(&stage, container->plan, init.namespaces, init.io, &container->init, err);
}

static int container_clone_direct(struct container *container, const struct container_init *prepared, int group, struct berth_error *err) {
        struct container_init init = *prepared;
        const struct namespace_set *namespaces = init.namespaces;
        _cleanup_close_ int own = -1;
        int r;

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

static int container_clone(struct container *container, const struct namespace_set *namespaces, const struct process_io *io,
                           struct berth_error *err) {
        _cleanup_close_ int group = -1;
        struct container_init init = {
                .plan = container->plan,
                .layout = &container->layout,
                .cgroup = container->has_cgroup ? &container->cgroup : NULL,
                .namespaces = namespaces,
                .netns = namespaces->new_network && !namespaces->user ? container->netns : -1,
                .io = io,
                .prepared = ROOTFS_PREPARED_NONE,
                .child = {.sync = -1, .starter = container->starter},
        };

        if (hooks_any(&container->plan->container, PLAN_HOOK_START_CONTAINER))
                init.child.hooks = &container->plan->container;
        if (container->has_cgroup && container->layout.unified_index >= 0) {
                int r = cgroup_open_unified(&container->layout, &container->cgroup, &group, err);
                if (r < 0)
                        return r;
        }
        int r = container_needs_stage(container->plan, namespaces) ? container_clone_staged(container, &init, group, err)
                                                                   : container_clone_direct(container, &init, group, err);
        container->poststop = r == 0;
        return r;
}

/* How long the process may be silent while it runs hooks of its own. */
static int container_set_patience(const struct container *container, enum plan_hook_kind kind, struct berth_error *err) {
        const struct plan_container *plan = &container->plan->container;
        uint64_t seconds = SYNC_PATIENCE_S;

        if (!hooks_any(plan, kind))
                return 0;
        for (uint32_t i = 0; i < plan->n_hooks; i++) {
                if (plan->hooks[i].kind != kind)
                        continue;
                if (plan->hooks[i].timeout == 0)
                        return sync_set_patience(container->init.sync, 0, err);
                seconds += plan->hooks[i].timeout;
        }
        return sync_set_patience(container->init.sync, seconds > INT32_MAX ? 0 : (unsigned) seconds, err);
}

/* In the namespaces of the caller, when the container's are made and its mounts stand. */
static int container_run_create_hooks(struct container *container, struct berth_error *err) {
        const struct plan_container *plan = &container->plan->container;

        if (hooks_any(plan, PLAN_HOOK_PRESTART) || hooks_any(plan, PLAN_HOOK_CREATE_RUNTIME)) {
                int r = sync_receive(container->init.sync, NULL, err);
                if (r == 0)
                        return berth_error_set(err, ECONNRESET, "the new process was killed before it was ready");
                if (r > 0)
                        r = r == SYNC_MOUNTED ? 0 : berth_error_set(err, EPROTO, "the new process sent an unexpected message");
                if (r == 0)
                        r = hooks_run(plan, PLAN_HOOK_PRESTART, "creating", container->init.pid, err);
                if (r == 0)
                        r = hooks_run(plan, PLAN_HOOK_CREATE_RUNTIME, "creating", container->init.pid, err);
                if (r == 0)
                        r = sync_send(container->init.sync, SYNC_HOOKED, -1, err);
                if (r < 0)
                        return r;
        }
        return container_set_patience(container, PLAN_HOOK_CREATE_CONTAINER, err);
}

/* Through /proc of the waiting process, which is ours and still runs nothing of the image. */
static int container_open_root(struct container *container, struct berth_error *err) {
        char path[64];

        (void) snprintf(path, sizeof path, "/proc/%d/root", (int) container->init.pid);
        container->rootfs = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return container->rootfs < 0 ? berth_error_set(err, errno, "open the container's root") : 0;
}

/* A process that has failed and ended already has no namespaces to look at; then its own reason is the one to tell. */
static int container_adopt_network(struct container *container, struct berth_error *err) {
        int told, r = container_network_adopt(container, err);

        if (r != -ENOENT)
                return r;
        while ((told = sync_receive(container->init.sync, NULL, err)) > 0)
                ;
        return told < 0 ? told : berth_error_set(err, ECONNRESET, "the new process was killed before it was ready");
}

static int container_build(struct container *container, const struct process_io *io, struct berth_error *err) {
        struct namespace_set namespaces = NAMESPACE_SET_NONE;

        int r = namespace_open_all(&container->plan->container, &namespaces, err);
        if (r < 0)
                return r;
        container->own_pids = (namespaces.clone_flags & CLONE_NEWPID) != 0;
        r = container_prepare(container, namespaces.new_network && !namespaces.user, err);
        if (r == 0)
                r = container_make_cgroup(container, err);
        if (r == 0)
                r = container_clone(container, &namespaces, io, err);
        if (r == 0 && namespaces.new_network && namespaces.user)
                r = container_adopt_network(container, err);
        if (r == 0)
                r = container_network_up(container, err);
        if (r == 0)
                r = container_network_take(container, err);
        const struct process_orders orders = {
                .plan = &container->plan->process,
                .state = container->plan->container.state,
                .own_users = namespaces.user,
        };
        if (r == 0)
                r = container_run_create_hooks(container, err);
        if (r == 0)
                r = process_await_ready(&container->init, &orders, err);
        if (container->has_cgroup)
                cgroup_joined(&container->cgroup);
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
        if (r < 0) {
                bool grouped = container->has_cgroup;
                (void) container_release(container, NULL);
                if (grouped)
                        cgroup_remove_parents(&container->layout, &container->cgroup);
        }
        return r;
}

int container_start(struct container *container, struct berth_error *err) {
        int r = container->init.sync < 0 ? 0 : container_set_patience(container, PLAN_HOOK_START_CONTAINER, err);
        if (r == 0)
                r = process_start(&container->init, err);
        if (r < 0)
                return r;
        container->n_taken = 0;
        r = hooks_run(&container->plan->container, PLAN_HOOK_POSTSTART, "running", container->init.pid, err);
        /* A frozen process does not end: the release thaws the group and kills what is there. */
        if (r < 0 && process_abandon(&container->init, NULL) < 0)
                container->own_pids = false;
        return r;
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

/* A process that is frozen by v1, from outside or by itself, does not end of being killed alone. */
static void container_kill(const struct container *container) {
        if (container->has_cgroup && container->init.pidfd >= 0 && sys_pidfd_send_signal(container->init.pidfd, SIGKILL) == 0)
                cgroup_thaw_killed(&container->layout, &container->cgroup);
}

int container_release(struct container *container, struct berth_error *err) {
        struct berth_error later;

        container_kill(container);
        int r, first = process_abandon(&container->init, err);

        cleanup_close(&container->rootfs);
        container->rootfs = -1;

        if (container->has_cgroup) {
                /* With a pid namespace of its own the kernel has killed everything along with init. */
                r = container->own_pids && first == 0 ? 0 : cgroup_signal_all(&container->layout, &container->cgroup, SIGKILL, first ? &later : err);
                if (r < 0 && first == 0)
                        first = r;
                r = cgroup_remove(&container->layout, &container->cgroup, first ? &later : err);
                if (r < 0 && first == 0)
                        first = r;
                container->has_cgroup = false;
        }
        r = container_network_down(container, first ? &later : err);
        if (r < 0 && first == 0)
                first = r;
        r = container->poststop ? hooks_run_all(&container->plan->container, PLAN_HOOK_POSTSTOP, "stopped", 0, first ? &later : err) : 0;
        if (r < 0 && first == 0)
                first = r;
        container->poststop = false;
        container->plan = NULL;
        return first;
}
