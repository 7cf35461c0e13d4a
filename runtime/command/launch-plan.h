/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "command.h"
#include "plan.h"

/* The plan of a container of this id and bundle (absolute) from its config.json. */
int launch_plan(const struct command *command, const char *id, const char *bundle, const json_t *config, struct plan **ret, struct berth_error *err);

/* The plan of a further process from its process object, with linux.seccomp of its container in it. */
int launch_plan_exec(const json_t *process, struct plan **ret, struct berth_error *err);
