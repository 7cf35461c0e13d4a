/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup-stats.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup-internal.h"
#include "cleanup.h"

#define NS_PER_US 1000

/* One read(2) is all of it: the kernel writes such a file as one record. 0 and an empty text when there is none. */
static size_t read_text(int directory, const char *file, char *text, size_t capacity) {
        _cleanup_close_ int fd = openat(directory, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        ssize_t n = fd < 0 ? -1 : read(fd, text, capacity - 1);
        text[n > 0 ? n : 0] = '\0';
        return n > 0 ? (size_t) n : 0;
}

/* Untouched when the file is not there; "max" is UINT64_MAX. */
static void read_number(int directory, const char *file, uint64_t *ret) {
        char text[32];
        if (read_text(directory, file, text, sizeof(text)) > 0 && isdigit((unsigned char) text[0]))
                *ret = strtoull(text, NULL, 10);
}

/* The value of "key value" in such lines; untouched when there is none. */
static void find_key(const char *text, const char *key, uint64_t unit, uint64_t *ret) {
        size_t length = strlen(key);
        for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
                if (strncmp(line, key, length) == 0 && line[length] == ' ') {
                        *ret = strtoull(line + length + 1, NULL, 10) * unit;
                        return;
                }
}

static void read_cpu_v1(int directory, struct cgroup_stats *stats) {
        char text[512];
        if (read_text(directory, "cpu.stat", text, sizeof(text)) == 0)
                return;
        find_key(text, "nr_periods", 1, &stats->cpu.periods);
        find_key(text, "nr_throttled", 1, &stats->cpu.throttled_periods);
        find_key(text, "throttled_time", 1, &stats->cpu.throttled_time);
}

static void read_cpuacct(int directory, struct cgroup_stats *stats) {
        char text[CGROUP_STATS_CPUS * 12], *end;
        read_number(directory, "cpuacct.usage", &stats->cpu.total);
        read_number(directory, "cpuacct.usage_user", &stats->cpu.user);
        read_number(directory, "cpuacct.usage_sys", &stats->cpu.system);
        (void) read_text(directory, "cpuacct.usage_percpu", text, sizeof(text));
        for (char *at = text; stats->cpu.n_per_cpu < CGROUP_STATS_CPUS; at = end) {
                uint64_t value = strtoull(at, &end, 10);
                if (end == at)
                        break;
                stats->cpu.per_cpu[stats->cpu.n_per_cpu++] = value;
        }
}

static void read_cpu_v2(int directory, struct cgroup_stats *stats) {
        char text[1024];
        if (read_text(directory, "cpu.stat", text, sizeof(text)) == 0)
                return;
        find_key(text, "usage_usec", NS_PER_US, &stats->cpu.total);
        find_key(text, "user_usec", NS_PER_US, &stats->cpu.user);
        find_key(text, "system_usec", NS_PER_US, &stats->cpu.system);
        find_key(text, "nr_periods", 1, &stats->cpu.periods);
        find_key(text, "nr_throttled", 1, &stats->cpu.throttled_periods);
        find_key(text, "throttled_usec", NS_PER_US, &stats->cpu.throttled_time);
}

static void read_memory_v1(int directory, struct cgroup_stats *stats) {
        char text[512];
        read_number(directory, "memory.usage_in_bytes", &stats->memory.usage);
        read_number(directory, "memory.max_usage_in_bytes", &stats->memory.max_usage);
        read_number(directory, "memory.limit_in_bytes", &stats->memory.limit);
        read_number(directory, "memory.failcnt", &stats->memory.failures);
        read_number(directory, "memory.memsw.usage_in_bytes", &stats->memory.swap_usage);
        read_number(directory, "memory.memsw.limit_in_bytes", &stats->memory.swap_limit);
        read_number(directory, "memory.memsw.failcnt", &stats->memory.swap_failures);
        read_number(directory, "memory.kmem.usage_in_bytes", &stats->memory.kernel_usage);
        if (read_text(directory, "memory.oom_control", text, sizeof(text)) > 0)
                find_key(text, "oom_kill", 1, &stats->memory.oom_kills);
        if (read_text(directory, "memory.stat", stats->memory.stat, sizeof(stats->memory.stat)) > 0)
                find_key(stats->memory.stat, "cache", 1, &stats->memory.cache);
}

static uint64_t add(uint64_t a, uint64_t b) {
        return a == UINT64_MAX || b == UINT64_MAX ? UINT64_MAX : a + b;
}

static void read_memory_v2(int directory, struct cgroup_stats *stats) {
        uint64_t swap = UINT64_MAX, swap_limit = UINT64_MAX;
        char text[512];
        read_number(directory, "memory.current", &stats->memory.usage);
        read_number(directory, "memory.peak", &stats->memory.max_usage);
        read_number(directory, "memory.max", &stats->memory.limit);
        read_number(directory, "memory.swap.current", &swap);
        read_number(directory, "memory.swap.max", &swap_limit);
        stats->memory.swap_usage = add(stats->memory.usage, swap);
        stats->memory.swap_limit = add(stats->memory.limit, swap_limit);
        if (read_text(directory, "memory.events", text, sizeof(text)) > 0) {
                find_key(text, "max", 1, &stats->memory.failures);
                find_key(text, "oom", 1, &stats->memory.ooms);
                find_key(text, "oom_kill", 1, &stats->memory.oom_kills);
        }
        if (swap != UINT64_MAX && read_text(directory, "memory.swap.events", text, sizeof(text)) > 0)
                find_key(text, "max", 1, &stats->memory.swap_failures);
        if (read_text(directory, "memory.stat", stats->memory.stat, sizeof(stats->memory.stat)) > 0) {
                find_key(stats->memory.stat, "file", 1, &stats->memory.cache);
                find_key(stats->memory.stat, "kernel", 1, &stats->memory.kernel_usage);
        }
}

static void read_pids(int directory, struct cgroup_stats *stats) {
        read_number(directory, "pids.current", &stats->pids.current);
        read_number(directory, "pids.max", &stats->pids.limit);
}

/* That device's record, a new one if need be; NULL when there are more than we tell. */
static struct cgroup_block_stats *block_of(struct cgroup_stats *stats, unsigned major, unsigned minor) {
        for (uint32_t i = 0; i < stats->n_block; i++)
                if (stats->block[i].major == major && stats->block[i].minor == minor)
                        return &stats->block[i];
        if (stats->n_block == CGROUP_STATS_BLOCK_DEVICES)
                return NULL;
        struct cgroup_block_stats *block = &stats->block[stats->n_block++];
        *block = (struct cgroup_block_stats){.major = major, .minor = minor};
        return block;
}

/* "8:0 Read 4096" and the like, for each device and kind. */
static void read_blkio_file(int directory, const char *file, bool bytes, struct cgroup_stats *stats) {
        char text[16384], *rest = text, *line;
        (void) read_text(directory, file, text, sizeof(text));
        while ((line = strsep(&rest, "\n"))) {
                unsigned major, minor;
                char kind[16];
                uint64_t value;
                if (sscanf(line, "%u:%u %15s %" SCNu64, &major, &minor, kind, &value) != 4)
                        continue;
                struct cgroup_block_stats *block = block_of(stats, major, minor);
                if (!block)
                        return;
                if (strcmp(kind, "Read") == 0)
                        *(bytes ? &block->read_bytes : &block->read_operations) = value;
                else if (strcmp(kind, "Write") == 0)
                        *(bytes ? &block->write_bytes : &block->write_operations) = value;
                else if (strcmp(kind, "Discard") == 0)
                        *(bytes ? &block->discard_bytes : &block->discard_operations) = value;
        }
}

static void read_blkio(int directory, struct cgroup_stats *stats) {
        read_blkio_file(directory, "blkio.throttle.io_service_bytes_recursive", true, stats);
        read_blkio_file(directory, "blkio.throttle.io_serviced_recursive", false, stats);
}

/* "8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0" */
static void read_io(int directory, struct cgroup_stats *stats) {
        char text[16384], *rest = text, *line;
        (void) read_text(directory, "io.stat", text, sizeof(text));
        while ((line = strsep(&rest, "\n"))) {
                unsigned major, minor;
                char *word = strsep(&line, " ");
                struct cgroup_block_stats *block = sscanf(word, "%u:%u", &major, &minor) == 2 ? block_of(stats, major, minor) : NULL;
                while (block && (word = strsep(&line, " "))) {
                        const struct {
                                const char *key;
                                uint64_t *value;
                        } keys[] = {
                                {"rbytes=", &block->read_bytes},    {"wbytes=", &block->write_bytes},    {"dbytes=", &block->discard_bytes},
                                {"rios=", &block->read_operations}, {"wios=", &block->write_operations}, {"dios=", &block->discard_operations},
                        };
                        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
                                if (strncmp(word, keys[i].key, strlen(keys[i].key)) == 0)
                                        *keys[i].value = strtoull(word + strlen(keys[i].key), NULL, 10);
                }
        }
}

static void read_hugetlb(int directory, bool unified, struct cgroup_stats *stats) {
        struct cgroup_hugepage_size sizes[CGROUP_STATS_HUGEPAGES];
        uint32_t n = cgroup_hugepage_sizes(sizes, CGROUP_STATS_HUGEPAGES);
        for (uint32_t i = 0; i < n; i++) {
                struct cgroup_hugepage_stats *pages = &stats->hugepages[stats->n_hugepages++];
                char file[64], text[64];
                pages->usage = pages->max_usage = pages->failures = UINT64_MAX;
                (void) snprintf(pages->size, sizeof(pages->size), "%.15s", sizes[i].name);
                (void) snprintf(file, sizeof(file), "hugetlb.%.15s.%s", sizes[i].name, unified ? "current" : "usage_in_bytes");
                read_number(directory, file, &pages->usage);
                (void) snprintf(file, sizeof(file), "hugetlb.%.15s.%s", sizes[i].name, unified ? "events" : "failcnt");
                if (unified && read_text(directory, file, text, sizeof(text)) > 0)
                        find_key(text, "max", 1, &pages->failures);
                if (unified)
                        continue;
                read_number(directory, file, &pages->failures);
                (void) snprintf(file, sizeof(file), "hugetlb.%.15s.max_usage_in_bytes", sizes[i].name);
                read_number(directory, file, &pages->max_usage);
        }
}

/* What each hierarchy tells of the group, whoever serves what. */
static void read_hierarchy(const struct cgroup_layout *layout, const struct cgroup_hierarchy *hierarchy, int directory, struct cgroup_stats *stats) {
        if (cgroup_hierarchy_of(layout, "memory") == hierarchy)
                hierarchy->unified ? read_memory_v2(directory, stats) : read_memory_v1(directory, stats);
        if (cgroup_hierarchy_of(layout, "pids") == hierarchy)
                read_pids(directory, stats);
        if (cgroup_hierarchy_of(layout, "hugetlb") == hierarchy)
                read_hugetlb(directory, hierarchy->unified, stats);
        if (hierarchy->unified) {
                /* Processor time is counted by every unified group, also where a v1 hierarchy has the controller. */
                if (!cgroup_hierarchy_of(layout, "cpuacct"))
                        read_cpu_v2(directory, stats);
                if (cgroup_hierarchy_of(layout, "io") == hierarchy)
                        read_io(directory, stats);
                return;
        }
        if (cgroup_controllers_have(hierarchy->controllers, "cpu"))
                read_cpu_v1(directory, stats);
        if (cgroup_controllers_have(hierarchy->controllers, "cpuacct"))
                read_cpuacct(directory, stats);
        if (cgroup_controllers_have(hierarchy->controllers, "blkio"))
                read_blkio(directory, stats);
}

static bool tells_something(const struct cgroup_hierarchy *hierarchy) {
        static const char *const controllers[] = {"blkio", "cpu", "cpuacct", "hugetlb", "memory", "pids"};
        for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++)
                if (cgroup_controllers_have(hierarchy->controllers, controllers[i]))
                        return true;
        return hierarchy->unified;
}

int cgroup_stats_read(const struct cgroup_layout *layout, const struct cgroup *cgroup, struct cgroup_stats *ret, struct berth_error *err) {
        int r = cgroup_path_check(cgroup->path, err);
        if (r < 0)
                return r;
        memset(ret, 0xff, sizeof(*ret));
        ret->cpu.n_per_cpu = ret->n_block = ret->n_hugepages = 0;
        ret->memory.stat[0] = '\0';
        for (uint32_t i = 0; i < layout->n; i++) {
                _cleanup_close_ int directory = -1;
                if (!tells_something(&layout->hierarchy[i]))
                        continue;
                r = cgroup_directory_open(&layout->hierarchy[i], cgroup->path, &directory, err);
                if (r < 0)
                        return r;
                read_hierarchy(layout, &layout->hierarchy[i], directory, ret);
        }
        return 0;
}
