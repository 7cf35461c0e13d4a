/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "plan-internal.h"

/* What the calling process has, as bits. */
struct capabilities {
        uint64_t effective, permitted, inheritable;
};

int capabilities_read(struct capabilities *ret, struct berth_error *err);
int capabilities_drop_bounding(uint64_t keep, struct berth_error *err);

/* Sets the other four sets, each clamped to what `own` allowed before the change of user. */
int capabilities_apply(const struct plan_process *plan, const struct capabilities *own, struct berth_error *err);
