/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cgroup.h"

#define CGROUP_STATS_CPUS 1024
#define CGROUP_STATS_HUGEPAGES 8
#define CGROUP_STATS_BLOCK_DEVICES 64

struct cgroup_block_stats {
        uint32_t major, minor;
        uint64_t read_bytes, write_bytes, discard_bytes, read_operations, write_operations, discard_operations;
};

struct cgroup_hugepage_stats {
        char size[16];
        uint64_t usage, max_usage, failures;
};

/* Counters of a group; UINT64_MAX: the host does not have it. Times in ns, sizes in bytes. */
struct cgroup_stats {
        struct {
                uint64_t total, user, system;
                uint64_t periods, throttled_periods, throttled_time;
                uint64_t per_cpu[CGROUP_STATS_CPUS]; /* v1 only */
                uint32_t n_per_cpu;
        } cpu;
        struct {
                uint64_t usage, max_usage, limit, failures, cache;
                uint64_t swap_usage, swap_limit, swap_failures; /* memory + swap, as v1 counts it */
                uint64_t kernel_usage, kernel_limit;
                uint64_t oom_kills;
                uint64_t ooms; /* v2 only */
                char stat[8192]; /* memory.stat as the kernel writes it: "name value\n" */
        } memory;
        struct {
                uint64_t current, limit;
        } pids;
        struct cgroup_block_stats block[CGROUP_STATS_BLOCK_DEVICES];
        uint32_t n_block;
        struct cgroup_hugepage_stats hugepages[CGROUP_STATS_HUGEPAGES];
        uint32_t n_hugepages;
};

/* Reads what is there; what a controller does not tell stays UINT64_MAX. -ENOENT when the group is gone. */
int cgroup_stats_read(const struct cgroup_layout *layout, const struct cgroup *cgroup, struct cgroup_stats *ret, struct berth_error *err);

/*
 * Every process of the group and below it, in ascending order; *ret_n is how many there are, also when `capacity` is less.
 */
int cgroup_processes(const struct cgroup_layout *layout, const struct cgroup *cgroup, pid_t *pids, size_t capacity, size_t *ret_n,
                     struct berth_error *err);
