/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "error.h"

struct shim;

/* Blocks SIGCHLD and reads it from a descriptor instead; ignores the signals that end other programs. */
int reaper_open(struct shim *shim, struct berth_error *err);
