/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "plan-internal.h"
#include "spec.h"

struct spec_number {
        const char *key;
        uint32_t limit;
        int64_t min;
};

static const struct spec_number spec_memory[] = {
        {"limit", PLAN_LIMIT_MEMORY, -1},
        {"reservation", PLAN_LIMIT_MEMORY_RESERVATION, -1},
        {"swap", PLAN_LIMIT_MEMORY_SWAP, -1},
        {"swappiness", PLAN_LIMIT_MEMORY_SWAPPINESS, -1},
        {NULL, 0, 0},
};
static const struct spec_number spec_cpu[] = {
        {"shares", PLAN_LIMIT_CPU_SHARES, 0},
        {"quota", PLAN_LIMIT_CPU_QUOTA, -1},
        {"period", PLAN_LIMIT_CPU_PERIOD, 0},
        {"burst", PLAN_LIMIT_CPU_BURST, 0},
        {"realtimeRuntime", PLAN_LIMIT_CPU_RT_RUNTIME, -1},
        {"realtimePeriod", PLAN_LIMIT_CPU_RT_PERIOD, 0},
        {"idle", PLAN_LIMIT_CPU_IDLE, 0},
        {NULL, 0, 0},
};
static const struct spec_number spec_pids[] = {{"limit", PLAN_LIMIT_PIDS, INT64_MIN + 1}, {NULL, 0, 0}};
static const struct spec_number spec_blkio[] = {{"weight", PLAN_LIMIT_BLKIO_WEIGHT, 0}, {NULL, 0, 0}};

/*
 * What every container may do with devices, whatever its rules say: make nodes, and use those it is given by default. Without
 * them a list that begins with "deny all" would keep the runtime itself from making /dev.
 */
static const struct cgroup_device_rule spec_default_rules[] = {
        {.allow = true, .type = 'c', .major = -1, .minor = -1, .access = "m"},
        {.allow = true, .type = 'b', .major = -1, .minor = -1, .access = "m"},
        {.allow = true, .type = 'c', .major = 1, .minor = 3, .access = "rwm"},
        {.allow = true, .type = 'c', .major = 1, .minor = 5, .access = "rwm"},
        {.allow = true, .type = 'c', .major = 1, .minor = 7, .access = "rwm"},
        {.allow = true, .type = 'c', .major = 1, .minor = 8, .access = "rwm"},
        {.allow = true, .type = 'c', .major = 1, .minor = 9, .access = "rwm"},
        {.allow = true, .type = 'c', .major = 5, .minor = 0, .access = "rwm"},
        {.allow = true, .type = 'c', .major = 5, .minor = 2, .access = "rwm"},
        {.allow = true, .type = 'c', .major = 136, .minor = -1, .access = "rwm"},
};
#define SPEC_DEFAULT_RULES (sizeof spec_default_rules / sizeof *spec_default_rules)

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
                if (r == 0)
                        spec_put_limit(writer, numbers->limit, value);
        }
        return r;
}

static int spec_words(const struct json_at *resources, struct tlv_writer *writer, struct berth_error *err) {
        const char *cpus = NULL, *mems = NULL;
        struct json_at at, memory;
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
        if (r == 0 && json_member(resources, "memory", &memory) && json_member(&memory, "disableOOMKiller", &at)) {
                bool disable = false;
                r = json_truth(&at, &disable, err);
                if (r == 0 && disable)
                        spec_put_limit(writer, PLAN_LIMIT_MEMORY_DISABLE_OOM_KILLER, 1);
        }
        if (r == 0 && json_member(resources, "memory", &memory)) {
                bool check = false;
                r = json_truth_member(&memory, "checkBeforeUpdate", &check, err);
                if (r == 0 && check)
                        spec_put_limit(writer, PLAN_LIMIT_MEMORY_CHECK_BEFORE_UPDATE, 1);
        }
        return r;
}

static int spec_device_rule(const struct json_at *at, struct cgroup_device_rule *ret, struct berth_error *err) {
        const char *type = "a", *access = "rwm";
        struct json_at member;

        *ret = (struct cgroup_device_rule){.major = -1, .minor = -1};
        int r = json_required(at, "allow", &member, err);
        if (r == 0)
                r = json_truth(&member, &ret->allow, err);
        if (r == 0)
                r = json_text_member(at, "type", &type, err);
        if (r == 0)
                r = json_number_member(at, "major", -1, UINT32_MAX, &ret->major, err);
        if (r == 0)
                r = json_number_member(at, "minor", -1, UINT32_MAX, &ret->minor, err);
        if (r == 0)
                r = json_text_member(at, "access", &access, err);
        if (r < 0)
                return r;
        if (*type == '\0')
                type = "a";
        if (!strchr("abc", type[0]) || type[1] != '\0')
                return json_fail(at, err, "unknown device type '%s'", type);
        if (*access == '\0')
                access = "rwm";
        if (strlen(access) >= sizeof ret->access || strspn(access, "rwm") != strlen(access))
                return json_fail(at, err, "unknown device access '%s'", access);
        ret->type = type[0];
        (void) strcpy(ret->access, access);
        return 0;
}

static int spec_device_rules(const struct json_at *resources, struct tlv_writer *writer, struct berth_error *err) {
        struct json_at list;
        size_t n;

        int r = json_list_member(resources, "devices", &list, &n, err);
        if (r == 0 && n + SPEC_DEFAULT_RULES > CGROUP_DEVICE_RULES)
                return json_fail(&list, err, "more than %zu rules", CGROUP_DEVICE_RULES - SPEC_DEFAULT_RULES);
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct json_at item = json_item(&list, i);
                struct cgroup_device_rule rule;
                r = json_check_object(&item, err);
                if (r == 0)
                        r = spec_device_rule(&item, &rule, err);
                if (r == 0)
                        tlv_put(writer, PLAN_DEVICE_RULE, &rule, sizeof rule);
        }
        for (size_t i = 0; r == 0 && n > 0 && i < SPEC_DEFAULT_RULES; i++)
                tlv_put(writer, PLAN_DEVICE_RULE, &spec_default_rules[i], sizeof spec_default_rules[i]);
        return r;
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
                const char *text = NULL;
                if (*key == '\0' || strchr(key, '/') || *key == '.')
                        return json_fail(&item, err, "is not the name of a cgroup file");
                r = json_text(&item, &text, err);
                if (r < 0)
                        return r;
                tlv_put_pair(writer, PLAN_UNIFIED, key, strlen(key) + 1, text);
        }
        return 0;
}

/* Limits that nobody would enforce must not be accepted in silence. */
static int spec_resources_refuse(const struct json_at *resources, struct berth_error *err) {
        static const char *const paths[][2] = {
                {"memory", "kernel"},
                {"memory", "kernelTCP"},
                {"blockIO", "leafWeight"},
                {"blockIO", "weightDevice"},
                {"blockIO", "throttleReadBpsDevice"},
                {"blockIO", "throttleWriteBpsDevice"},
                {"blockIO", "throttleReadIOPSDevice"},
                {"blockIO", "throttleWriteIOPSDevice"},
                {"hugepageLimits", NULL},
                {"network", "classID"},
                {"network", "priorities"},
                {"rdma", NULL},
        };

        for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
                struct json_at group, member;
                if (!json_member(resources, paths[i][0], &group))
                        continue;
                member = group;
                if (paths[i][1] && !json_member(&group, paths[i][1], &member))
                        continue;
                bool empty = (json_is_array(member.value) && json_array_size(member.value) == 0) ||
                             (json_is_object(member.value) && json_object_size(member.value) == 0) ||
                             (json_is_integer(member.value) && json_integer_value(member.value) == 0);
                if (!empty)
                        return json_fail(&member, err, "is not supported");
        }
        return 0;
}

int spec_write_resources(const struct json_at *at, struct tlv_writer *writer, struct berth_error *err) {
        int r = spec_resources_refuse(at, err);

        if (r == 0)
                r = spec_numbers(at, "memory", spec_memory, writer, err);
        if (r == 0)
                r = spec_numbers(at, "cpu", spec_cpu, writer, err);
        if (r == 0)
                r = spec_numbers(at, "pids", spec_pids, writer, err);
        if (r == 0)
                r = spec_numbers(at, "blockIO", spec_blkio, writer, err);
        if (r == 0)
                r = spec_words(at, writer, err);
        if (r == 0)
                r = spec_device_rules(at, writer, err);
        if (r == 0)
                r = spec_unified(at, writer, err);
        return r;
}
