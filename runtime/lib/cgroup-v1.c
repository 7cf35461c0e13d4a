/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

/* Two values that the kernel checks against each other: the first may be refused until the second is in place. */
static int set_pair(int directory, const char *first, int64_t first_value, const char *second, int64_t second_value, struct berth_error *err) {
        bool again = false;
        if (first_value != CGROUP_UNSET) {
                int r = cgroup_file_set_number(directory, first, first_value, err);
                again = r == -EINVAL && second_value != CGROUP_UNSET;
                if (r < 0 && !again)
                        return r;
        }
        if (second_value != CGROUP_UNSET) {
                int r = cgroup_file_set_number(directory, second, second_value, err);
                if (r < 0)
                        return r;
        }
        return again ? cgroup_file_set_number(directory, first, first_value, err) : 0;
}

static int apply_memory_size(int directory, const struct cgroup_limits *limits, struct berth_error *err) {
        int64_t swap = limits->memory_swap;
        /* The kernel demands limit <= memsw at every moment, so an unlimited limit needs an unlimited memsw. */
        if (limits->memory_limit == -1 && swap == CGROUP_UNSET && faccessat(directory, "memory.memsw.limit_in_bytes", F_OK, 0) == 0)
                swap = -1;
        return set_pair(directory, "memory.limit_in_bytes", limits->memory_limit, "memory.memsw.limit_in_bytes", swap, err);
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
        if (r == 0)
                r = set_pair(directory, "cpu.cfs_period_us", limits->cpu_period, "cpu.cfs_quota_us", limits->cpu_quota, err);
        if (r == 0 && limits->cpu_burst != CGROUP_UNSET)
                r = cgroup_file_set_number(directory, "cpu.cfs_burst_us", limits->cpu_burst, err);
        if (r == 0)
                r = set_pair(directory, "cpu.rt_period_us", limits->cpu_rt_period, "cpu.rt_runtime_us", limits->cpu_rt_runtime, err);
        return r;
}

static int apply_cpuset(int directory, const struct cgroup_limits *limits, struct berth_error *err) {
        int r = 0;
        if (limits->cpuset_cpus)
                r = cgroup_file_set(directory, "cpuset.cpus", limits->cpuset_cpus, err);
        if (r == 0 && limits->cpuset_mems)
                r = cgroup_file_set(directory, "cpuset.mems", limits->cpuset_mems, err);
        return r;
}

static int apply_pids(int directory, const struct cgroup_limits *limits, struct berth_error *err) {
        if (limits->pids_limit <= 0)
                return cgroup_file_set(directory, "pids.max", "max", err);
        return cgroup_file_set_number(directory, "pids.max", limits->pids_limit, err);
}

static int apply_blkio(int directory, const struct cgroup_limits *limits, struct berth_error *err) {
        const char *file = faccessat(directory, "blkio.bfq.weight", F_OK, 0) == 0 ? "blkio.bfq.weight" : "blkio.weight";
        return cgroup_file_set_number(directory, file, limits->blkio_weight, err);
}

static void format_number(char text[16], int64_t value) {
        if (value < 0)
                (void) strcpy(text, "*");
        else
                (void) snprintf(text, 16, "%u", (unsigned) value);
}

static int write_rule(int fd, char type, const struct cgroup_device_rule *rule, struct berth_error *err) {
        char major[16], minor[16], text[64];
        format_number(major, rule->major);
        format_number(minor, rule->minor);
        int length = snprintf(text, sizeof(text), "%c %s:%s %.4s", type, major, minor, rule->access);
        if (write(fd, text, (size_t) length) < 0)
                return berth_error_set(err, errno, "write '%s' to the cgroup file devices.%s", text, rule->allow ? "allow" : "deny");
        return 0;
}

static int apply_devices(int directory, const struct cgroup_limits *limits, struct berth_error *err) {
        _cleanup_close_ int allow = openat(directory, "devices.allow", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
        if (allow < 0)
                return berth_error_set(err, errno, "open the cgroup file devices.allow");
        _cleanup_close_ int deny = openat(directory, "devices.deny", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
        if (deny < 0)
                return berth_error_set(err, errno, "open the cgroup file devices.deny");
        for (uint32_t i = 0; i < limits->n_device_rules; i++) {
                const struct cgroup_device_rule *rule = &limits->device_rules[i];
                int fd = rule->allow ? allow : deny, r;
                bool everything = rule->type == 'a' && rule->major < 0 && rule->minor < 0 && strnlen(rule->access, 4) == 3;
                if (everything)
                        r = write(fd, "a", 1) < 0
                                    ? berth_error_set(err, errno, "write 'a' to the cgroup file devices.%s", rule->allow ? "allow" : "deny")
                                    : 0;
                else if (rule->type != 'a')
                        r = write_rule(fd, rule->type, rule, err);
                else {
                        /* The kernel takes 'a' for everything, whatever follows: a narrower rule is two rules. */
                        r = write_rule(fd, 'b', rule, err);
                        if (r == 0)
                                r = write_rule(fd, 'c', rule, err);
                }
                if (r < 0)
                        return r;
        }
        return 0;
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
                return apply_blkio(directory, limits, err);
        if (strcmp(controller, "devices") == 0)
                return apply_devices(directory, limits, err);
        return berth_error_set(err, EINVAL, "the cgroup controller '%s' has no limits", controller);
}
