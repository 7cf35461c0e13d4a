/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "plan-internal.h"

/* Installs the plan's filter, if it has one, on the calling process. */
int seccomp_install(const struct plan_process *plan, struct berth_error *err);
