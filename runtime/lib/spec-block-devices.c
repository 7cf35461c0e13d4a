/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup.h"
#include "spec-resources.h"

static int spec_block_limit(const struct json_at *item, const char *key, enum cgroup_blkio_kind kind, struct cgroup_blkio_device *device,
                            struct tlv_writer *writer, struct berth_error *err) {
        int64_t value = -1;
        int r = json_number_member(item, key, 0, INT64_MAX, &value, err);
        if (r < 0 || value < 0)
                return r;
        device->kind = kind;
        device->value = (uint64_t) value;
        tlv_put(writer, PLAN_BLKIO_DEVICE, device, sizeof *device);
        return 1;
}

static int spec_block_device(const struct json_at *item, struct cgroup_blkio_device *ret, struct berth_error *err) {
        struct json_at member;
        int64_t major = 0, minor = 0;

        int r = json_required(item, "major", &member, err);
        if (r == 0)
                r = json_number(&member, 0, UINT32_MAX, &major, err);
        if (r == 0)
                r = json_required(item, "minor", &member, err);
        if (r == 0)
                r = json_number(&member, 0, UINT32_MAX, &minor, err);
        if (r == 0)
                *ret = (struct cgroup_blkio_device){.major = (uint32_t) major, .minor = (uint32_t) minor};
        return r;
}

int spec_write_block_devices(const struct json_at *resources, struct tlv_writer *writer, struct berth_error *err) {
        static const struct {
                const char *list, *key;
                enum cgroup_blkio_kind kind;
        } lists[] = {
                {"weightDevice", "weight", CGROUP_BLKIO_WEIGHT},
                {"weightDevice", "leafWeight", CGROUP_BLKIO_LEAF_WEIGHT},
                {"throttleReadBpsDevice", "rate", CGROUP_BLKIO_READ_BPS},
                {"throttleWriteBpsDevice", "rate", CGROUP_BLKIO_WRITE_BPS},
                {"throttleReadIOPSDevice", "rate", CGROUP_BLKIO_READ_IOPS},
                {"throttleWriteIOPSDevice", "rate", CGROUP_BLKIO_WRITE_IOPS},
        };
        struct json_at block, list;

        if (!json_member(resources, "blockIO", &block))
                return 0;
        for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
                size_t n;
                int r = json_list_member(&block, lists[i].list, &list, &n, err);
                for (size_t at = 0; r >= 0 && at < n; at++) {
                        struct json_at item = json_item(&list, at);
                        struct cgroup_blkio_device device;
                        r = json_check_object(&item, err);
                        if (r == 0)
                                r = spec_block_device(&item, &device, err);
                        if (r == 0)
                                r = spec_block_limit(&item, lists[i].key, lists[i].kind, &device, writer, err);
                        if (r == 0 && lists[i].kind >= CGROUP_BLKIO_READ_BPS)
                                return json_fail(&item, err, "rate is missing");
                }
                if (r < 0)
                        return r;
        }
        return 0;
}
