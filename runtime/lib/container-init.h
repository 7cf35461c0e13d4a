/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "container.h"
#include "namespace.h"
#include "process.h"
#include "rootfs.h"

/* Everything the new process needs, laid out by the parent before clone3. */
struct container_init {
        struct plan *plan;
        const struct cgroup_layout *layout;
        const struct cgroup *cgroup; /* NULL: none */
        bool in_unified;             /* CLONE_INTO_CGROUP did that part */
        const struct namespace_set *namespaces;
        int netns; /* the prepared sandbox; -1 */
        const struct process_io *io;
        struct rootfs_prepared prepared;
        struct process_child child;
        bool staged; /* a stage has joined cgroups and namespaces, and placed the descriptors */
};

/* Joins the cgroups and all namespaces but those that clone3 makes; what is left for the process's children is not done. */
int container_init_join(const struct container_init *init, struct berth_error *err);

/* The container's first process, from clone3 to execve. */
_Noreturn void container_init(const struct container_init *init);
