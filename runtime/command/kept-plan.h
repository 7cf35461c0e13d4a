/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "hooks.h"
#include "state-file.h"

/* Moves the links of the host that a container took and never used back, as they were. */
int kept_plan_return_links(const struct command *command, int directory, const struct state *state, int netns, struct berth_error *err);

/* Runs hooks of a container that an earlier call made, from the config.json that was kept. All of them for PLAN_HOOK_POSTSTOP. */
int kept_plan_hooks(const struct command *command, int directory, const struct state *state, enum plan_hook_kind kind, const char *status, pid_t pid,
                    struct berth_error *err);
