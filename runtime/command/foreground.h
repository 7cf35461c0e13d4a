/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "container.h"

/*
 * Stays with a process that is a child of the caller: its terminal, if it has one, is joined to the caller's standard streams, which are
 * raw meanwhile, and signals are passed on.
 */

/* Blocks the signals that will be passed on; before the process is made, so that none is lost or ends the caller alone. */
int foreground_prepare(int *ret_signals, struct berth_error *err);

/* Until the process has ended and was reaped: *ret_status is its exit code, or 128 and the signal's number. */
int foreground_wait(const struct process *process, int signals, int *ret_status, struct berth_error *err);
