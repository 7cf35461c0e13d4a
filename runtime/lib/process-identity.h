/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "error.h"

/* When the process began: field 22 of /proc/PID/stat, in clock ticks since boot. -ESRCH when there is none, or it has ended. */
int process_start_time(pid_t pid, uint64_t *ret, struct berth_error *err);

/* A pidfd of exactly that process, never of one that has its number now. -ESRCH when it is gone. */
int process_open_exact(pid_t pid, uint64_t start_time, int *ret_pidfd, struct berth_error *err);
