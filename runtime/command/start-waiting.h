/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "state-file.h"

/* Lets a created container's process go, and runs what is to run after that; one that cannot be executed, or whose hook fails, has ended. */
int start_waiting(const struct command *command, int directory, const struct state *state, struct berth_error *err);
