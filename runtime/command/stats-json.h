/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <jansson.h>

#include "cgroup-stats.h"

/* The counters in runc's shape (the `data` of an event of type `stats`); the caller json_decref()s it. */
json_t *stats_json(const struct cgroup_stats *stats);
