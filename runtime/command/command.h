/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "error.h"
#include "options.h"

#define COMMAND_OCI_VERSION "1.3.0"
#ifndef BERTH_VERSION
#define BERTH_VERSION "0.1.0"
#endif

/* The options before the verb. */
struct command {
        const char *root; /* where states are kept */
        const char *log;  /* NULL: standard error */
        bool log_json, debug, systemd_cgroup;
};

/* Each verb gets itself and what follows; answers the exit status, and fills err when that is the sentence to say. */
typedef int (*command_verb)(const struct command *command, int argc, char **argv, struct berth_error *err);

int command_create(const struct command *command, int argc, char **argv, struct berth_error *err);
int command_delete(const struct command *command, int argc, char **argv, struct berth_error *err);
int command_events(const struct command *command, int argc, char **argv, struct berth_error *err);
int command_exec(const struct command *command, int argc, char **argv, struct berth_error *err);
int command_features(const struct command *command, int argc, char **argv, struct berth_error *err);
int command_kill(const struct command *command, int argc, char **argv, struct berth_error *err);
int command_list(const struct command *command, int argc, char **argv, struct berth_error *err);
int command_pause(const struct command *command, int argc, char **argv, struct berth_error *err);
int command_ps(const struct command *command, int argc, char **argv, struct berth_error *err);
int command_resume(const struct command *command, int argc, char **argv, struct berth_error *err);
int command_run(const struct command *command, int argc, char **argv, struct berth_error *err);
int command_spec(const struct command *command, int argc, char **argv, struct berth_error *err);
int command_start(const struct command *command, int argc, char **argv, struct berth_error *err);
int command_state(const struct command *command, int argc, char **argv, struct berth_error *err);
int command_update(const struct command *command, int argc, char **argv, struct berth_error *err);

/* What a verb with a single argument and no options of its own begins with: 0 and the id, 1 after help, or -EINVAL. */
int command_id_only(const char *verb, int argc, char **argv, const char **ret_id, struct berth_error *err);

/* The exit status of what options_parse answered, when it is not 0. */
static inline int command_parsed(int r) {
        return r < 0 ? 1 : 0;
}

/* Prints JSON and a newline on standard output. `flags` as for json_dumps. */
int command_print(const json_t *value, size_t flags, struct berth_error *err);
