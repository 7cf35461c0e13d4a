/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "error.h"

/* Sends the master of a terminal to who listens on a Unix socket: the caller keeps the terminal (runc's convention, which every caller follows). */
int console_socket_send(const char *path, int master, struct berth_error *err);
