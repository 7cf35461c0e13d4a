/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cgroup-internal.h"
#include "cleanup.h"
#include "systemd-scope.h"

/* The limits of one controller, and who serves it. */
struct part {
        const char *controller;
        bool asked;
        const struct cgroup_hierarchy *hierarchy;
};

#define PARTS 11

static bool asks_memory(const struct cgroup_limits *l) {
        return l->memory_limit != CGROUP_UNSET || l->memory_reservation != CGROUP_UNSET || l->memory_swap != CGROUP_UNSET ||
               l->memory_swappiness != CGROUP_UNSET || l->memory_disable_oom_killer != CGROUP_UNSET;
}

static bool asks_cpu(const struct cgroup_limits *l) {
        return l->cpu_shares != CGROUP_UNSET || l->cpu_quota != CGROUP_UNSET || l->cpu_period != CGROUP_UNSET || l->cpu_burst != CGROUP_UNSET ||
               l->cpu_rt_runtime != CGROUP_UNSET || l->cpu_rt_period != CGROUP_UNSET || l->cpu_idle != CGROUP_UNSET;
}

static bool asks_blkio(const struct cgroup_limits *l) {
        return l->blkio_weight != CGROUP_UNSET || l->blkio_leaf_weight != CGROUP_UNSET || l->n_blkio_devices > 0;
}

static int find_hierarchy(const struct cgroup_layout *layout, struct part *part, struct berth_error *err) {
        const struct cgroup_hierarchy *unified = layout->unified_index >= 0 ? &layout->hierarchy[layout->unified_index] : NULL;
        if (strcmp(part->controller, "unified") == 0) {
                part->hierarchy = unified;
                return unified ? 0 : berth_error_set(err, ENOENT, "limits by file name need the unified cgroup hierarchy, which this host has not");
        }
        part->hierarchy = cgroup_hierarchy_of(layout, part->controller);
        if (!part->hierarchy && strcmp(part->controller, "devices") == 0)
                part->hierarchy = unified; /* no controller of v2, but a program that any unified hierarchy takes */
        if (!part->hierarchy && strcmp(part->controller, "blkio") == 0) {
                part->controller = "io";
                part->hierarchy = cgroup_hierarchy_of(layout, part->controller);
        }
        if (part->hierarchy)
                return 0;
        if (strncmp(part->controller, "net_", 4) == 0)
                return berth_error_set(err, ENOENT,
                                       "a limit needs the cgroup controller '%s', which exists in v1 only and is not mounted on this host",
                                       part->controller);
        return berth_error_set(err, ENOENT, "a limit needs the cgroup controller '%s', which this host does not offer", part->controller);
}

/* Who serves each limit that is asked for, before the first of them is written. */
static int find_parts(const struct cgroup_layout *layout, const struct cgroup_limits *l, struct part parts[PARTS], struct berth_error *err) {
        const struct part asked[PARTS] = {
                {.controller = "cpuset", .asked = l->cpuset_cpus || l->cpuset_mems},
                {.controller = "memory", .asked = asks_memory(l)},
                {.controller = "cpu", .asked = asks_cpu(l)},
                {.controller = "pids", .asked = l->pids_limit != CGROUP_UNSET},
                {.controller = "blkio", .asked = asks_blkio(l)},
                {.controller = "hugetlb", .asked = l->n_hugepages > 0},
                {.controller = "rdma", .asked = l->n_rdma > 0},
                {.controller = "net_cls", .asked = l->network_class != CGROUP_UNSET},
                {.controller = "net_prio", .asked = l->n_network_priorities > 0},
                {.controller = "devices", .asked = l->n_device_rules > 0},
                {.controller = "unified", .asked = l->n_unified > 0},
        };
        for (size_t i = 0; i < PARTS; i++) {
                parts[i] = asked[i];
                int r = asked[i].asked ? find_hierarchy(layout, &parts[i], err) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

static int apply_part(const struct part *part, const struct cgroup *cgroup, const struct cgroup_limits *limits, bool in_use,
                      struct berth_error *err) {
        bool unified = part->hierarchy->unified;
        _cleanup_close_ int directory = -1;
        int r = cgroup_directory_open(part->hierarchy, cgroup->path, &directory, err);
        if (r < 0)
                return r;
        if (unified)
                r = cgroup_v2_apply(directory, part->controller, limits, err);
        else if (in_use && strcmp(part->controller, "devices") == 0)
                r = cgroup_v1_replace_devices(directory, limits, err);
        else
                r = cgroup_v1_apply(directory, part->controller, limits, err);
        return r < 0 ? berth_error_prefix(err, "cgroup %s (%s, v%d)", cgroup->path, part->controller, unified ? 2 : 1) : 0;
}

/* *ret_applied: the first part that was not. */
static int apply_parts(const struct part parts[PARTS], const struct cgroup *cgroup, const struct cgroup_limits *limits, bool in_use,
                       size_t *ret_applied, struct berth_error *err) {
        int r = 0;
        for (*ret_applied = 0; *ret_applied < PARTS; ++*ret_applied) {
                const struct part *part = &parts[*ret_applied];
                r = part->asked ? apply_part(part, cgroup, limits, in_use, err) : 0;
                if (r < 0)
                        break;
        }
        return r;
}

int cgroup_apply(const struct cgroup_layout *layout, const struct cgroup *cgroup, const struct cgroup_limits *limits, struct berth_error *err) {
        struct part parts[PARTS];
        size_t applied;
        int r = find_parts(layout, limits, parts, err);
        return r < 0 ? r : apply_parts(parts, cgroup, limits, false, &applied, err);
}

static int check_memory(const struct cgroup_layout *layout, const struct cgroup *cgroup, const struct cgroup_limits *limits,
                        struct berth_error *err) {
        const struct cgroup_hierarchy *hierarchy = cgroup_hierarchy_of(layout, "memory");
        _cleanup_close_ int directory = -1;
        if (!limits->memory_check_before_update || limits->memory_limit <= 0 || !hierarchy)
                return 0;
        int r = cgroup_directory_open(hierarchy, cgroup->path, &directory, err);
        if (r < 0)
                return r;
        const char *file = hierarchy->unified ? "memory.current" : "memory.usage_in_bytes";
        uint64_t usage = 0;
        r = cgroup_file_number(directory, file, &usage);
        if (r < 0)
                return berth_error_set(err, -r, "read the cgroup file %s", file);
        if (usage > (uint64_t) limits->memory_limit)
                return berth_error_set(err, EBUSY, "cgroup %s uses %llu bytes of memory, more than the limit of %lld that was asked for",
                                       cgroup->path, (unsigned long long) usage, (long long) limits->memory_limit);
        return 0;
}

int cgroup_update(const struct cgroup_layout *layout, const struct cgroup *cgroup, const struct cgroup_limits *limits, struct berth_error *err) {
        struct part parts[PARTS];
        size_t applied = 0;
        int r = cgroup_path_check(cgroup->path, err);
        if (r == 0)
                r = find_parts(layout, limits, parts, err);
        if (r == 0)
                r = check_memory(layout, cgroup, limits, err);
        if (r == 0 && systemd_scope_is(layout, cgroup))
                r = systemd_scope_update(cgroup, limits, err);
        if (r < 0)
                return r;
        r = apply_parts(parts, cgroup, limits, true, &applied, err);
        if (r == 0)
                return 0;
        char done[128] = "";
        for (size_t i = 0, used = 0; i < applied; i++)
                if (parts[i].asked)
                        used += (size_t) snprintf(done + used, sizeof(done) - used, "%s%s", used ? ", " : "", parts[i].controller);
        return done[0] ? berth_error_prefix(err, "new limits of %s are in force, those after them are not", done) : r;
}
