/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <limits.h>

#include "config-file.h"
#include "container.h"
#include "state-directory.h"

/* What run and create have in common: a bundle on its way to a container. */
struct launch {
        const struct command *command;
        const char *id, *bundle, *config, *pid_file, *console_socket;
        bool detach, keep, no_pivot, no_new_keyring;
        int64_t preserve_fds;

        char path[PATH_MAX];          /* of the bundle, absolute */
        char cgroup[CGROUP_PATH_MAX]; /* the default, when config.json names none */
        json_t *document;
        int directory; /* of the state, locked until the container is made */
        struct plan *plan;
        struct container container;
};
#define LAUNCH_CGROUP_PREFIX "/berth-runtime."
#define LAUNCH_SCOPE_PREFIX ":berth-runtime:"
#define LAUNCH_NONE ((struct launch){.bundle = ".", .config = "config.json", .directory = -1, .container = CONTAINER_NONE})

/* 0, 1 after help, or -EINVAL. `verb` decides what is known: create never keeps the caller, run may. */
int launch_arguments(struct launch *launch, const struct command *command, const char *verb, int argc, char **argv, struct berth_error *err);

/*
 * From config.json to a process that waits just before execve, with state, pid file and console in their places. On failure nothing is
 * left. With `detach` the process outlives the caller and waits on the state's socket.
 */
int launch_create(struct launch *launch, struct berth_error *err);

/* Gives up what launch_create made. */
void launch_undo(struct launch *launch);
void launch_close(struct launch *launch);
