/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "launch.h"

/* Writes the state and the pid file of a container that was made. */
int launch_record(const struct launch *launch, struct berth_error *err);

/* The pid and nothing else, in a file that takes its place at once. */
int launch_record_pid(const char *path, pid_t pid, struct berth_error *err);
