/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup-internal.h"
#include "cleanup.h"

int64_t cgroup_v2_weight(int64_t shares) {
        if (shares <= 2)
                return 1;
        if (shares >= 262144)
                return 10000;
        /* The curve through (2, 1), (1024, 100) and (262144, 10000) on which container runtimes agreed in 2025. */
        double l = log2((double) shares);
        return (int64_t) ceil(pow(10, (l * l + 125 * l) / 612.0 - 7.0 / 34.0));
}

static int set_or_max(int directory, const char *file, int64_t value, struct berth_error *err) {
        return value < 0 ? cgroup_file_set(directory, file, "max", err) : cgroup_file_set_number(directory, file, value, err);
}

static int apply_swap(int directory, const struct cgroup_limits *limits, struct berth_error *err) {
        if (limits->memory_swap < 0) {
                int r = cgroup_file_write(directory, "memory.swap.max", "max");
                /* A kernel that does not count swap does not limit it either. */
                return r == 0 || r == -ENOENT ? 0 : cgroup_file_failed("memory.swap.max", "max", -r, err);
        }
        int64_t limit = limits->memory_limit;
        uint64_t current;
        if (limit == CGROUP_UNSET && cgroup_file_number(directory, "memory.max", &current) == 0 && current <= INT64_MAX)
                limit = (int64_t) current;
        if (limit < 0)
                return berth_error_set(err, EINVAL, "a limit of memory and swap (%" PRId64 ") needs a memory limit", limits->memory_swap);
        if (limits->memory_swap < limit)
                return berth_error_set(err, EINVAL,
                                       "the limit of memory and swap (%" PRId64 ") would be smaller than the memory limit (%" PRId64 "); change both",
                                       limits->memory_swap, limit);
        return cgroup_file_set_number(directory, "memory.swap.max", limits->memory_swap - limit, err);
}

static int apply_memory(int directory, const struct cgroup_limits *limits, struct berth_error *err) {
        int r = 0;
        if (limits->memory_swappiness != CGROUP_UNSET)
                return berth_error_set(err, EOPNOTSUPP, "cgroup v2 has no memory swappiness of a group");
        if (limits->memory_disable_oom_killer != CGROUP_UNSET && limits->memory_disable_oom_killer != 0)
                return berth_error_set(err, EOPNOTSUPP, "cgroup v2 cannot disable the out-of-memory killer");
        if (limits->memory_swap != CGROUP_UNSET)
                r = apply_swap(directory, limits, err);
        if (r == 0 && limits->memory_limit != CGROUP_UNSET)
                r = set_or_max(directory, "memory.max", limits->memory_limit, err);
        if (r == 0 && limits->memory_reservation != CGROUP_UNSET)
                r = set_or_max(directory, "memory.low", limits->memory_reservation, err);
        return r;
}

/* One file holds quota and period: what is not asked for stays as it is. */
static int cpu_maximum(int directory, const struct cgroup_limits *limits, struct cgroup_value *ret, struct berth_error *err) {
        char text[64], quota[32] = "max";
        int64_t period = limits->cpu_period;
        *ret = (struct cgroup_value){.file = "cpu.max", .asked = limits->cpu_quota != CGROUP_UNSET || period != CGROUP_UNSET};
        if (ret->asked && (limits->cpu_quota == CGROUP_UNSET || period == CGROUP_UNSET)) {
                int r = cgroup_file_read(directory, "cpu.max", text, sizeof(text));
                if (r < 0)
                        return berth_error_set(err, -r, "read the cgroup file cpu.max");
                char *separator = strchr(text, ' ');
                if (!separator)
                        return berth_error_set(err, EPROTO, "the cgroup file cpu.max holds '%s'", text);
                *separator = '\0';
                if (period == CGROUP_UNSET)
                        period = strtoll(separator + 1, NULL, 10);
                (void) snprintf(quota, sizeof(quota), "%.24s", text);
        }
        if (limits->cpu_quota != CGROUP_UNSET)
                (void) (limits->cpu_quota > 0 ? snprintf(quota, sizeof(quota), "%" PRId64, limits->cpu_quota)
                                              : snprintf(quota, sizeof(quota), "max"));
        (void) snprintf(ret->text, sizeof(ret->text), "%s %" PRId64, quota, period);
        return 0;
}

static int apply_cpu(int directory, const struct cgroup_limits *limits, struct berth_error *err) {
        int r = 0;
        if ((limits->cpu_rt_runtime != CGROUP_UNSET && limits->cpu_rt_runtime != 0) ||
            (limits->cpu_rt_period != CGROUP_UNSET && limits->cpu_rt_period != 0))
                return berth_error_set(err, EOPNOTSUPP, "cgroup v2 has no realtime CPU limits");
        /* An idle group refuses a weight, so leaving idle comes before it and becoming idle after. */
        if (limits->cpu_idle == 0)
                r = cgroup_file_set(directory, "cpu.idle", "0", err);
        if (r == 0 && limits->cpu_shares != CGROUP_UNSET && limits->cpu_shares != 0)
                r = cgroup_file_set_number(directory, "cpu.weight", cgroup_v2_weight(limits->cpu_shares), err);
        if (r == 0 && limits->cpu_idle != CGROUP_UNSET && limits->cpu_idle != 0)
                r = cgroup_file_set_number(directory, "cpu.idle", limits->cpu_idle, err);
        struct cgroup_value values[2];
        if (r == 0)
                r = cpu_maximum(directory, limits, &values[0], err);
        cgroup_value_set(&values[1], "cpu.max.burst", limits->cpu_burst);
        return r == 0 ? cgroup_settle(directory, values, 2, err) : r;
}

static int apply_cpuset(int directory, const struct cgroup_limits *limits, struct berth_error *err) {
        int r = 0;
        if (limits->cpuset_cpus)
                r = cgroup_file_set(directory, "cpuset.cpus", limits->cpuset_cpus, err);
        if (r == 0 && limits->cpuset_mems)
                r = cgroup_file_set(directory, "cpuset.mems", limits->cpuset_mems, err);
        return r;
}

/* A file of several lines takes them one by one. */
static int set_lines(int directory, const char *file, const char *value, struct berth_error *err) {
        do {
                char line[256];
                size_t n = strcspn(value, "\n");
                if (n >= sizeof(line))
                        return berth_error_set(err, E2BIG, "a line for the cgroup file %s is longer than %zu bytes", file, sizeof(line) - 1);
                memcpy(line, value, n);
                line[n] = '\0';
                int r = cgroup_file_set(directory, file, line, err);
                if (r < 0)
                        return r;
                value += n + (value[n] == '\n');
        } while (*value);
        return 0;
}

static int apply_unified(int directory, const struct cgroup_limits *limits, struct berth_error *err) {
        for (uint32_t i = 0; i < limits->n_unified; i++) {
                const char *file = limits->unified[2 * i], *value = limits->unified[2 * i + 1];
                if (!*file || strchr(file, '/') || strncmp(file, "cgroup.", 7) == 0)
                        return berth_error_set(err, EINVAL, "'%s' is not a cgroup file that holds a limit", file);
                int r = set_lines(directory, file, value, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int cgroup_v2_apply(int directory, const char *controller, const struct cgroup_limits *limits, struct berth_error *err) {
        if (strcmp(controller, "memory") == 0)
                return apply_memory(directory, limits, err);
        if (strcmp(controller, "cpu") == 0)
                return apply_cpu(directory, limits, err);
        if (strcmp(controller, "cpuset") == 0)
                return apply_cpuset(directory, limits, err);
        if (strcmp(controller, "pids") == 0)
                return set_or_max(directory, "pids.max", limits->pids_limit <= 0 ? -1 : limits->pids_limit, err);
        if (strcmp(controller, "io") == 0)
                return cgroup_v2_apply_block_io(directory, limits, err);
        if (strcmp(controller, "hugetlb") == 0)
                return cgroup_apply_hugepages(directory, true, limits, err);
        if (strcmp(controller, "rdma") == 0)
                return cgroup_apply_rdma(directory, limits, err);
        if (strcmp(controller, "devices") == 0)
                return device_program_attach(directory, limits->device_rules, limits->n_device_rules, err);
        if (strcmp(controller, "unified") == 0)
                return apply_unified(directory, limits, err);
        return berth_error_set(err, EINVAL, "the cgroup controller '%s' has no limits", controller);
}
