/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "../include/berth.h"
#include "abi-answer.h"
#include "cgroup-stats.h"
#include "spec-limits.h"

static int group_of(const char *path, struct cgroup_layout *layout, struct cgroup *cgroup, struct berth_error *err) {
        int length = snprintf(cgroup->path, sizeof(cgroup->path), "%s", path);
        if (length < 0 || (size_t) length >= sizeof(cgroup->path))
                return berth_error_set(err, ENAMETOOLONG, "the cgroup path is too long");
        cgroup->made = 0;
        return cgroup_detect(layout, err);
}

int berth_cgroup_kill(const char *path, struct berth_error *err) {
        struct cgroup_layout layout;
        struct cgroup cgroup;
        int r = group_of(path, &layout, &cgroup, err);
        if (r == 0)
                r = cgroup_signal_all(&layout, &cgroup, SIGKILL, err);
        return r == -ENOENT ? 0 : r;
}

int berth_cgroup_remove(const char *path, struct berth_error *err) {
        struct cgroup_layout layout;
        struct cgroup cgroup;
        int r = group_of(path, &layout, &cgroup, err);
        return r < 0 ? r : cgroup_remove(&layout, &cgroup, err);
}

int berth_cgroup_update(const char *path, const char *resources, size_t size, struct berth_error *err) {
        struct spec_limits *limits = NULL;
        struct cgroup_layout layout;
        struct cgroup cgroup;
        int r = group_of(path, &layout, &cgroup, err);
        if (r == 0)
                r = spec_limits_open(resources, size, &limits, err);
        if (r == 0)
                r = cgroup_update(&layout, &cgroup, spec_limits_get(limits), err);
        spec_limits_close(limits);
        return r;
}

int berth_cgroup_layout(char *json_out, size_t capacity, size_t *ret_size, struct berth_error *err) {
        static const char *const names[] = {"blkio", "cpu", "cpuacct", "cpuset", "devices", "freezer", "hugetlb", "io", "memory", "pids", "rdma"};
        struct cgroup_layout layout;
        int r = cgroup_detect(&layout, err);
        if (r < 0)
                return r;
        /* Of a host with both, the version is that of the hierarchy that limits memory: what a container sees most. */
        const struct cgroup_hierarchy *memory = cgroup_hierarchy_of(&layout, "memory");
        bool unified = memory ? memory->unified : layout.n == 1 && layout.unified_index == 0;
        struct answer answer = {.out = json_out, .capacity = capacity};
        answer_put(&answer, "{\"version\":%d,\"controllers\":{", unified ? 2 : 1);
        const char *separator = "";
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                const struct cgroup_hierarchy *hierarchy = cgroup_hierarchy_of(&layout, names[i]);
                if (!hierarchy)
                        continue;
                answer_put(&answer, "%s\"%s\":%d", separator, names[i], hierarchy->unified ? 2 : 1);
                separator = ",";
        }
        answer_put(&answer, "},\"hierarchies\":[");
        for (uint32_t i = 0; i < layout.n; i++) {
                struct cgroup_hierarchy *hierarchy = &layout.hierarchy[i];
                answer_put(&answer, "%s{\"mount\":", i ? "," : "");
                answer_text(&answer, hierarchy->mount);
                answer_put(&answer, ",\"controllers\":[");
                char *rest = hierarchy->controllers, *word;
                separator = "";
                while ((word = strsep(&rest, ",")))
                        if (*word) {
                                answer_put(&answer, "%s", separator);
                                answer_text(&answer, word);
                                separator = ",";
                        }
                answer_put(&answer, "],\"unified\":%s}", hierarchy->unified ? "true" : "false");
        }
        answer_put(&answer, "]}");
        return answer_end(&answer, ret_size, err);
}

struct member {
        const char *name;
        uint64_t value; /* UINT64_MAX: the host does not tell it */
};

#define MEMBERS(...) ((const struct member[]){__VA_ARGS__, {NULL, 0}})

/* The members of an object, without its brackets; answers whether there are any. */
static bool answer_members(struct answer *answer, const struct member *members) {
        bool any = false;
        for (; members->name; members++)
                if (members->value != UINT64_MAX) {
                        answer_put(answer, "%s\"%s\":%" PRIu64, any ? "," : "", members->name, members->value);
                        any = true;
                }
        return any;
}

static void answer_cpu(struct answer *answer, const struct cgroup_stats *stats) {
        answer_put(answer, "\"cpu\":{");
        bool any = answer_members(answer, MEMBERS({"total", stats->cpu.total}, {"user", stats->cpu.user}, {"system", stats->cpu.system},
                                                  {"periods", stats->cpu.periods}, {"throttledPeriods", stats->cpu.throttled_periods},
                                                  {"throttledTime", stats->cpu.throttled_time}));
        for (uint32_t i = 0; i < stats->cpu.n_per_cpu; i++)
                answer_put(answer, "%s%" PRIu64, i ? "," : any ? ",\"perCpu\":[" : "\"perCpu\":[", stats->cpu.per_cpu[i]);
        answer_put(answer, stats->cpu.n_per_cpu ? "]}" : "}");
}

static void answer_memory(struct answer *answer, const struct cgroup_stats *stats) {
        answer_put(answer, ",\"memory\":{");
        bool any = answer_members(answer, MEMBERS({"usage", stats->memory.usage}, {"maxUsage", stats->memory.max_usage},
                                                  {"limit", stats->memory.limit}, {"failures", stats->memory.failures},
                                                  {"cache", stats->memory.cache}, {"swapUsage", stats->memory.swap_usage},
                                                  {"swapLimit", stats->memory.swap_limit}, {"swapFailures", stats->memory.swap_failures},
                                                  {"kernelUsage", stats->memory.kernel_usage}, {"oomKills", stats->memory.oom_kills},
                                                  {"ooms", stats->memory.ooms}));
        answer_put(answer, "%s\"stat\":{", any ? "," : "");
        const char *separator = "";
        for (const char *line = stats->memory.stat; *line;) {
                size_t length = strcspn(line, "\n"), name = strcspn(line, " \n");
                if (name < length && strspn(line + name + 1, "0123456789") == length - name - 1) {
                        answer_put(answer, "%s\"%.*s\":%.*s", separator, (int) name, line, (int) (length - name - 1), line + name + 1);
                        separator = ",";
                }
                line += length + (line[length] == '\n');
        }
        answer_put(answer, "}}");
}

static void answer_block(struct answer *answer, const struct cgroup_stats *stats) {
        answer_put(answer, ",\"block\":[");
        for (uint32_t i = 0; i < stats->n_block; i++) {
                const struct cgroup_block_stats *block = &stats->block[i];
                answer_put(answer, "%s{", i ? "," : "");
                (void) answer_members(answer, MEMBERS({"major", block->major}, {"minor", block->minor}, {"readBytes", block->read_bytes},
                                                      {"writeBytes", block->write_bytes}, {"discardBytes", block->discard_bytes},
                                                      {"readOperations", block->read_operations}, {"writeOperations", block->write_operations},
                                                      {"discardOperations", block->discard_operations}));
                answer_put(answer, "}");
        }
        answer_put(answer, "]");
}

static void answer_hugepages(struct answer *answer, const struct cgroup_stats *stats) {
        answer_put(answer, ",\"hugepages\":[");
        for (uint32_t i = 0; i < stats->n_hugepages; i++) {
                const struct cgroup_hugepage_stats *pages = &stats->hugepages[i];
                answer_put(answer, "%s{\"size\":", i ? "," : "");
                answer_text(answer, pages->size);
                answer_put(answer, ",\"counters\":{");
                (void) answer_members(answer, MEMBERS({"usage", pages->usage}, {"maxUsage", pages->max_usage}, {"failures", pages->failures}));
                answer_put(answer, "}}");
        }
        answer_put(answer, "]");
}

int berth_cgroup_stats(const char *path, char *json, size_t capacity, size_t *ret_size, struct berth_error *err) {
        struct answer answer = {.out = json, .capacity = capacity};
        struct cgroup_layout layout;
        struct cgroup_stats stats;
        struct cgroup cgroup;
        int r = group_of(path, &layout, &cgroup, err);
        if (r == 0)
                r = cgroup_stats_read(&layout, &cgroup, &stats, err);
        if (r < 0)
                return r;
        answer_put(&answer, "{");
        answer_cpu(&answer, &stats);
        answer_memory(&answer, &stats);
        answer_put(&answer, ",\"pids\":{");
        (void) answer_members(&answer, MEMBERS({"current", stats.pids.current}, {"limit", stats.pids.limit}));
        answer_put(&answer, "}");
        answer_block(&answer, &stats);
        answer_hugepages(&answer, &stats);
        answer_put(&answer, "}");
        return answer_end(&answer, ret_size, err);
}

int berth_cgroup_processes(const char *path, int *pids, size_t capacity, size_t *ret_n, struct berth_error *err) {
        struct cgroup_layout layout;
        struct cgroup cgroup;
        int r = group_of(path, &layout, &cgroup, err);
        return r < 0 ? r : cgroup_processes(&layout, &cgroup, pids, capacity, ret_n, err);
}
