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
};

/* The container's first process, from clone3 to execve. */
_Noreturn void container_init(const struct container_init *init);
