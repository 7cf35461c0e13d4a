/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <limits.h>

#include "command.h"
#include "container.h"

/* What run and create have in common: a bundle on its way to a container. */
struct launch {
        const struct command *command;
        const char *id, *bundle, *pid_file, *console_socket;
        char path[PATH_MAX]; /* of the bundle, absolute */
        json_t *config;
        int directory; /* of the state */
        struct container container;
};
#define LAUNCH_NONE ((struct launch){.bundle = ".", .directory = -1, .container = CONTAINER_NONE})

/* -EINVAL when the arguments are not those of the verb; --console-socket is known when `console`. */
int launch_arguments(struct launch *launch, const struct command *command, int argc, char **argv, bool console);

/* Reads config.json and makes the state's directory; launch_close undoes neither, it only closes. */
int launch_open(struct launch *launch, struct berth_error *err);
void launch_close(struct launch *launch);

int launch_plan(struct launch *launch, struct plan **ret, struct berth_error *err);

/* Writes the state and the pid file of the created container. */
int launch_record(struct launch *launch, const struct plan *plan, struct berth_error *err);
