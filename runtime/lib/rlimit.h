/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/types.h>

#include "plan-internal.h"

/*
 * Sets the plan's limits on the calling process. Where we may not raise a hard limit (no CAP_SYS_RESOURCE), the nearest allowed
 * value is taken instead.
 */
int rlimit_apply(const struct plan_process *plan, struct berth_error *err);

/* The same by the parent of a process in a user namespace, where nobody may raise a limit: what it was refused itself, as far as we may. */
int rlimit_raise(pid_t pid, const struct plan_process *plan, struct berth_error *err);

/* Writes oom_score_adj through the host's /proc; where lowering is not allowed, our own value stays. */
int rlimit_apply_oom_score(pid_t pid, const struct plan_process *plan, struct berth_error *err);
