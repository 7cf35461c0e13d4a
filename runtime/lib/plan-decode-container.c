/* SPDX-License-Identifier: Apache-2.0 */
#include "plan-decode.h"

/* The repeated records that are more than a string; each array is filled in the order of the image. */
struct plan_arrays {
        struct plan_namespace *namespaces;
        struct plan_device *devices;
        struct plan_pair *sysctls;
        struct plan_pair *net_devices;
        struct plan_hook *hooks;
};

static int plan_container_arrays(struct plan *plan, struct tlv_reader reader, struct plan_arrays *arrays, struct berth_error *err) {
        struct plan_container *container = &plan->container;

        arrays->namespaces = plan_allocate(plan, plan_count(reader, PLAN_NAMESPACE), sizeof *arrays->namespaces);
        arrays->devices = plan_allocate(plan, plan_count(reader, PLAN_DEVICE), sizeof *arrays->devices);
        arrays->sysctls = plan_allocate(plan, plan_count(reader, PLAN_SYSCTL), sizeof *arrays->sysctls);
        arrays->net_devices = plan_allocate(plan, plan_count(reader, PLAN_NET_DEVICE), sizeof *arrays->net_devices);
        arrays->hooks = plan_allocate(plan, plan_count(reader, PLAN_HOOK), sizeof *arrays->hooks);
        container->mounts = plan_allocate(plan, plan_count(reader, PLAN_MOUNT), sizeof *container->mounts);
        if (!arrays->namespaces || !arrays->devices || !arrays->sysctls || !arrays->net_devices || !arrays->hooks || !container->mounts)
                return plan_damaged(err, "too many records");
        container->namespaces = arrays->namespaces;
        container->devices = arrays->devices;
        container->sysctls = arrays->sysctls;
        container->net_devices = arrays->net_devices;
        container->hooks = arrays->hooks;

        int r = plan_strings(plan, reader, PLAN_MASKED_PATH, &container->masked_paths, &container->n_masked_paths, err);
        if (r == 0)
                r = plan_strings(plan, reader, PLAN_READONLY_PATH, &container->readonly_paths, &container->n_readonly_paths, err);
        if (r == 0)
                r = plan_structs(plan, reader, PLAN_ID_MAP, sizeof *container->id_maps, (const void **) &container->id_maps, &container->n_id_maps,
                                 err);
        if (r == 0)
                r = plan_structs(plan, reader, PLAN_TIME_OFFSET, sizeof *container->time_offsets, (const void **) &container->time_offsets,
                                 &container->n_time_offsets, err);
        return r;
}

bool plan_pair(const struct tlv_record *record, const char **ret_key, const char **ret_value) {
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

static bool plan_decode_hook(struct plan *plan, const struct tlv_record *record, struct plan_hook *ret) {
        uint32_t numbers[4], offset = sizeof numbers;

        if (!tlv_copy(record, numbers, sizeof numbers) || numbers[0] >= PLAN_HOOK_KINDS || numbers[2] == 0)
                return false;
        /* Each is at least its NUL, so the counts cannot be larger than the record. */
        if (numbers[2] > record->size || numbers[3] > record->size)
                return false;
        const char **argv = plan_allocate(plan, (size_t) numbers[2] + 1, sizeof *argv);
        const char **envp = plan_allocate(plan, (size_t) numbers[3] + 1, sizeof *envp);
        const char *path = tlv_string_at(record, &offset);
        if (!argv || !envp || !path)
                return false;
        for (uint32_t i = 0; i < numbers[2]; i++)
                if (!(argv[i] = tlv_string_at(record, &offset)))
                        return false;
        for (uint32_t i = 0; i < numbers[3]; i++)
                if (!(envp[i] = tlv_string_at(record, &offset)))
                        return false;
        *ret = (struct plan_hook){.kind = (enum plan_hook_kind) numbers[0], .timeout = numbers[1], .path = path, .argv = argv, .envp = envp};
        return offset == record->size;
}

int plan_decode_container(struct plan *plan, struct tlv_reader reader, struct berth_error *err) {
        struct plan_container *container = &plan->container;
        struct plan_arrays arrays;
        struct tlv_record record;

        int r = plan_container_arrays(plan, reader, &arrays, err);
        if (r == 0)
                r = plan_decode_limits(plan, reader, err);
        while (r == 0 && tlv_next(&reader, &record) > 0) {
                bool ok = true;
                switch (record.tag) {
                case PLAN_MASKED_PATH:
                case PLAN_READONLY_PATH:
                case PLAN_ID_MAP:
                case PLAN_TIME_OFFSET:
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
                        ok = plan_pair(&record, &pair->key, &pair->value);
                        break;
                }
                case PLAN_NET_DEVICE: {
                        struct plan_pair *pair = &arrays.net_devices[container->n_net_devices++];
                        ok = plan_pair(&record, &pair->key, &pair->value);
                        break;
                }
                case PLAN_HOOK:
                        ok = plan_decode_hook(plan, &record, &arrays.hooks[container->n_hooks++]);
                        break;
                case PLAN_STATE:
                        r = plan_string(&record, &container->state, err);
                        break;
                case PLAN_MOUNT_LABEL:
                        r = plan_string(&record, &container->mount_label, err);
                        break;
                case PLAN_NO_PIVOT:
                        container->no_pivot = true;
                        break;
                case PLAN_CGROUP_PATH:
                        r = plan_string(&record, &container->cgroup_path, err);
                        break;
                case PLAN_LIMIT:
                case PLAN_CPUSET_CPUS:
                case PLAN_CPUSET_MEMS:
                case PLAN_DEVICE_RULE:
                case PLAN_UNIFIED:
                case PLAN_HUGEPAGE_LIMIT:
                case PLAN_RDMA_LIMIT:
                case PLAN_BLKIO_DEVICE:
                case PLAN_NETWORK_PRIORITY:
                        break; /* plan_decode_limits has them */
                default:
                        r = plan_unknown(&record, "container", err);
                }
                if (!ok)
                        return plan_damaged(err, "a record of the container");
        }
        return r;
}
