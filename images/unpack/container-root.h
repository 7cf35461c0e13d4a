/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../../runtime/lib/error.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

/*
 * Makes this process root of the container's user namespace, and nobody elsewhere: files have the owners that its processes see. First of
 * all, since the kernel forgets signals of a parent's death with the old user. Closes `users`; -1: nothing is done.
 */
int container_root_become(int users, struct berth_error *err);

/*
 * Makes a container's root, which may be of a running one, the root of this process, which gets empty namespaces otherwise. Its mounts stay
 * what they are: the container's own, volumes included.
 */
int container_root_enter(int root, struct berth_error *err);

/* Whether what is open shows the kernel's own state (procfs, sysfs, …): it is not there for copying, as in Docker. */
bool container_root_is_kernel(int fd);

/* What lies at a path. */
struct container_place {
        struct stat st;         /* a symlink's own, unless a slash follows it */
        mode_t resolved_mode;   /* of what it leads to; 0: nothing is there */
        char resolved[PATH_MAX]; /* absolute, without symlinks, as far as there is something */
};

/* Looks without opening. -ENOENT, -ENOTDIR and the like when nothing is there. */
int container_root_look(int root, const char *path, struct container_place *ret, struct berth_error *err);

/* Opens a directory; no magic link of procfs is followed. A negative errno, without a text. */
int container_root_open(int root, const char *path, int flags, int *ret_fd);
