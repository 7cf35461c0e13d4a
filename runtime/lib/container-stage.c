/* SPDX-License-Identifier: Apache-2.0 */
#include "container-stage.h"

#include <errno.h>
#include <sched.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "sync.h"
#include "sys.h"
#include "userns.h"

bool container_needs_stage(const struct plan *plan, const struct namespace_set *namespaces) {
        return namespaces->user || namespaces->new_time || rootfs_needs_preparation(plan);
}

static int stage_open_user(const struct namespace_set *namespaces, int *ret_fd, struct berth_error *err) {
        if (!namespaces->user_path)
                return 0;
        *ret_fd = open(namespaces->user_path, O_RDONLY | O_CLOEXEC);
        return *ret_fd < 0 ? berth_error_set(err, errno, "open user namespace '%s'", namespaces->user_path) : 0;
}

static int stage_join(struct container_init *init, struct berth_error *err) {
        const struct namespace_set *namespaces = init->namespaces;

        int r = process_child_begin(&init->child, &init->plan->process, err);
        if (r == 0)
                r = container_init_join(init, err);
        if (r == 0 && namespaces->pid >= 0 && setns(namespaces->pid, CLONE_NEWPID) < 0)
                return berth_error_set(err, errno, "enter the pid namespace");
        if (r == 0 && namespaces->new_time)
                r = namespace_make_time(&init->plan->container, err);
        return r;
}

static uint64_t stage_clone_flags(const struct namespace_set *namespaces) {
        uint64_t flags = namespaces->clone_flags;

        if (namespaces->new_cgroup) /* its root is the stage's group, which is the container's */
                flags |= CLONE_NEWCGROUP;
        if (namespaces->new_network && namespaces->user)
                flags |= CLONE_NEWNET;
        return flags;
}

static int stage_clone(struct container_init *init, struct berth_error *err) {
        _cleanup_close_ int user = -1, pidfd = -1;

        int r = stage_open_user(init->namespaces, &user, err);
        if (r == 0)
                r = rootfs_prepare(init->plan, user, &init->prepared, err);
        if (r < 0)
                return r;
        if (user >= 0 && setns(user, CLONE_NEWUSER) < 0)
                return berth_error_set(err, errno, "enter user namespace '%s'", init->namespaces->user_path);
        pid_t pid = process_clone_sibling(stage_clone_flags(init->namespaces), &pidfd, err);
        if (pid == 0)
                container_init(init);
        return pid < 0 ? (int) pid : sync_send_child(init->child.sync, pid, pidfd, err);
}

_Noreturn void container_stage(const struct container_init *init) {
        struct container_init own = *init;
        struct berth_error err = {0};

        own.staged = true;
        int r = stage_join(&own, &err);
        if (r == 0)
                r = process_child_descriptors(&own.child, &own.plan->process, own.io, &err);
        if (r == 0)
                r = stage_clone(&own, &err);
        if (r < 0)
                process_child_fail(own.child.sync, &err);
        _exit(0);
}

/* What only the caller's rights allow, while the new process waits. */
static int stage_complete_user(const struct plan *plan, const struct namespace_set *namespaces, const struct process_io *io, pid_t pid,
                               struct berth_error *err) {
        const struct plan_container *container = &plan->container;
        int r = 0;

        if (!namespaces->user_path)
                r = userns_write_maps(pid, container->id_maps, container->n_id_maps, err);
        else if (container->n_id_maps > 0)
                r = userns_check_maps(pid, container->id_maps, container->n_id_maps, err);
        return r == 0 && !plan->process.terminal ? userns_give_stdio(pid, plan->process.uid, io, err) : r;
}

/* Until its CHILD message is received, the process that a stage has cloned is known by the stage's process group alone, which it is still in. */
static void stage_abandon(struct process *stage) {
        pid_t group = stage->pid;
        siginfo_t info;

        /* The stage first, which then clones nobody any more. */
        (void) sys_pidfd_send_signal(stage->pidfd, SIGKILL);
        (void) kill(-group, SIGKILL);
        if (process_abandon(stage, NULL) < 0)
                return;
        while (waitid(P_PGID, (id_t) group, &info, WEXITED) == 0 || errno == EINTR)
                ;
}

int container_await_stage(struct process *stage, const struct plan *plan, const struct namespace_set *namespaces, const struct process_io *io,
                          struct process *ret, struct berth_error *err) {
        struct process process = PROCESS_NONE;

        int r = sync_receive_child(stage->sync, &process.pid, &process.pidfd, err);
        if (r < 0) {
                stage_abandon(stage);
                return r;
        }
        process.sync = take_fd(&stage->sync);
        /* It has nothing left to do: ending it is as good as waiting for its end. */
        r = process_abandon(stage, err);
        if (r == 0 && namespaces->user)
                r = stage_complete_user(plan, namespaces, io, process.pid, err);
        if (r == 0)
                r = sync_send(process.sync, SYNC_MAPPED, -1, err);
        if (r < 0) {
                (void) process_abandon(&process, NULL);
                return r;
        }
        *ret = process;
        return 0;
}
