/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "plan-internal.h"
#include "spec-resources.h"
#include "spec.h"

/* Where zero means nothing, it counts as absent, as engines write it for whatever was not asked for. */
struct spec_number {
        const char *key;
        uint32_t limit;
        int64_t min;
        bool zero_is_absent;
};

static const struct spec_number spec_memory[] = {
        {"limit", PLAN_LIMIT_MEMORY, -1, true},
        {"reservation", PLAN_LIMIT_MEMORY_RESERVATION, -1, true},
        {"swap", PLAN_LIMIT_MEMORY_SWAP, -1, true},
        {"swappiness", PLAN_LIMIT_MEMORY_SWAPPINESS, 0, false},
        {NULL, 0, 0, false},
};
static const struct spec_number spec_cpu[] = {
        {"shares", PLAN_LIMIT_CPU_SHARES, 0, true},
        {"quota", PLAN_LIMIT_CPU_QUOTA, -1, true},
        {"period", PLAN_LIMIT_CPU_PERIOD, 0, true},
        {"burst", PLAN_LIMIT_CPU_BURST, 0, false},
        {"realtimeRuntime", PLAN_LIMIT_CPU_RT_RUNTIME, -1, true},
        {"realtimePeriod", PLAN_LIMIT_CPU_RT_PERIOD, 0, true},
        {"idle", PLAN_LIMIT_CPU_IDLE, 0, false},
        {NULL, 0, 0, false},
};
static const struct spec_number spec_pids[] = {{"limit", PLAN_LIMIT_PIDS, INT64_MIN + 1, false}, {NULL, 0, 0, false}};
static const struct spec_number spec_block_io[] = {
        {"weight", PLAN_LIMIT_BLKIO_WEIGHT, 0, true},
        {"leafWeight", PLAN_LIMIT_BLKIO_LEAF_WEIGHT, 0, true},
        {NULL, 0, 0, false},
};
static const struct spec_number spec_network[] = {{"classID", PLAN_LIMIT_NETWORK_CLASS, 0, true}, {NULL, 0, 0, false}};

static void spec_put_limit(struct tlv_writer *writer, uint32_t which, int64_t value) {
        struct {
                uint32_t which, reserved;
                int64_t value;
        } limit = {.which = which, .value = value};

        tlv_put(writer, PLAN_LIMIT, &limit, sizeof limit);
}

static int spec_numbers(const struct json_at *resources, const char *group, const struct spec_number *numbers, struct tlv_writer *writer,
                        struct berth_error *err) {
        struct json_at at, member;

        if (!json_member(resources, group, &at))
                return 0;
        int r = json_check_object(&at, err);
        for (; r == 0 && numbers->key; numbers++) {
                int64_t value = 0;
                if (!json_member(&at, numbers->key, &member))
                        continue;
                r = json_number(&member, numbers->min, INT64_MAX, &value, err);
                if (r == 0 && (value != 0 || !numbers->zero_is_absent))
                        spec_put_limit(writer, numbers->limit, value);
        }
        return r;
}

static int spec_cpuset(const struct json_at *resources, struct tlv_writer *writer, struct berth_error *err) {
        const char *cpus = NULL, *mems = NULL;
        struct json_at at;
        int r = 0;

        if (json_member(resources, "cpu", &at)) {
                r = json_text_member(&at, "cpus", &cpus, err);
                if (r == 0)
                        r = json_text_member(&at, "mems", &mems, err);
        }
        if (r == 0 && cpus && *cpus)
                tlv_put_string(writer, PLAN_CPUSET_CPUS, cpus);
        if (r == 0 && mems && *mems)
                tlv_put_string(writer, PLAN_CPUSET_MEMS, mems);
        return r;
}

/* Members of memory that are no numbers, or none that Linux still has. */
static int spec_memory_rest(const struct json_at *resources, struct tlv_writer *writer, struct berth_error *err) {
        bool disable = false, check = false, hierarchy = true;
        int64_t kernel = 0, tcp = 0;
        struct json_at memory;

        if (!json_member(resources, "memory", &memory))
                return 0;
        int r = json_truth_member(&memory, "disableOOMKiller", &disable, err);
        if (r == 0)
                r = json_truth_member(&memory, "checkBeforeUpdate", &check, err);
        if (r == 0)
                r = json_truth_member(&memory, "useHierarchy", &hierarchy, err);
        if (r == 0)
                r = json_number_member(&memory, "kernel", -1, INT64_MAX, &kernel, err);
        if (r == 0)
                r = json_number_member(&memory, "kernelTCP", -1, INT64_MAX, &tcp, err);
        if (r < 0)
                return r;
        if (!hierarchy)
                return json_fail(&memory, err, "useHierarchy cannot be false: Linux counts the groups below with their parents, always");
        if (kernel > 0 || tcp > 0)
                return json_fail(&memory, err,
                                 "%s cannot be limited: the kernel has dropped limits of its own memory apart; it counts in memory.limit",
                                 kernel > 0 ? "kernel" : "kernelTCP");
        if (disable)
                spec_put_limit(writer, PLAN_LIMIT_MEMORY_DISABLE_OOM_KILLER, 1);
        if (check)
                spec_put_limit(writer, PLAN_LIMIT_MEMORY_CHECK_BEFORE_UPDATE, 1);
        return 0;
}

static int spec_unified(const struct json_at *resources, struct tlv_writer *writer, struct berth_error *err) {
        struct json_at unified;
        const char *key;
        json_t *value;

        if (!json_member(resources, "unified", &unified))
                return 0;
        int r = json_check_object(&unified, err);
        if (r < 0)
                return r;
        json_object_foreach(unified.value, key, value) {
                struct json_at item = {.up = &unified, .key = key, .value = value};
                const char *text = "";
                if (*key == '\0' || strchr(key, '/') || *key == '.')
                        return json_fail(&item, err, "is not the name of a cgroup file");
                r = json_text(&item, &text, err);
                if (r < 0)
                        return r;
                tlv_put_pair(writer, PLAN_UNIFIED, key, strlen(key) + 1, text);
        }
        return 0;
}

static bool spec_is_word(const char *text, size_t limit) {
        size_t length = strlen(text);
        return length > 0 && length < limit && strcspn(text, " \t\n/") == length;
}

/* "2MB": a number and a unit, as the kernel names its files. */
static int spec_hugepages(const struct json_at *resources, struct tlv_writer *writer, struct berth_error *err) {
        struct json_at list, size_at;
        size_t n;

        int r = json_list_member(resources, "hugepageLimits", &list, &n, err);
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct json_at item = json_item(&list, i);
                const char *size = "";
                int64_t limit = -1;
                r = json_required(&item, "pageSize", &size_at, err);
                if (r == 0)
                        r = json_text(&size_at, &size, err);
                if (r == 0)
                        r = json_number_member(&item, "limit", 0, INT64_MAX, &limit, err);
                if (r < 0)
                        return r;
                size_t digits = strspn(size, "0123456789");
                if (limit < 0)
                        return json_fail(&item, err, "limit is missing");
                if (digits == 0 || digits > 8 || !strchr("KMG", size[digits]) || strcmp(size + digits + 1, "B") != 0)
                        return json_fail(&size_at, err, "'%s' is not a size of pages like 64KB, 2MB or 1GB", size);
                uint64_t bytes = (uint64_t) limit;
                tlv_put_pair(writer, PLAN_HUGEPAGE_LIMIT, &bytes, sizeof bytes, size);
        }
        return r;
}

static int spec_rdma(const struct json_at *resources, struct tlv_writer *writer, struct berth_error *err) {
        struct json_at rdma;
        const char *key;
        json_t *value;

        if (!json_member(resources, "rdma", &rdma))
                return 0;
        int r = json_check_object(&rdma, err);
        if (r < 0)
                return r;
        json_object_foreach(rdma.value, key, value) {
                struct json_at item = {.up = &rdma, .key = key, .value = value};
                int64_t handles = UINT32_MAX, objects = UINT32_MAX;
                if (!spec_is_word(key, 64))
                        return json_fail(&item, err, "is not the name of a device");
                r = json_check_object(&item, err);
                if (r == 0)
                        r = json_number_member(&item, "hcaHandles", 0, UINT32_MAX, &handles, err);
                if (r == 0)
                        r = json_number_member(&item, "hcaObjects", 0, UINT32_MAX, &objects, err);
                if (r < 0)
                        return r;
                const uint32_t limits[2] = {(uint32_t) handles, (uint32_t) objects};
                tlv_put_pair(writer, PLAN_RDMA_LIMIT, limits, sizeof limits, key);
        }
        return 0;
}

static int spec_priorities(const struct json_at *resources, struct tlv_writer *writer, struct berth_error *err) {
        struct json_at network, list, name_at;
        size_t n;

        if (!json_member(resources, "network", &network))
                return 0;
        int r = json_list_member(&network, "priorities", &list, &n, err);
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct json_at item = json_item(&list, i);
                const char *name = "";
                int64_t priority = 0;
                r = json_required(&item, "name", &name_at, err);
                if (r == 0)
                        r = json_text(&name_at, &name, err);
                if (r == 0)
                        r = json_number_member(&item, "priority", 0, UINT32_MAX, &priority, err);
                if (r < 0)
                        return r;
                if (!spec_is_word(name, 16))
                        return json_fail(&name_at, err, "'%s' is not the name of a network link", name);
                uint32_t number = (uint32_t) priority;
                tlv_put_pair(writer, PLAN_NETWORK_PRIORITY, &number, sizeof number, name);
        }
        return r;
}

int spec_write_resources(const struct json_at *at, struct tlv_writer *writer, struct berth_error *err) {
        static const struct {
                const char *group;
                const struct spec_number *numbers;
        } groups[] = {{"memory", spec_memory}, {"cpu", spec_cpu}, {"pids", spec_pids}, {"blockIO", spec_block_io}, {"network", spec_network}};
        int r = 0;

        for (size_t i = 0; r == 0 && i < sizeof groups / sizeof *groups; i++)
                r = spec_numbers(at, groups[i].group, groups[i].numbers, writer, err);
        if (r == 0)
                r = spec_memory_rest(at, writer, err);
        if (r == 0)
                r = spec_cpuset(at, writer, err);
        if (r == 0)
                r = spec_write_block_devices(at, writer, err);
        if (r == 0)
                r = spec_hugepages(at, writer, err);
        if (r == 0)
                r = spec_rdma(at, writer, err);
        if (r == 0)
                r = spec_priorities(at, writer, err);
        if (r == 0)
                r = spec_write_device_rules(at, writer, err);
        if (r == 0)
                r = spec_unified(at, writer, err);
        return r;
}
