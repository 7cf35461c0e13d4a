/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <jansson.h>

#include "options.h"

/* The limits that `update` takes as options, as words; NULL: not given. */
enum update_flag {
        UPDATE_BLKIO_WEIGHT,
        UPDATE_CPU_PERIOD,
        UPDATE_CPU_QUOTA,
        UPDATE_CPU_BURST,
        UPDATE_CPU_SHARE,
        UPDATE_CPU_RT_PERIOD,
        UPDATE_CPU_RT_RUNTIME,
        UPDATE_CPU_IDLE,
        UPDATE_CPUSET_CPUS,
        UPDATE_CPUSET_MEMS,
        UPDATE_MEMORY,
        UPDATE_MEMORY_RESERVATION,
        UPDATE_MEMORY_SWAP,
        UPDATE_PIDS_LIMIT,
        UPDATE_FLAGS,
};

/* Their entries in a table of options. */
void update_flags_describe(struct option *ret, const char **words);

/* A linux.resources object of what was given; the caller json_decref()s it. */
int update_flags_resources(const char *const *words, json_t **ret, struct berth_error *err);
