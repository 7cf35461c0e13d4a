/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "container.h"

struct shim;

#define RUNTIME_ARGUMENTS_MAX 64
#define RUNTIME_PATH_MAX 64

/* One call of the runtime's command line. */
struct runtime_command {
        const char *argv[RUNTIME_ARGUMENTS_MAX]; /* NULL-terminated */
        unsigned n;
        const char *verb;
        char log_path[RUNTIME_PATH_MAX];
        int log; /* memory file that it complains to */
};

/* The runtime, its options and `verb`. The command is to be closed whether this succeeds or not. */
int runtime_command_open(struct runtime_command *command, const struct keeper_plan *keeper, const char *verb, struct berth_error *err);
void runtime_command_add(struct runtime_command *command, const char *argument);
/*
 * Runs it to its end, with these descriptors as 0, 1 and 2 (NULL: none). It gets 20 s and is killed then, with what is in its process
 * group. The error's text is the last one of its log.
 */
int runtime_command_run(struct runtime_command *command, const struct process_io *io, struct berth_error *err);
void runtime_command_close(struct runtime_command *command);
