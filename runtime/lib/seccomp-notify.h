/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/types.h>

#include "plan-internal.h"

/* The process whose filter notifies somebody, and the container it is of. */
struct seccomp_subject {
        const char *state; /* as PLAN_STATE; NULL: unknown */
        pid_t pid;
        pid_t init; /* of the container; the same one while it is created */
};

/*
 * Hands the descriptor of the listener to the agent that waits at the plan's socket, with the container process state (runtime-spec
 * config-linux.md#containerprocessstate). The caller keeps its copy.
 */
int seccomp_notify(const struct plan_process *plan, const struct seccomp_subject *subject, int listener, struct berth_error *err);
