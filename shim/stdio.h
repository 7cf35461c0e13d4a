/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "container.h"
#include "task.h"

/* Makes pipes (or, with a terminal, nothing yet) for the task; *ret belongs to the caller (stdio_close_ends). */
int stdio_open(struct task *task, bool open_stdin, struct stdio_ends *ret, struct berth_error *err);
void stdio_close_ends(struct stdio_ends *ends);
/* After the process was made: takes the terminal, if there is one, and begins to read. */
int stdio_begin(struct task *task, struct berth_error *err);
void stdio_close(struct task *task);

/* Reads what is there, and goes on until the end of file. */
void stdio_drain(struct task *task);
/* Reads what is there, once more, and lets go of whatever still holds the other end. */
void stdio_give_up(struct task *task);
bool stdio_ended(const struct task *task);

/* A client has room again, or is gone: streams that stood still for it may go on. */
void stdio_resume(struct task *task);
