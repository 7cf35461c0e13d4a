/* SPDX-License-Identifier: Apache-2.0 */
#include "stats-json.h"

#include <stdlib.h>
#include <string.h>

/* What the host does not count is left out. */
static void stats_put(json_t *object, const char *key, uint64_t value) {
        if (value != UINT64_MAX)
                (void) json_object_set_new(object, key, json_integer((json_int_t) (value > INT64_MAX ? INT64_MAX : value)));
}

static json_t *stats_cpu(const struct cgroup_stats *stats) {
        json_t *usage = json_object(), *throttling = json_object();

        stats_put(usage, "total", stats->cpu.total);
        if (stats->cpu.n_per_cpu > 0) {
                json_t *each = json_array();
                for (uint32_t i = 0; i < stats->cpu.n_per_cpu; i++)
                        (void) json_array_append_new(each, json_integer((json_int_t) stats->cpu.per_cpu[i]));
                (void) json_object_set_new(usage, "percpu", each);
        }
        stats_put(usage, "kernel", stats->cpu.system);
        stats_put(usage, "user", stats->cpu.user);
        stats_put(throttling, "periods", stats->cpu.periods);
        stats_put(throttling, "throttledPeriods", stats->cpu.throttled_periods);
        stats_put(throttling, "throttledTime", stats->cpu.throttled_time);
        return json_pack("{s:o, s:o}", "usage", usage, "throttling", throttling);
}

static json_t *stats_memory_entry(uint64_t limit, uint64_t usage, uint64_t max, uint64_t failures) {
        json_t *entry = json_object();

        stats_put(entry, "limit", limit);
        stats_put(entry, "usage", usage);
        stats_put(entry, "max", max);
        stats_put(entry, "failcnt", failures);
        return entry;
}

/* memory.stat is lines of a name and a number. */
static json_t *stats_memory_raw(const char *text) {
        json_t *raw = json_object();

        while (*text) {
                size_t size = strcspn(text, " \n");
                char name[64], *end;
                if (text[size] != ' ' || size >= sizeof name)
                        break;
                memcpy(name, text, size);
                name[size] = '\0';
                stats_put(raw, name, strtoull(text + size, &end, 10));
                text = *end == '\n' ? end + 1 : end;
        }
        return raw;
}

static json_t *stats_memory(const struct cgroup_stats *stats) {
        json_t *memory = json_object();

        stats_put(memory, "cache", stats->memory.cache);
        (void) json_object_set_new(memory, "usage",
                                   stats_memory_entry(stats->memory.limit, stats->memory.usage, stats->memory.max_usage, stats->memory.failures));
        (void) json_object_set_new(memory, "swap",
                                   stats_memory_entry(stats->memory.swap_limit, stats->memory.swap_usage, UINT64_MAX, stats->memory.swap_failures));
        (void) json_object_set_new(memory, "kernel",
                                   stats_memory_entry(stats->memory.kernel_limit, stats->memory.kernel_usage, UINT64_MAX, UINT64_MAX));
        (void) json_object_set_new(memory, "raw", stats_memory_raw(stats->memory.stat));
        return memory;
}

static void stats_block_put(json_t *list, const struct cgroup_block_stats *device, const char *operation, uint64_t value) {
        if (value != UINT64_MAX)
                (void) json_array_append_new(list, json_pack("{s:I, s:I, s:s, s:I}", "major", (json_int_t) device->major, "minor",
                                                             (json_int_t) device->minor, "op", operation, "value", (json_int_t) value));
}

static json_t *stats_block(const struct cgroup_stats *stats) {
        json_t *bytes = json_array(), *operations = json_array();

        for (uint32_t i = 0; i < stats->n_block; i++) {
                const struct cgroup_block_stats *device = &stats->block[i];
                stats_block_put(bytes, device, "Read", device->read_bytes);
                stats_block_put(bytes, device, "Write", device->write_bytes);
                stats_block_put(bytes, device, "Discard", device->discard_bytes);
                stats_block_put(operations, device, "Read", device->read_operations);
                stats_block_put(operations, device, "Write", device->write_operations);
                stats_block_put(operations, device, "Discard", device->discard_operations);
        }
        return json_pack("{s:o, s:o}", "ioServiceBytesRecursive", bytes, "ioServicedRecursive", operations);
}

static json_t *stats_hugepages(const struct cgroup_stats *stats) {
        json_t *sizes = json_object();

        for (uint32_t i = 0; i < stats->n_hugepages; i++) {
                json_t *entry = json_object();
                stats_put(entry, "usage", stats->hugepages[i].usage);
                stats_put(entry, "max", stats->hugepages[i].max_usage);
                stats_put(entry, "failcnt", stats->hugepages[i].failures);
                (void) json_object_set_new(sizes, stats->hugepages[i].size, entry);
        }
        return sizes;
}

json_t *stats_json(const struct cgroup_stats *stats) {
        json_t *pids = json_object();

        stats_put(pids, "current", stats->pids.current);
        stats_put(pids, "limit", stats->pids.limit);
        return json_pack("{s:o, s:o, s:o, s:o, s:o, s:{}, s:n}", "cpu", stats_cpu(stats), "memory", stats_memory(stats), "pids", pids, "blkio",
                         stats_block(stats), "hugetlb", stats_hugepages(stats), "intel_rdt", "network_interfaces");
}
