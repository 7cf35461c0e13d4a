/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "plan.h"

/*
 * The root filesystem of layers, as a mount that nobody but the calling process's mount namespace can see. With `lowerdir+`
 * (kernel 6.5) it is detached and *ret_attached is false; older kernels have it mounted on keeper->rootfs_path, privately, or refuse
 * with EOPNOTSUPP when ret_attached is NULL.
 */
int overlay_mount(const struct keeper_plan *keeper, int *ret_fd, bool *ret_attached, struct berth_error *err);
