/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "error.h"

struct shim;

/* Watches the container's cgroup for processes killed for want of memory; nothing to do without a memory controller. */
int oom_watch(struct shim *shim, struct berth_error *err);
/* Reads the counter once more: after an exit the kernel's notification may still be on its way. Reports new kills. */
void oom_check(struct shim *shim);
void oom_close(struct shim *shim);
