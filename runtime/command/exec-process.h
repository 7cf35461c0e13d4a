/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <jansson.h>

#include "options.h"

/* What the command line says of a further process. */
struct exec_request {
        const char *process; /* a file with the whole process object; the others are then left alone */
        const char *cwd, *user, *apparmor, *label;
        struct option_list env, capabilities, groups;
        bool terminal, no_new_privileges;
        char **arguments; /* NULL-terminated */
};

/*
 * The process object (runtime-spec config.md#process) of a further process of the container whose config.json this is: by default as its first one,
 * with the given program. It carries linux.seccomp, for the flags of the filter. The caller json_decref()s *ret.
 */
int exec_process_make(const struct exec_request *request, const json_t *config, json_t **ret, struct berth_error *err);
