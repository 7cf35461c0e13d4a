/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "plan-internal.h"

/* The steps that turn a mount namespace copied from the host into the container's, in this order. */

/* Nothing that happens in this namespace reaches the host's any more. */
int rootfs_isolate(struct berth_error *err);

/* Mounts the container's root onto keeper->rootfs_path and answers a descriptor of that mount. */
int rootfs_attach(const struct plan *plan, int *ret_root, struct berth_error *err);

/* Makes it "/" and detaches everything of the host. */
int rootfs_pivot(int root, struct berth_error *err);

/* Device nodes, links and the mount point of the console below /dev. */
int devnode_make_all(int root, const struct plan_container *container, struct berth_error *err);

/* Read-only paths, then masked paths; what does not exist needs neither. */
int mask_apply(int root, const struct plan_container *container, struct berth_error *err);

/* Writes the sysctls through a procfs that nobody else can reach; `procfs` is an instance of this namespace, or -1. */
int sysctl_apply(const struct plan_container *container, int procfs, struct berth_error *err);
