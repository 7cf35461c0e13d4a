/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"

#define COMMAND_OCI_VERSION "1.3.0"

/* The options before the verb. */
struct command {
        const char *root; /* where states are kept */
        const char *log;  /* NULL: standard error */
        bool log_json;
};

/* Each verb gets what follows its name; answers the exit status, and fills err when that is the sentence to say. */
typedef int (*command_verb)(const struct command *command, int argc, char **argv, struct berth_error *err);

int command_run(const struct command *command, int argc, char **argv, struct berth_error *err);
int command_create(const struct command *command, int argc, char **argv, struct berth_error *err);
int command_start(const struct command *command, int argc, char **argv, struct berth_error *err);
int command_state(const struct command *command, int argc, char **argv, struct berth_error *err);
int command_list(const struct command *command, int argc, char **argv, struct berth_error *err);
int command_kill(const struct command *command, int argc, char **argv, struct berth_error *err);
int command_delete(const struct command *command, int argc, char **argv, struct berth_error *err);
int command_features(const struct command *command, int argc, char **argv, struct berth_error *err);
int command_spec(const struct command *command, int argc, char **argv, struct berth_error *err);

/* "usage: …" as EINVAL; for a verb's wrong arguments. */
int command_usage(struct berth_error *err, const char *usage);

/* Prints JSON and a newline on standard output. */
int command_print(const json_t *value, struct berth_error *err);

/* ---- state-file.c ---- */

/* What is remembered of a container: <root>/<id>/state.json. */
struct state {
        char id[256];
        char bundle[4096];
        char cgroup[512]; /* "": none */
        char created[40]; /* RFC 3339 */
        pid_t pid;
        uint64_t start_time;
        bool waiting; /* created and not started */
};

/* Makes <root>/<id>, which must not exist, and opens it. */
int state_make(const struct command *command, const char *id, int *ret_directory, struct berth_error *err);
int state_write(int directory, const struct state *state, struct berth_error *err);
int state_read(const struct command *command, const char *id, struct state *ret, struct berth_error *err);
int state_remove(const struct command *command, const char *id, struct berth_error *err);
/*
 * The socket on which a created container waits to be started: made in the state's directory; connected to; removed once it has
 * done its work, which is what makes a created container a running one.
 */
int state_listen(int directory, int *ret_sock, struct berth_error *err);
int state_connect(const struct command *command, const char *id, int *ret_sock, struct berth_error *err);
int state_started(const struct command *command, const char *id, struct berth_error *err);
/* Is the process still the one that was started? */
bool state_running(const struct state *state);
/* In the form of runtime-spec runtime.md#state; the caller json_decref()s it. */
json_t *state_json(const struct state *state);

/* ---- config-file.c ---- */

/* Reads <bundle>/config.json; the caller json_decref()s *ret. ret_bundle gets the absolute path (PATH_MAX). */
int config_read(const char *bundle, char *ret_bundle, json_t **ret, struct berth_error *err);
