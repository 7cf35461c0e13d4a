/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <string.h>

#include "cgroup.h"

/*
 * cgroups made by systemd, as scopes of its own (the driver `systemd`): asked for by a path "slice:prefix:name" instead of an absolute one.
 * The scope is delegated: systemd leaves what is below it alone, and what we write beside its own properties.
 */

/* Is it such a path? All others are ours to make. */
static inline bool systemd_scope_named(const char *path) {
        const char *first = path[0] == '/' ? NULL : strchr(path, ':');
        const char *second = first ? strchr(first + 1, ':') : NULL;
        return second && !strchr(second + 1, ':');
}

/* "/system.slice/berth-<id>.scope" of "system.slice:berth:<id>"; an empty slice is system.slice. -EINVAL with a sentence. */
int systemd_scope_path(const char *path, char ret[CGROUP_PATH_MAX], struct berth_error *err);

/*
 * Starts the scope, with those limits that systemd has properties for. systemd wants a process in it, so one of ours waits there (ret->holder)
 * until systemd_scope_release, which comes when another is in. -EEXIST when processes live in a scope of that name.
 */
int systemd_scope_start(const struct cgroup_layout *layout, const char *path, const struct cgroup_limits *limits, struct cgroup *ret,
                        struct berth_error *err);
void systemd_scope_release(struct cgroup *cgroup);

/* Is the group a scope of systemd's? Then its new limits are told to systemd as well, which else would undo them some day. */
bool systemd_scope_is(const struct cgroup_layout *layout, const struct cgroup *cgroup);
int systemd_scope_update(const struct cgroup *cgroup, const struct cgroup_limits *limits, struct berth_error *err);
