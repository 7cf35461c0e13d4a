/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/types.h>

#include "plan-internal.h"

/*
 * By the parent, on a process that waits: its policy and I/O priority, and where it may run in the end. Each takes rights of the host, which a
 * process in a user namespace does not have.
 */
int schedule_apply(pid_t pid, const struct plan_process *plan, struct berth_error *err);

/* By the process itself: where it may run while it enters the container; where its memory comes from. */
int schedule_begin(const struct plan_process *plan, struct berth_error *err);
int schedule_memory(const struct plan_process *plan, struct berth_error *err);
