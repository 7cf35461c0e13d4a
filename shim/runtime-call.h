/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "container.h"

struct shim;
struct task;

/*
 * Another OCI runtime makes the container: <runtime> <options> --root … --log … VERB. Its processes become ours when it ends, since we
 * are their subreaper; their descriptors, exits and records are handled as those of our own runtime's.
 */

/* What we did for it beside calling it. */
struct runtime_call {
        bool own_mounts;   /* we are in a mount namespace of our own */
        bool root_mounted; /* the layers stand on keeper->rootfs_path */
        bool netns_bound;  /* the network namespace stands on <bundle>/netns */
        bool made;         /* there may be something to delete */
};

bool runtime_call_is_used(const struct shim *shim);

/* The twin of container_create. */
int runtime_call_create(struct shim *shim, const struct process_io *io, struct berth_error *err);
int runtime_call_start(struct shim *shim, struct berth_error *err);
/* Makes and starts the process at once: runtimes have no step in between. */
int runtime_call_exec(struct shim *shim, struct task *task, struct berth_error *err);
int runtime_call_freeze(struct shim *shim, bool freeze, struct berth_error *err);
/* Also after a creation that failed half-way. Errors are collected in the first one; it goes on to the end. */
int runtime_call_release(struct shim *shim, struct berth_error *err);
