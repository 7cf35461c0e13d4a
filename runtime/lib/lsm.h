/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "plan-internal.h"

/*
 * Asks for the AppArmor profile and the SELinux label that the next execve(2) is to put the calling process under; keyrings made until then
 * have the label too. A host without the one that is asked for is an error.
 */
int lsm_apply(const struct plan_process *plan, struct berth_error *err);
