/* SPDX-License-Identifier: Apache-2.0 */
#include "container-init.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <string.h>

#include "cleanup.h"
#include "console.h"
#include "hooks.h"
#include "mount.h"
#include "path.h"
#include "process.h"
#include "rootfs.h"
#include "sync.h"
#include "sys.h"
#include "userns.h"

int container_init_join(const struct container_init *init, struct berth_error *err) {
        int r = init->cgroup ? cgroup_attach(init->layout, init->cgroup, 0, init->in_unified, err) : 0;
        if (r == 0)
                r = namespace_join(init->namespaces, err);
        if (r < 0)
                return r;
        if (init->netns >= 0 && setns(init->netns, CLONE_NEWNET) < 0)
                return berth_error_set(err, errno, "enter the container's network namespace");
        return 0;
}

static int container_init_enter(struct container_init *init, struct berth_error *err) {
        const struct plan_process *process = &init->plan->process;

        int r = process_child_begin(&init->child, process, err);
        if (r == 0)
                r = container_init_join(init, err);
        /* Only now: the namespace's root is the group that the process is in at this moment. */
        if (r == 0 && init->namespaces->new_cgroup && unshare(CLONE_NEWCGROUP) < 0)
                return namespace_error(errno, CLONE_NEWCGROUP, "make a cgroup namespace", err);
        return r == 0 ? process_child_descriptors(&init->child, process, init->io, err) : r;
}

/* Behind a stage: the parent has something to do before anything happens here. */
static int container_init_enter_staged(struct container_init *init, struct berth_error *err) {
        int r = sync_receive(init->child.sync, NULL, err);
        if (r != SYNC_MAPPED)
                _exit(1); /* the parent is gone or gave up */
        r = init->namespaces->user ? userns_become_root(err) : 0;
        return r == 0 ? process_child_begin(&init->child, &init->plan->process, err) : r;
}

static int container_init_names(const struct plan_container *container, struct berth_error *err) {
        if (container->hostname && sethostname(container->hostname, strlen(container->hostname)) < 0)
                return berth_error_set(err, errno, "set the host name '%s'", container->hostname);
        if (container->domainname && setdomainname(container->domainname, strlen(container->domainname)) < 0)
                return berth_error_set(err, errno, "set the domain name '%s'", container->domainname);
        return 0;
}

/* The working directory is made when the image lacks it, as Docker's runtimes do. */
static int container_init_make_cwd(int root, const char *cwd, struct berth_error *err) {
        _cleanup_close_ int fd = -1;
        int r = path_open_in_root(root, cwd, O_PATH | O_DIRECTORY, 0, &fd);

        return r == -ENOENT ? path_make_directory(root, cwd, &fd, err) : 0;
}

/* With all mounts in place and the host still in sight (runtime-spec config.md#posix-platform-hooks). */
static int container_init_hooks(const struct container_init *init, struct berth_error *err) {
        const struct plan_container *container = &init->plan->container;
        int r = 0;

        if (container->n_hooks == 0)
                return 0;
        if (hooks_any(container, PLAN_HOOK_PRESTART) || hooks_any(container, PLAN_HOOK_CREATE_RUNTIME)) {
                r = sync_send(init->child.sync, SYNC_MOUNTED, -1, err);
                if (r == 0 && sync_receive(init->child.sync, NULL, err) != SYNC_HOOKED)
                        _exit(1); /* the parent is gone or gave up */
        }
        return r == 0 ? hooks_run(container, PLAN_HOOK_CREATE_CONTAINER, "creating", getpid(), err) : r;
}

static int container_init_root(const struct container_init *init, struct berth_error *err) {
        struct plan *plan = init->plan;
        struct plan_container *container = &plan->container;
        struct rootfs_prepared prepared = init->prepared;
        _cleanup_close_ int root = -1;

        int r = container->mount_label ? mount_check_label(container->mount_label, err) : 0;
        if (r == 0 && !prepared.sources)
                r = mount_open_sources(container, err);
        if (r == 0)
                r = rootfs_isolate(err);
        if (r == 0)
                r = rootfs_attach(plan, &prepared, &root, err);
        if (r < 0)
                return r;

        struct mount_context context = {
                .root = root,
                .procfs = -1,
                .devpts = -1,
                .layout = init->layout,
                .cgroup_path = init->cgroup ? init->cgroup->path : NULL,
                .cgroup_namespace = plan_namespace_of(container, CLONE_NEWCGROUP) != NULL,
                .label = container->mount_label,
        };
        r = mount_all(&context, container, err);
        if (r == 0 && !mount_dev_is_bound(container))
                r = devnode_make_all(root, container, prepared.devices, err);
        if (r == 0)
                r = container_init_hooks(init, err);
        if (r == 0 && plan->process.terminal)
                r = console_make(&plan->process, root, context.devpts, true, init->child.sync, err);
        if (r == 0)
                r = sysctl_apply(container, context.procfs, err);
        if (r == 0)
                r = container_init_make_cwd(root, plan->process.cwd, err);
        if (r == 0)
                r = mask_apply(root, container, prepared.devices, err);
        if (r == 0)
                r = mount_finish(container, err);
        if (r == 0)
                r = rootfs_pivot(root, container, err);
        if (r == 0 && container->root_readonly) {
                r = mount_set(root, false, MOUNT_ATTR_RDONLY, 0, 0);
                if (r < 0)
                        return berth_error_set(err, -r, "make the root filesystem read-only");
        }
        return r;
}

_Noreturn void container_init(const struct container_init *init) {
        struct container_init own = *init;
        struct berth_error err = {0};
        char path[PATH_MAX];

        int r = own.staged ? container_init_enter_staged(&own, &err) : container_init_enter(&own, &err);
        if (r == 0)
                r = container_init_root(&own, &err);
        if (r == 0)
                r = container_init_names(&own.plan->container, &err);
        if (r == 0)
                r = process_child_become(&own.child, &own.plan->process, path, &err);
        if (r < 0)
                process_child_fail(own.child.sync, &err);
        process_child_execute(&own.child, &own.plan->process, path);
}
