/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "cgroup.h"

/*
 * Limits read from a linux.resources object (runtime-spec config-linux.md#control-groups) on its own, for cgroup_update. They point into the
 * document and live as long as it does.
 */
struct spec_limits;

int spec_limits_open(const char *resources, size_t size, struct spec_limits **ret, struct berth_error *err);
const struct cgroup_limits *spec_limits_get(const struct spec_limits *limits);
void spec_limits_close(struct spec_limits *limits); /* NULL is nothing */
