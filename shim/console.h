/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "error.h"
#include "task.h"

/* Copies of the terminal's master for the task's input and output, and a hold on its other side. */
int console_begin(struct task *task, struct berth_error *err);
int console_resize(struct task *task, uint16_t rows, uint16_t columns, struct berth_error *err);
/* The process has ended: from now on the terminal hangs up when its last user goes. */
void console_let_go(struct task *task);
