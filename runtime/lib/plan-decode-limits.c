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

/* The lists while they are filled; struct cgroup_limits shows them read-only. */
struct limit_lists {
        struct cgroup_device_rule *rules;
        const char **unified;
        struct cgroup_blkio_device *blkio;
        struct cgroup_hugepage_limit *hugepages;
        struct cgroup_rdma_limit *rdma;
        struct cgroup_network_priority *priorities;
};

static int plan_limit_lists(struct plan *plan, struct tlv_reader reader, struct limit_lists *ret, struct berth_error *err) {
        struct cgroup_limits *limits = &plan->container.limits;

        ret->rules = plan_allocate(plan, plan_count(reader, PLAN_DEVICE_RULE), sizeof *ret->rules);
        ret->unified = plan_allocate(plan, (size_t) plan_count(reader, PLAN_UNIFIED) * 2, sizeof *ret->unified);
        ret->blkio = plan_allocate(plan, plan_count(reader, PLAN_BLKIO_DEVICE), sizeof *ret->blkio);
        ret->hugepages = plan_allocate(plan, plan_count(reader, PLAN_HUGEPAGE_LIMIT), sizeof *ret->hugepages);
        ret->rdma = plan_allocate(plan, plan_count(reader, PLAN_RDMA_LIMIT), sizeof *ret->rdma);
        ret->priorities = plan_allocate(plan, plan_count(reader, PLAN_NETWORK_PRIORITY), sizeof *ret->priorities);
        if (!ret->rules || !ret->unified || !ret->blkio || !ret->hugepages || !ret->rdma || !ret->priorities)
                return plan_damaged(err, "too many records");
        limits->device_rules = ret->rules;
        limits->unified = ret->unified;
        limits->blkio_devices = ret->blkio;
        limits->hugepages = ret->hugepages;
        limits->rdma = ret->rdma;
        limits->network_priorities = ret->priorities;
        return 0;
}

/* A fixed part, then one string and nothing else. */
static bool plan_tailed(const struct tlv_record *record, void *fixed, uint32_t size, const char **ret) {
        uint32_t offset = size;

        if (!tlv_copy(record, fixed, size))
                return false;
        *ret = tlv_string_at(record, &offset);
        return *ret && offset == record->size;
}

static int plan_decode_limit_record(const struct tlv_record *record, struct limit_lists *lists, struct cgroup_limits *limits,
                                    struct berth_error *err) {
        uint32_t pair[2];
        bool ok = true;

        switch (record->tag) {
        case PLAN_LIMIT:
                return plan_decode_limit(record, limits, err);
        case PLAN_CPUSET_CPUS:
                return plan_string(record, &limits->cpuset_cpus, err);
        case PLAN_CPUSET_MEMS:
                return plan_string(record, &limits->cpuset_mems, err);
        case PLAN_DEVICE_RULE:
                ok = tlv_copy(record, &lists->rules[limits->n_device_rules++], sizeof *lists->rules);
                break;
        case PLAN_UNIFIED: {
                const char **words = &lists->unified[2 * (size_t) limits->n_unified++];
                ok = plan_pair(record, &words[0], &words[1]);
                break;
        }
        case PLAN_BLKIO_DEVICE:
                ok = tlv_copy(record, &lists->blkio[limits->n_blkio_devices++], sizeof *lists->blkio);
                break;
        case PLAN_HUGEPAGE_LIMIT: {
                struct cgroup_hugepage_limit *limit = &lists->hugepages[limits->n_hugepages++];
                ok = plan_tailed(record, &limit->bytes, sizeof limit->bytes, &limit->size);
                break;
        }
        case PLAN_RDMA_LIMIT: {
                struct cgroup_rdma_limit *limit = &lists->rdma[limits->n_rdma++];
                ok = plan_tailed(record, pair, sizeof pair, &limit->device);
                limit->handles = pair[0];
                limit->objects = pair[1];
                break;
        }
        case PLAN_NETWORK_PRIORITY: {
                struct cgroup_network_priority *priority = &lists->priorities[limits->n_network_priorities++];
                ok = plan_tailed(record, &priority->priority, sizeof priority->priority, &priority->link);
                break;
        }
        default:
                break; /* of another part of the container, or refused there */
        }
        return ok ? 0 : plan_damaged(err, "a limit of the container");
}

int plan_decode_limits(struct plan *plan, struct tlv_reader reader, struct berth_error *err) {
        struct cgroup_limits *limits = &plan->container.limits;
        struct limit_lists lists;
        struct tlv_record record;

        *limits = CGROUP_LIMITS_NONE;
        int r = plan_limit_lists(plan, reader, &lists, err);
        while (r == 0 && tlv_next(&reader, &record) > 0)
                r = plan_decode_limit_record(&record, &lists, limits, err);
        return r;
}
