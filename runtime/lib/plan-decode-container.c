/* SPDX-License-Identifier: Apache-2.0 */
#include "plan-decode.h"

static int plan_decode_mount(struct plan *plan, struct tlv_reader reader, struct plan_mount *mount, struct berth_error *err) {
        struct tlv_record record;
        uint64_t attrs[5];

        *mount = (struct plan_mount){.type = "", .source = "", .fd = -1};
        int r = plan_strings(plan, reader, PLAN_MOUNT_OPTION, &mount->options, &mount->n_options, err);
        if (r < 0)
                return r;
        while (tlv_next(&reader, &record) > 0) {
                bool ok = true;
                switch (record.tag) {
                case PLAN_MOUNT_OPTION:
                        break;
                case PLAN_MOUNT_DESTINATION:
                        r = plan_string(&record, &mount->destination, err);
                        break;
                case PLAN_MOUNT_TYPE:
                        r = plan_string(&record, &mount->type, err);
                        break;
                case PLAN_MOUNT_SOURCE:
                        r = plan_string(&record, &mount->source, err);
                        break;
                case PLAN_MOUNT_FLAGS:
                        ok = tlv_copy(&record, &mount->flags, sizeof mount->flags);
                        break;
                case PLAN_MOUNT_ATTRS:
                        ok = tlv_copy(&record, attrs, sizeof attrs);
                        if (!ok)
                                break;
                        mount->attr_set = attrs[0];
                        mount->attr_clear = attrs[1];
                        mount->recursive_attr_set = attrs[2];
                        mount->recursive_attr_clear = attrs[3];
                        mount->propagation = attrs[4];
                        break;
                default:
                        r = plan_unknown(&record, "mount", err);
                }
                if (r < 0)
                        return r;
                if (!ok)
                        return plan_damaged(err, "a record of a mount");
        }
        return mount->destination ? 0 : plan_damaged(err, "a mount without a destination");
}

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
        default:
                return plan_unknown(record, "limit", err);
        }
}

/* The repeated records that are more than a string; each array is filled in the order of the image. */
struct plan_arrays {
        struct plan_namespace *namespaces;
        struct plan_device *devices;
        struct plan_pair *sysctls;
        struct cgroup_device_rule *rules;
        const char **unified;
};

static int plan_container_arrays(struct plan *plan, struct tlv_reader reader, struct plan_arrays *arrays, struct berth_error *err) {
        struct plan_container *container = &plan->container;

        arrays->namespaces = plan_allocate(plan, plan_count(reader, PLAN_NAMESPACE), sizeof *arrays->namespaces);
        arrays->devices = plan_allocate(plan, plan_count(reader, PLAN_DEVICE), sizeof *arrays->devices);
        arrays->sysctls = plan_allocate(plan, plan_count(reader, PLAN_SYSCTL), sizeof *arrays->sysctls);
        arrays->rules = plan_allocate(plan, plan_count(reader, PLAN_DEVICE_RULE), sizeof *arrays->rules);
        arrays->unified = plan_allocate(plan, (size_t) plan_count(reader, PLAN_UNIFIED) * 2, sizeof *arrays->unified);
        container->mounts = plan_allocate(plan, plan_count(reader, PLAN_MOUNT), sizeof *container->mounts);
        if (!arrays->namespaces || !arrays->devices || !arrays->sysctls || !arrays->rules || !arrays->unified || !container->mounts)
                return plan_damaged(err, "too many records");
        container->namespaces = arrays->namespaces;
        container->devices = arrays->devices;
        container->sysctls = arrays->sysctls;
        container->limits.device_rules = arrays->rules;
        container->limits.unified = arrays->unified;

        int r = plan_strings(plan, reader, PLAN_MASKED_PATH, &container->masked_paths, &container->n_masked_paths, err);
        if (r == 0)
                r = plan_strings(plan, reader, PLAN_READONLY_PATH, &container->readonly_paths, &container->n_readonly_paths, err);
        return r;
}

static bool plan_decode_pair(const struct tlv_record *record, const char **ret_key, const char **ret_value) {
        uint32_t offset = 0;
        *ret_key = tlv_string_at(record, &offset);
        *ret_value = *ret_key ? tlv_string_at(record, &offset) : NULL;
        return *ret_value && offset == record->size;
}

static bool plan_decode_namespace(const struct tlv_record *record, struct plan_namespace *ret) {
        uint32_t offset = sizeof ret->flag;
        if (!tlv_copy(record, &ret->flag, sizeof ret->flag))
                return false;
        ret->path = tlv_string_at(record, &offset);
        return ret->path != NULL;
}

static bool plan_decode_device(const struct tlv_record *record, struct plan_device *ret) {
        uint32_t numbers[5], offset = sizeof numbers;
        if (!tlv_copy(record, numbers, sizeof numbers))
                return false;
        *ret = (struct plan_device){.mode = numbers[0], .uid = numbers[1], .gid = numbers[2], .major = numbers[3], .minor = numbers[4]};
        ret->path = tlv_string_at(record, &offset);
        return ret->path != NULL;
}

int plan_decode_container(struct plan *plan, struct tlv_reader reader, struct berth_error *err) {
        struct plan_container *container = &plan->container;
        struct cgroup_limits *limits = &container->limits;
        struct plan_arrays arrays;
        struct tlv_record record;

        *limits = CGROUP_LIMITS_NONE;
        int r = plan_container_arrays(plan, reader, &arrays, err);
        while (r == 0 && tlv_next(&reader, &record) > 0) {
                bool ok = true;
                switch (record.tag) {
                case PLAN_MASKED_PATH:
                case PLAN_READONLY_PATH:
                        break;
                case PLAN_HOSTNAME:
                        r = plan_string(&record, &container->hostname, err);
                        break;
                case PLAN_DOMAINNAME:
                        r = plan_string(&record, &container->domainname, err);
                        break;
                case PLAN_ROOT_READONLY:
                        container->root_readonly = true;
                        break;
                case PLAN_ROOT_PROPAGATION:
                        ok = tlv_copy(&record, &container->root_propagation, sizeof container->root_propagation);
                        break;
                case PLAN_NAMESPACE:
                        ok = plan_decode_namespace(&record, &arrays.namespaces[container->n_namespaces++]);
                        break;
                case PLAN_MOUNT:
                        r = plan_decode_mount(plan, tlv_group(&record), &container->mounts[container->n_mounts++], err);
                        break;
                case PLAN_DEVICE:
                        ok = plan_decode_device(&record, &arrays.devices[container->n_devices++]);
                        break;
                case PLAN_SYSCTL: {
                        struct plan_pair *pair = &arrays.sysctls[container->n_sysctls++];
                        ok = plan_decode_pair(&record, &pair->key, &pair->value);
                        break;
                }
                case PLAN_CGROUP_PATH:
                        r = plan_string(&record, &container->cgroup_path, err);
                        break;
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
                        ok = tlv_copy(&record, &arrays.rules[limits->n_device_rules++], sizeof *arrays.rules);
                        break;
                case PLAN_UNIFIED: {
                        const char **pair = &arrays.unified[2 * (size_t) limits->n_unified++];
                        ok = plan_decode_pair(&record, &pair[0], &pair[1]);
                        break;
                }
                default:
                        r = plan_unknown(&record, "container", err);
                }
                if (!ok)
                        return plan_damaged(err, "a record of the container");
        }
        return r;
}
