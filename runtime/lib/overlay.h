/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "plan.h"

/*
 * The root filesystem of layers, as a mount that nobody but the calling process's mount namespace can see. With `lowerdir+`
 * (kernel 6.5) it is detached and *ret_attached is false; older kernels have it mounted on keeper->rootfs_path, privately.
 * `label` is its SELinux context, or NULL; a single layer with nothing above it keeps its own.
 */
int overlay_mount(const struct keeper_plan *keeper, const char *label, int *ret_fd, bool *ret_attached, struct berth_error *err);

/* Whether this kernel makes it detached. */
bool overlay_can_detach(void);

/*
 * An overlay works below itself as who made it. The host's root has no id on a mapped mount and could make nothing there; the maker is the
 * container's root then, by the ids that user 0 on the disk has outside.
 */
struct overlay_maker {
        uint32_t uid, gid;
};

/*
 * Mounts id-mapped copies of layers and upper directory over themselves, in a mount namespace that the caller has for itself. What the
 * container's root writes belongs to user 0 on the disk.
 */
int overlay_map_layers(const struct keeper_plan *keeper, int userns, struct overlay_maker *ret_maker, struct berth_error *err);
int overlay_mount_as(const struct keeper_plan *keeper, const char *label, const struct overlay_maker *maker, int *ret_fd, bool *ret_attached,
                     struct berth_error *err);
