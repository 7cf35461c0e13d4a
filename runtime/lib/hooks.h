/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "plan-internal.h"

/*
 * Hooks (runtime-spec config.md#posix-platform-hooks): programs of the host that get the container's state on their stdin, one
 * after the other. A timeout kills the hook and all it started in its process group.
 */

bool hooks_any(const struct plan_container *container, enum plan_hook_kind kind);

/*
 * Runs the hooks of one kind; `status` as in runtime-spec runtime.md#state, `pid` as the caller's pid namespace sees it (0: none). The first that
 * cannot be run, does not answer 0 or takes too long ends it: the text names kind, number, path, and what the hook said last on stderr. For a
 * single-threaded caller without other children to reap by waitpid(-1) meanwhile.
 */
int hooks_run(const struct plan_container *container, enum plan_hook_kind kind, const char *status, pid_t pid, struct berth_error *err);

/* The same, but all of them run whatever the others did; the first failure is answered. For poststop, where nothing is left to undo. */
int hooks_run_all(const struct plan_container *container, enum plan_hook_kind kind, const char *status, pid_t pid, struct berth_error *err);
