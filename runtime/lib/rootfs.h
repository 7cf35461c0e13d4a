/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "plan-internal.h"

/*
 * What a process in a user namespace of its own may not do itself, as it can neither enter the host's private directories nor make device
 * nodes or map ids: made by the caller before clone3, as detached mounts which the process inherits (its descriptors must stay open until
 * the root is built). Nothing is made for a plan that needs none of it.
 */
struct rootfs_prepared {
        bool sources; /* the sources of all binds are open in plan_mount.fd */
        int root;     /* the root filesystem; -1: the process opens it */
        int devices;  /* a file system of device nodes by number, first the default ones; -1: the process makes its own */
};
#define ROOTFS_PREPARED_NONE ((struct rootfs_prepared){.root = -1, .devices = -1})

/* Whether rootfs_prepare has something to do: a user namespace, or id-mapped mounts. */
bool rootfs_needs_preparation(const struct plan *plan);

/*
 * `userns` is the user namespace by path that the container joins; -1: the plan's id maps say what a new one will have. On failure nothing is
 * left open. The caller, which is a process for this alone and ends after clone3, may be in a mount namespace of its own afterwards; the new process
 * calls the functions below with what it inherited.
 */
int rootfs_prepare(struct plan *plan, int userns, struct rootfs_prepared *ret, struct berth_error *err);

/* The steps that turn a mount namespace copied from the host into the container's, in this order. */

/* Nothing that happens in this namespace reaches the host's any more. */
int rootfs_isolate(struct berth_error *err);

/*
 * The root filesystem as a detached mount, shown by the ids of a user namespace (-1: as they are on the disk). For a caller whose mount namespace
 * is its own, and isolated: id-mapped layers, and an overlay of a kernel that cannot make it detached, are mounted there.
 */
int rootfs_open(const struct plan *plan, int userns, int *ret_root, struct berth_error *err);

/* Mounts the container's root onto keeper->rootfs_path, a prepared one onto /dev, and answers a descriptor of that mount. */
int rootfs_attach(const struct plan *plan, struct rootfs_prepared *prepared, int *ret_root, struct berth_error *err);

/* Makes it "/" and detaches everything of the host. */
int rootfs_pivot(int root, const struct plan_container *container, struct berth_error *err);

/* Makes it "/" without pivot_root(2). */
int rootfs_cover(int root, struct berth_error *err);

/* Device nodes and links below /dev; with prepared devices (a descriptor, or -1) the nodes are mounted instead of made. */
int devnode_make_all(int root, const struct plan_container *container, int devices, struct berth_error *err);

/* The name of the null device among prepared ones. */
#define DEVNODE_NULL "0"

/* The file system of prepared devices; their owners are mapped by the plan's id maps. */
int devnode_prepare(const struct plan_container *container, int *ret_devices, struct berth_error *err);

/* Read-only paths, then masked paths; what does not exist needs neither. */
int mask_apply(int root, const struct plan_container *container, int devices, struct berth_error *err);

/* Writes the sysctls through a procfs that nobody else can reach; `procfs` is an instance of this namespace, or -1. */
int sysctl_apply(const struct plan_container *container, int procfs, struct berth_error *err);
