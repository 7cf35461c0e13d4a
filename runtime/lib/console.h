/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "plan-internal.h"

/*
 * In the child: makes a pty in the container's own devpts (`devpts`: a descriptor of it, or -1 to look at /dev/pts below
 * `root`), makes its slave the controlling terminal and 0, 1, 2, shows it as /dev/console when `bind_console`, and sends the
 * master over `sync`.
 */
int console_make(const struct plan_process *plan, int root, int devpts, bool bind_console, int sync, struct berth_error *err);
