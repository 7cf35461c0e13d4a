/* SPDX-License-Identifier: Apache-2.0 */
#include "plan-decode.h"

static int plan_decode_limit(const struct tlv_record *record, struct cgroup_limits *limits, struct berth_error *err) {
        struct {
                uint32_t which, reserved;
                int64_t value;
        } limit;

        if (!tlv_copy(record, &limit, sizeof limit))
                return plan_damaged(err, "a limit");
        switch (limit.which) {
        case PLAN_LIMIT_MEMORY:
                limits->memory_limit = limit.value;
                return 0;
        case PLAN_LIMIT_MEMORY_RESERVATION:
                limits->memory_reservation = limit.value;
                return 0;
        case PLAN_LIMIT_MEMORY_SWAP:
                limits->memory_swap = limit.value;
                return 0;
        case PLAN_LIMIT_MEMORY_SWAPPINESS:
                limits->memory_swappiness = limit.value;
                return 0;
        case PLAN_LIMIT_MEMORY_DISABLE_OOM_KILLER:
                limits->memory_disable_oom_killer = limit.value;
                return 0;
        case PLAN_LIMIT_CPU_SHARES:
                limits->cpu_shares = limit.value;
                return 0;
        case PLAN_LIMIT_CPU_QUOTA:
                limits->cpu_quota = limit.value;
                return 0;
        case PLAN_LIMIT_CPU_PERIOD:
                limits->cpu_period = limit.value;
                return 0;
        case PLAN_LIMIT_CPU_BURST:
                limits->cpu_burst = limit.value;
                return 0;
        case PLAN_LIMIT_CPU_RT_RUNTIME:
                limits->cpu_rt_runtime = limit.value;
                return 0;
        case PLAN_LIMIT_CPU_RT_PERIOD:
                limits->cpu_rt_period = limit.value;
                return 0;
        case PLAN_LIMIT_CPU_IDLE:
                limits->cpu_idle = limit.value;
                return 0;
        case PLAN_LIMIT_PIDS:
                limits->pids_limit = limit.value;
                return 0;
        case PLAN_LIMIT_BLKIO_WEIGHT:
                limits->blkio_weight = limit.value;
                return 0;
        case PLAN_LIMIT_BLKIO_LEAF_WEIGHT:
                limits->blkio_leaf_weight = limit.value;
                return 0;
        case PLAN_LIMIT_NETWORK_CLASS:
                limits->network_class = limit.value;
                return 0;
        case PLAN_LIMIT_MEMORY_CHECK_BEFORE_UPDATE:
                limits->memory_check_before_update = limit.value != 0;
                return 0;
        default:
                return plan_unknown(record, "limit", err);
        }
}

static int plan_limit_arrays(struct plan *plan, struct tlv_reader reader, struct cgroup_device_rule **ret_rules, const char ***ret_unified,
                             struct berth_error *err) {
        *ret_rules = plan_allocate(plan, plan_count(reader, PLAN_DEVICE_RULE), sizeof **ret_rules);
        *ret_unified = plan_allocate(plan, (size_t) plan_count(reader, PLAN_UNIFIED) * 2, sizeof **ret_unified);
        return *ret_rules && *ret_unified ? 0 : plan_damaged(err, "too many records");
}

int plan_decode_limits(struct plan *plan, struct tlv_reader reader, struct berth_error *err) {
        struct cgroup_limits *limits = &plan->container.limits;
        struct cgroup_device_rule *rules = NULL;
        const char **unified = NULL;
        struct tlv_record record;

        *limits = CGROUP_LIMITS_NONE;
        int r = plan_limit_arrays(plan, reader, &rules, &unified, err);
        limits->device_rules = rules;
        limits->unified = unified;
        while (r == 0 && tlv_next(&reader, &record) > 0) {
                bool ok = true;
                switch (record.tag) {
                case PLAN_LIMIT:
                        r = plan_decode_limit(&record, limits, err);
                        break;
                case PLAN_CPUSET_CPUS:
                        r = plan_string(&record, &limits->cpuset_cpus, err);
                        break;
                case PLAN_CPUSET_MEMS:
                        r = plan_string(&record, &limits->cpuset_mems, err);
                        break;
                case PLAN_DEVICE_RULE:
                        ok = tlv_copy(&record, &rules[limits->n_device_rules++], sizeof *rules);
                        break;
                case PLAN_UNIFIED: {
                        const char **pair = &unified[2 * (size_t) limits->n_unified++];
                        ok = plan_pair(&record, &pair[0], &pair[1]);
                        break;
                }
                default:
                        break; /* of another part of the container, or refused there */
                }
                if (!ok)
                        return plan_damaged(err, "a limit of the container");
        }
        return r;
}
