/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "plan-internal.h"

/*
 * Mounts that show the ids on the disk as those of a user namespace (mount_setattr(2), MOUNT_ATTR_IDMAP). For a caller with the host's rights.
 */

/* Maps a detached mount, and all below it when `recursive`. `path` is where it comes from, for the error, which names its file system. */
int idmap_mount(int mount, bool recursive, int userns, const char *path, struct berth_error *err);

/*
 * The user namespace that the container's ids are mapped by: `joined` when it is one by path, else one with the plan's maps, made in *own (-1) when
 * it is wanted for the first time.
 */
int idmap_userns(const struct plan_container *container, int joined, int *own, int *ret_fd, struct berth_error *err);

/* Maps the opened sources of all binds that ask for it. */
int idmap_sources(struct plan_container *container, int joined, int *own, struct berth_error *err);
