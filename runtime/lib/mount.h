/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "plan-internal.h"

/* Everything below runs in the process that will be the container's init, in its own mount namespace, before pivot_root. */

/*
 * Opens every bind's source as a detached copy. Before the namespace's propagation changes, so that a bind that asks for shared
 * propagation is a peer of the host's mount.
 */
int mount_open_sources(struct plan_container *container, struct berth_error *err);

/* What a mount may need to know of its surroundings. */
struct mount_context {
        int root;                           /* the container's root, as a descriptor of its mount */
        int procfs;                         /* the procfs that the plan mounted, or -1; owned by the context */
        int devpts;                         /* the same for devpts */
        const struct cgroup_layout *layout; /* for mounts of type cgroup */
        const char *cgroup_path;            /* NULL: none, and then no cgroup mounts */
        bool cgroup_namespace;
        const char *label; /* SELinux context of the file systems that are made, or NULL */
};

/* All mounts of the plan, in order. Mounts that shall be read-only but are still written to get it by mount_finish. */
int mount_all(struct mount_context *context, struct plan_container *container, struct berth_error *err);
int mount_finish(struct plan_container *container, struct berth_error *err);

/* Whether the plan binds something onto /dev itself, which is then left as it is. */
bool mount_dev_is_bound(const struct plan_container *container);

/* A new instance of a file system, detached. Options are "key" or "key=value"; `label` is its SELinux context, or NULL. */
int mount_create(const char *type, const char *source, const char *const *options, uint32_t n_options, const char *label, uint64_t attributes,
                 int *ret_fd, struct berth_error *err);

/* Whether a file system of that type is made with the label; the others have what the policy says of them, or one that is set on their files. */
bool mount_takes_label(const char *type);

/* Sets the label of a mounted directory itself, where the file system has no option for it. */
int mount_set_label(const struct plan_mount *mount, const char *label, struct berth_error *err);

/* An error where labels mean nothing: SELinux is not active. */
int mount_check_label(const char *label, struct berth_error *err);

/* Changes the file system that is mounted there, for everybody who sees it; `access` is "ro", "rw" or NULL. */
int mount_reconfigure(int mount, const char *const *options, uint32_t n_options, const char *access, struct berth_error *err);

/* Fills a new tmpfs with a copy of the directory that it will cover; `directory` may be of a hostile image. */
int mount_copy_up(int directory, int tmpfs, const char *destination, struct berth_error *err);

/* Moves a detached mount onto a descriptor. */
int mount_move(int mount, int target);

/* mount_setattr(2) of one mount (by descriptor), or of all below it too. Nothing is asked of the kernel when nothing changes. */
int mount_set(int mount, bool recursive, uint64_t set, uint64_t clear, uint64_t propagation);

/* Shows files of a detached mount as if the ids on the disk were those inside the user namespace (mount_setattr(2), MOUNT_ATTR_IDMAP). */
int mount_map_ids(int mount, bool recursive, int userns);
