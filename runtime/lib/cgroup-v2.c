/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup-internal.h"
#include "cleanup.h"

/* Those that our limits and counters use; all others stay as the host's owner set them. */
static const char wanted[] = "cpu cpuset io memory pids";

static bool has_word(const char *text, const char *word, size_t length) {
        for (const char *at = text; *at;) {
                size_t n = strcspn(at, " \n");
                if (n == length && strncmp(at, word, length) == 0)
                        return true;
                at += n + (at[n] != '\0');
        }
        return false;
}

/* All at once is one write; one by one when a single controller is refused (cpu with realtime processes, for one). */
static int enable_all(int directory, const char *available, const char *enabled) {
        char request[512] = "";
        size_t used = 0;
        for (const char *at = available; *at;) {
                size_t n = strcspn(at, " \n");
                if (n > 0 && has_word(wanted, at, n) && !has_word(enabled, at, n) && used + n + 3 < sizeof(request))
                        used += (size_t) snprintf(request + used, sizeof(request) - used, "%s+%.*s", used ? " " : "", (int) n, at);
                at += n + (at[n] != '\0');
        }
        if (used == 0)
                return 0;
        int r = cgroup_file_write(directory, "cgroup.subtree_control", request);
        if (r == 0 || !strchr(request, ' '))
                return r;
        char *rest = request, *word;
        int done = 0;
        while ((word = strsep(&rest, " "))) {
                int one = cgroup_file_write(directory, "cgroup.subtree_control", word);
                if (one == 0)
                        done++;
                else
                        r = one;
        }
        return done > 0 ? 0 : r;
}

static bool has_all_controllers(const struct cgroup_hierarchy *hierarchy, const char *path) {
        _cleanup_close_ int fd = -1;
        char text[512];
        if (cgroup_directory_open(hierarchy, path, &fd, NULL) < 0 || cgroup_file_read(fd, "cgroup.controllers", text, sizeof(text)) < 0)
                return false;
        for (const char *word = hierarchy->controllers; *word;) {
                size_t n = strcspn(word, ",");
                if (has_word(wanted, word, n) && !has_word(text, word, n))
                        return false;
                word += n + (word[n] != '\0');
        }
        return true;
}

/*
 * A controller that some parent cannot hand down is no error here: only a limit that then lacks its file is one, and that is
 * told where the limit is written.
 */
int cgroup_v2_delegate(const struct cgroup_hierarchy *hierarchy, const char *path, struct berth_error *err) {
        if (!hierarchy->controllers[0] || has_all_controllers(hierarchy, path))
                return 0;
        _cleanup_close_ int parent = open(hierarchy->mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (parent < 0)
                return berth_error_set(err, errno, "open the cgroup hierarchy %s", hierarchy->mount);
        char name[CGROUP_PATH_MAX];
        for (const char *part = path; *part == '/';) {
                char available[512], enabled[512];
                if (cgroup_file_read(parent, "cgroup.controllers", available, sizeof(available)) >= 0 &&
                    cgroup_file_read(parent, "cgroup.subtree_control", enabled, sizeof(enabled)) >= 0)
                        (void) enable_all(parent, available, enabled);
                size_t n = strcspn(++part, "/");
                memcpy(name, part, n);
                name[n] = '\0';
                part += n;
                _cleanup_close_ int child = openat(parent, name, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
                if (child < 0)
                        return berth_error_set(err, errno, "open cgroup %.*s", (int) (part - path), path);
                int old = parent;
                parent = take_fd(&child);
                (void) close(old);
        }
        return 0;
}

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
                return r == 0 || r == -ENOENT ? 0 : berth_error_set(err, -r, "write 'max' to the cgroup file memory.swap.max");
        }
        if (limits->memory_limit == CGROUP_UNSET || limits->memory_limit < 0)
                return berth_error_set(err, EINVAL, "a limit of memory and swap needs a memory limit");
        if (limits->memory_swap < limits->memory_limit)
                return berth_error_set(err, EINVAL, "the limit of memory and swap is smaller than the memory limit");
        return cgroup_file_set_number(directory, "memory.swap.max", limits->memory_swap - limits->memory_limit, err);
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

static int apply_cpu_max(int directory, const struct cgroup_limits *limits, struct berth_error *err) {
        char text[64], quota[32] = "max";
        int64_t period = limits->cpu_period;
        if (limits->cpu_quota == CGROUP_UNSET || period == CGROUP_UNSET) {
                /* One file holds both: what is not asked for stays as it is. */
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
                (void) (limits->cpu_quota > 0 ? snprintf(quota, sizeof(quota), "%lld", (long long) limits->cpu_quota)
                                              : snprintf(quota, sizeof(quota), "max"));
        (void) snprintf(text, sizeof(text), "%s %lld", quota, (long long) period);
        return cgroup_file_set(directory, "cpu.max", text, err);
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
        if (r == 0 && (limits->cpu_quota != CGROUP_UNSET || limits->cpu_period != CGROUP_UNSET))
                r = apply_cpu_max(directory, limits, err);
        if (r == 0 && limits->cpu_burst != CGROUP_UNSET)
                r = cgroup_file_set_number(directory, "cpu.max.burst", limits->cpu_burst, err);
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

/* bfq counts 1…1000 as v1 did; the io.weight of other schedulers counts 1…10000. */
static int apply_io(int directory, const struct cgroup_limits *limits, struct berth_error *err) {
        if (faccessat(directory, "io.bfq.weight", F_OK, 0) == 0)
                return cgroup_file_set_number(directory, "io.bfq.weight", limits->blkio_weight, err);
        return cgroup_file_set_number(directory, "io.weight", 1 + (limits->blkio_weight - 10) * 9999 / 990, err);
}

static int apply_unified(int directory, const struct cgroup_limits *limits, struct berth_error *err) {
        for (uint32_t i = 0; i < limits->n_unified; i++) {
                const char *file = limits->unified[2 * i], *value = limits->unified[2 * i + 1];
                if (!*file || strchr(file, '/') || strncmp(file, "cgroup.", 7) == 0)
                        return berth_error_set(err, EINVAL, "'%s' is not a cgroup file that holds a limit", file);
                int r = cgroup_file_set(directory, file, value, err);
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
                return apply_io(directory, limits, err);
        if (strcmp(controller, "devices") == 0)
                return device_program_attach(directory, limits->device_rules, limits->n_device_rules, err);
        if (strcmp(controller, "unified") == 0)
                return apply_unified(directory, limits, err);
        return berth_error_set(err, EINVAL, "the cgroup controller '%s' has no limits", controller);
}
