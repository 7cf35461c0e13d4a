/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "cgroup-internal.h"
#include "cleanup.h"

static bool is_blank(const char *text) {
        while (isspace((unsigned char) *text))
                text++;
        return *text == '\0';
}

static int inherit_file(int parent, int child, const char *file) {
        char text[4096];
        int r = cgroup_file_read(child, file, text, sizeof(text));
        if (r < 0 || !is_blank(text))
                return r < 0 ? r : 0;
        r = cgroup_file_read(parent, file, text, sizeof(text));
        if (r < 0)
                return r;
        text[strcspn(text, "\n")] = '\0';
        return cgroup_file_write(child, file, text);
}

int cgroup_v1_inherit_cpuset(const struct cgroup_hierarchy *hierarchy, const char *path, struct berth_error *err) {
        _cleanup_close_ int parent = open(hierarchy->mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (parent < 0)
                return berth_error_set(err, errno, "open the cgroup hierarchy %s", hierarchy->mount);
        char name[CGROUP_PATH_MAX];
        for (const char *part = path; *part == '/';) {
                size_t n = strcspn(++part, "/");
                memcpy(name, part, n);
                name[n] = '\0';
                part += n;
                _cleanup_close_ int child = openat(parent, name, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
                if (child < 0)
                        return berth_error_set(err, errno, "open cpuset cgroup %.*s", (int) (part - path), path);
                int r = inherit_file(parent, child, "cpuset.cpus");
                if (r == 0)
                        r = inherit_file(parent, child, "cpuset.mems");
                if (r < 0)
                        return berth_error_set(err, -r, "copy cpuset.cpus and cpuset.mems down to %.*s", (int) (part - path), path);
                int old = parent;
                parent = take_fd(&child);
                (void) close(old);
        }
        return 0;
}

/* Why the kernel said EINVAL to sizes of memory and swap, if that can be told. */
static int explain_sizes(int directory, const struct cgroup_limits *limits, struct berth_error *err) {
        int64_t limit = limits->memory_limit, both = limits->memory_swap;
        uint64_t current = UINT64_MAX;
        if (limit == CGROUP_UNSET && cgroup_file_number(directory, "memory.limit_in_bytes", &current) == 0)
                limit = (int64_t) current;
        if (both == CGROUP_UNSET && cgroup_file_number(directory, "memory.memsw.limit_in_bytes", &current) == 0)
                both = (int64_t) current;
        if (both < 0 || (limit >= 0 && limit <= both))
                return -EINVAL;
        return berth_error_set(err, EINVAL,
                               "the limit of memory and swap (%" PRId64 ") would be smaller than the memory limit (%" PRId64 "); change both", both,
                               limit);
}

static int apply_memory_size(int directory, const struct cgroup_limits *limits, struct berth_error *err) {
        struct cgroup_value values[2];
        int64_t swap = limits->memory_swap;
        /* The kernel demands limit <= memsw at every moment, so an unlimited limit needs an unlimited memsw. */
        if (limits->memory_limit == -1 && swap == CGROUP_UNSET)
                swap = -1;
        /* A kernel that does not count swap does not limit it either. */
        if (swap == -1 && faccessat(directory, "memory.memsw.limit_in_bytes", F_OK, 0) < 0)
                swap = CGROUP_UNSET;
        cgroup_value_set(&values[0], "memory.limit_in_bytes", limits->memory_limit);
        cgroup_value_set(&values[1], "memory.memsw.limit_in_bytes", swap);
        int r = cgroup_settle(directory, values, 2, err);
        return r == -EINVAL ? explain_sizes(directory, limits, err) : r;
}

static int apply_memory(int directory, const struct cgroup_limits *limits, struct berth_error *err) {
        int r = apply_memory_size(directory, limits, err);
        if (r == 0 && limits->memory_reservation != CGROUP_UNSET)
                r = cgroup_file_set_number(directory, "memory.soft_limit_in_bytes", limits->memory_reservation, err);
        if (r == 0 && limits->memory_swappiness != CGROUP_UNSET)
                r = cgroup_file_set_number(directory, "memory.swappiness", limits->memory_swappiness, err);
        if (r == 0 && limits->memory_disable_oom_killer != CGROUP_UNSET)
                r = cgroup_file_set(directory, "memory.oom_control", limits->memory_disable_oom_killer ? "1" : "0", err);
        return r;
}

static int apply_cpu(int directory, const struct cgroup_limits *limits, struct berth_error *err) {
        int r = 0;
        /* An idle group refuses shares, so leaving idle comes before them and becoming idle after. */
        if (limits->cpu_idle == 0)
                r = cgroup_file_set(directory, "cpu.idle", "0", err);
        if (r == 0 && limits->cpu_shares != CGROUP_UNSET)
                r = cgroup_file_set_number(directory, "cpu.shares", limits->cpu_shares, err);
        if (r == 0 && limits->cpu_idle != CGROUP_UNSET && limits->cpu_idle != 0)
                r = cgroup_file_set_number(directory, "cpu.idle", limits->cpu_idle, err);
        struct cgroup_value fair[3], realtime[2];
        cgroup_value_set(&fair[0], "cpu.cfs_period_us", limits->cpu_period);
        cgroup_value_set(&fair[1], "cpu.cfs_quota_us", limits->cpu_quota);
        cgroup_value_set(&fair[2], "cpu.cfs_burst_us", limits->cpu_burst);
        cgroup_value_set(&realtime[0], "cpu.rt_period_us", limits->cpu_rt_period);
        cgroup_value_set(&realtime[1], "cpu.rt_runtime_us", limits->cpu_rt_runtime);
        if (r == 0)
                r = cgroup_settle(directory, fair, 3, err);
        return r == 0 ? cgroup_settle(directory, realtime, 2, err) : r;
}

static int apply_cpuset(int directory, const struct cgroup_limits *limits, struct berth_error *err) {
        int r = 0;
        if (limits->cpuset_cpus)
                r = cgroup_v1_set_cpuset(directory, "cpuset.cpus", limits->cpuset_cpus, err);
        if (r == 0 && limits->cpuset_mems)
                r = cgroup_v1_set_cpuset(directory, "cpuset.mems", limits->cpuset_mems, err);
        return r;
}

static int apply_pids(int directory, const struct cgroup_limits *limits, struct berth_error *err) {
        if (limits->pids_limit <= 0)
                return cgroup_file_set(directory, "pids.max", "max", err);
        return cgroup_file_set_number(directory, "pids.max", limits->pids_limit, err);
}

int cgroup_v1_apply(int directory, const char *controller, const struct cgroup_limits *limits, struct berth_error *err) {
        if (strcmp(controller, "memory") == 0)
                return apply_memory(directory, limits, err);
        if (strcmp(controller, "cpu") == 0)
                return apply_cpu(directory, limits, err);
        if (strcmp(controller, "cpuset") == 0)
                return apply_cpuset(directory, limits, err);
        if (strcmp(controller, "pids") == 0)
                return apply_pids(directory, limits, err);
        if (strcmp(controller, "blkio") == 0)
                return cgroup_v1_apply_block_io(directory, limits, err);
        if (strcmp(controller, "devices") == 0)
                return cgroup_v1_apply_devices(directory, limits, err);
        if (strcmp(controller, "hugetlb") == 0)
                return cgroup_apply_hugepages(directory, false, limits, err);
        if (strcmp(controller, "rdma") == 0)
                return cgroup_apply_rdma(directory, limits, err);
        if (strcmp(controller, "net_cls") == 0)
                return cgroup_file_set_number(directory, "net_cls.classid", limits->network_class, err);
        if (strcmp(controller, "net_prio") == 0)
                return cgroup_v1_apply_priorities(directory, limits, err);
        return berth_error_set(err, EINVAL, "the cgroup controller '%s' has no limits", controller);
}
