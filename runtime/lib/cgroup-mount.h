/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "mount.h"

/*
 * A mount of type cgroup: the unified hierarchy where the host has only that one; elsewhere a small tmpfs with the container's
 * own folder of each hierarchy bound into it, named as on the host. Runs after the process has joined its cgroup.
 */
int cgroup_mount(const struct mount_context *context, struct plan_mount *mount, struct berth_error *err);
