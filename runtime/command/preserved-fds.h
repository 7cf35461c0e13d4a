/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "error.h"

/*
 * Descriptors that go to a process: those of socket activation (LISTEN_FDS of our own environment), then *n of --preserve-fds. Checks
 * that they are there, adds the former to *n, and tells the process of them in the env of config.json's process.
 */
int preserved_fds_announce(json_t *config, int64_t *n, struct berth_error *err);

/* Are --preserve-fds descriptors from 3 on there? */
int preserved_fds_check(int64_t n, struct berth_error *err);
