/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "plan-internal.h"

/* Installs the plan's filter, if it has one, on the calling process. *ret_listener: close-on-exec, -1 where the plan names no listener. */
int seccomp_install(const struct plan_process *plan, int *ret_listener, struct berth_error *err);
