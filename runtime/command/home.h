/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "error.h"

/*
 * Callers leave HOME to the runtime: without one in the process's env it is what etc/passwd below `root` (a directory) says of the process's user,
 * else "/". The file is the image's: it is found below the root, and data of a limited size.
 */
int home_add(json_t *process, int root, struct berth_error *err);

bool home_is_missing(const json_t *process);
