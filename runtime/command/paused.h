/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "state-file.h"

/* The two halves of one verb: freezes or thaws the container's group under the state's lock. */
int paused_set(const struct command *command, const char *verb, bool pause, int argc, char **argv, struct berth_error *err);
