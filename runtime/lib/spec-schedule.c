/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "number-list.h"
#include "plan-internal.h"
#include "spec.h"

static const struct json_word spec_policies[] = {
        {"SCHED_OTHER", 0}, {"SCHED_FIFO", 1}, {"SCHED_RR", 2},       {"SCHED_BATCH", 3},
        {"SCHED_ISO", 4},   {"SCHED_IDLE", 5}, {"SCHED_DEADLINE", 6}, {NULL, 0},
};
enum { SPEC_FIFO = 1, SPEC_RR = 2, SPEC_DEADLINE = 6 };

static const struct json_word spec_schedule_flags[] = {
        {"SCHED_FLAG_RESET_ON_FORK", 0x01},  {"SCHED_FLAG_RECLAIM", 0x02},
        {"SCHED_FLAG_DL_OVERRUN", 0x04},     {"SCHED_FLAG_KEEP_POLICY", 0x08},
        {"SCHED_FLAG_KEEP_PARAMS", 0x10},    {"SCHED_FLAG_UTIL_CLAMP_MIN", 0x20},
        {"SCHED_FLAG_UTIL_CLAMP_MAX", 0x40}, {NULL, 0},
};

static const struct json_word spec_io_classes[] = {{"IOPRIO_CLASS_RT", 1}, {"IOPRIO_CLASS_BE", 2}, {"IOPRIO_CLASS_IDLE", 3}, {NULL, 0}};

static const struct json_word spec_memory_modes[] = {
        {"MPOL_DEFAULT", 0},        {"MPOL_PREFERRED", 1},           {"MPOL_BIND", 2}, {"MPOL_INTERLEAVE", 3}, {"MPOL_LOCAL", 4},
        {"MPOL_PREFERRED_MANY", 5}, {"MPOL_WEIGHTED_INTERLEAVE", 6}, {NULL, 0},
};

static const struct json_word spec_memory_flags[] = {
        {"MPOL_F_NUMA_BALANCING", 1U << 13}, {"MPOL_F_RELATIVE_NODES", 1U << 14}, {"MPOL_F_STATIC_NODES", 1U << 15}, {NULL, 0}};

static const struct json_word spec_personalities[] = {{"LINUX", 0}, {"LINUX32", 8}, {NULL, 0}}; /* PER_* of personality(2) */

const char *spec_memory_mode_at(size_t index) {
        return json_word_at(spec_memory_modes, index);
}

const char *spec_memory_flag_at(size_t index) {
        return json_word_at(spec_memory_flags, index);
}

static int spec_required_word(const struct json_at *at, const char *key, const struct json_word *words, const char *what, uint32_t *ret,
                              struct berth_error *err) {
        struct json_at member;
        int r = json_required(at, key, &member, err);
        return r == 0 ? json_word(&member, words, what, ret, err) : r;
}

static int spec_nanoseconds(const struct json_at *scheduler, const char *key, uint32_t policy, uint64_t *ret, struct berth_error *err) {
        struct json_at at;
        int64_t value = 0;

        if (!json_member(scheduler, key, &at))
                return 0;
        int r = json_number(&at, 0, INT64_MAX, &value, err);
        if (r == 0 && value > 0 && policy != SPEC_DEADLINE)
                return json_fail(&at, err, "is for SCHED_DEADLINE only");
        *ret = (uint64_t) value;
        return r;
}

static int spec_scheduler(const struct json_at *process, struct tlv_writer *writer, struct berth_error *err) {
        struct plan_scheduler scheduler = {0};
        int64_t nice = 0, priority = 0;
        struct json_at at, member;
        uint32_t flags = 0;

        if (!json_member(process, "scheduler", &at))
                return 0;
        int r = json_check_object(&at, err);
        if (r == 0)
                r = spec_required_word(&at, "policy", spec_policies, "policy", &scheduler.policy, err);
        if (r == 0)
                r = json_number_member(&at, "nice", -20, 19, &nice, err);
        if (r == 0)
                r = json_number_member(&at, "priority", 0, 99, &priority, err);
        if (r == 0 && priority != 0 && scheduler.policy != SPEC_FIFO && scheduler.policy != SPEC_RR) {
                (void) json_member(&at, "priority", &member);
                return json_fail(&member, err, "is for SCHED_FIFO and SCHED_RR only");
        }
        if (r == 0)
                r = json_flags_member(&at, "flags", spec_schedule_flags, &flags, err);
        if (r == 0)
                r = spec_nanoseconds(&at, "runtime", scheduler.policy, &scheduler.runtime, err);
        if (r == 0)
                r = spec_nanoseconds(&at, "deadline", scheduler.policy, &scheduler.deadline, err);
        if (r == 0)
                r = spec_nanoseconds(&at, "period", scheduler.policy, &scheduler.period, err);
        if (r < 0)
                return r;
        scheduler.nice = (int32_t) nice;
        scheduler.priority = (uint32_t) priority;
        scheduler.flags = flags;
        tlv_put(writer, PLAN_SCHEDULER, &scheduler, sizeof scheduler);
        return 0;
}

static int spec_io_priority(const struct json_at *process, struct tlv_writer *writer, struct berth_error *err) {
        uint32_t class = 0;
        int64_t level = 0;
        struct json_at at;

        if (!json_member(process, "ioPriority", &at))
                return 0;
        int r = json_check_object(&at, err);
        if (r == 0)
                r = spec_required_word(&at, "class", spec_io_classes, "class", &class, err);
        if (r == 0)
                r = json_number_member(&at, "priority", 0, 7, &level, err);
        if (r < 0)
                return r;
        uint32_t value = class << 13 | (uint32_t) level;
        tlv_put(writer, PLAN_IO_PRIORITY, &value, sizeof value);
        return 0;
}

/* "" when there is none. */
static int spec_list(const struct json_at *at, const char *key, const char **ret, struct berth_error *err) {
        struct number_list list;
        struct json_at member;

        *ret = "";
        if (!json_member(at, key, &member))
                return 0;
        int r = json_text(&member, ret, err);
        if (r < 0 || **ret == '\0')
                return r;
        r = number_list_parse(*ret, &list);
        if (r == -ERANGE)
                return json_fail(&member, err, "'%s' has a number above %d", *ret, NUMBER_LIST_MAX - 1);
        return r < 0 ? json_fail(&member, err, "'%s' is not a list like 0-3,7", *ret) : 0;
}

/* It is about execs; the container's first process, where it is only looked at, has `writer` NULL. */
static int spec_affinity(const struct json_at *process, struct tlv_writer *writer, struct berth_error *err) {
        const char *initial, *final;
        struct json_at at;

        if (!json_member(process, "execCPUAffinity", &at))
                return 0;
        int r = json_check_object(&at, err);
        if (r == 0)
                r = spec_list(&at, "initial", &initial, err);
        if (r == 0)
                r = spec_list(&at, "final", &final, err);
        if (r == 0 && writer && (*initial || *final))
                tlv_put_pair(writer, PLAN_CPU_AFFINITY, initial, strlen(initial) + 1, final);
        return r;
}

int spec_write_schedule(const struct json_at *process, bool exec, struct tlv_writer *writer, struct berth_error *err) {
        int r = spec_scheduler(process, writer, err);
        if (r == 0)
                r = spec_io_priority(process, writer, err);
        return r == 0 ? spec_affinity(process, exec ? writer : NULL, err) : r;
}

static int spec_memory_policy(const struct json_at *at, struct tlv_writer *writer, struct berth_error *err) {
        uint32_t numbers[2] = {0};
        const char *nodes;
        struct json_at policy;

        if (!json_member(at, "memoryPolicy", &policy))
                return 0;
        int r = json_check_object(&policy, err);
        if (r == 0)
                r = spec_required_word(&policy, "mode", spec_memory_modes, "mode", &numbers[0], err);
        if (r == 0)
                r = spec_list(&policy, "nodes", &nodes, err);
        if (r == 0)
                r = json_flags_member(&policy, "flags", spec_memory_flags, &numbers[1], err);
        if (r == 0)
                tlv_put_pair(writer, PLAN_MEMORY_POLICY, numbers, sizeof numbers, nodes);
        return r;
}

static int spec_personality(const struct json_at *at, struct tlv_writer *writer, struct berth_error *err) {
        struct json_at personality, flags;
        uint32_t domain = 0;
        size_t n = 0;

        if (!json_member(at, "personality", &personality))
                return 0;
        int r = json_check_object(&personality, err);
        if (r == 0)
                r = spec_required_word(&personality, "domain", spec_personalities, "domain", &domain, err);
        if (r == 0)
                r = json_list_member(&personality, "flags", &flags, &n, err);
        if (r == 0 && n > 0)
                return json_fail(&flags, err, "the runtime-spec knows no flags of a personality");
        uint64_t value = domain;
        if (r == 0)
                tlv_put(writer, PLAN_PERSONALITY, &value, sizeof value);
        return r;
}

int spec_write_linux_process(const struct json_at *at, struct tlv_writer *writer, struct berth_error *err) {
        int r = spec_memory_policy(at, writer, err);
        return r == 0 ? spec_personality(at, writer, err) : r;
}
