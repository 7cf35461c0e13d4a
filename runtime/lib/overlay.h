/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "plan.h"

/*
 * The root filesystem of layers, as a mount that nobody but the calling process's mount namespace can see. With `lowerdir+`
 * (kernel 6.5) it is detached and *ret_attached is false; older kernels have it mounted on keeper->rootfs_path, privately, or refuse
 * with EOPNOTSUPP when ret_attached is NULL.
 */
int overlay_mount(const struct keeper_plan *keeper, int *ret_fd, bool *ret_attached, struct berth_error *err);

/*
 * The same, detached, of layers and an upper directory whose ids on the disk are those inside the user namespace: what the container's root writes
 * belongs to user 0 on the disk. Needs kernel 6.15.
 */
int overlay_open_mapped(const struct keeper_plan *keeper, int userns, int *ret_fd, struct berth_error *err);

/* Makes the file system of a context that has its layers. 1: the kernel answered EINVAL. */
int overlay_create(int fs, uint32_t n_layers, int *ret_fd, struct berth_error *err);
