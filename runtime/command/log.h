/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "command.h"

/* Callers (podman, containerd) read the last error of the log, in the form that runc established. */

/* With --debug: what was asked for. */
void log_debug(const struct command *command, int argc, char **argv);

void log_warning(const struct command *command, const char *text);

/* The error, if there is one, in the log and on standard error; with --debug the exit status. */
void log_end(const struct command *command, const struct berth_error *err, int status);
