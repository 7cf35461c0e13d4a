/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "cgroup-internal.h"

/* The BFQ scheduler has weights of its own, which it counts from 1 to 1000 in both versions. */
static bool has_bfq(int directory, const char *file) {
        return faccessat(directory, file, F_OK, 0) == 0;
}

static int set_device(int directory, const char *file, const struct cgroup_blkio_device *device, uint64_t value, struct berth_error *err) {
        char text[64];
        (void) snprintf(text, sizeof(text), "%u:%u %" PRIu64, device->major, device->minor, value);
        return cgroup_file_set(directory, file, text, err);
}

int cgroup_v1_apply_block_io(int directory, const struct cgroup_limits *limits, struct berth_error *err) {
        bool bfq = has_bfq(directory, "blkio.bfq.weight");
        const char *const files[] = {
                [CGROUP_BLKIO_WEIGHT] = bfq ? "blkio.bfq.weight_device" : "blkio.weight_device",
                [CGROUP_BLKIO_LEAF_WEIGHT] = "blkio.leaf_weight_device",
                [CGROUP_BLKIO_READ_BPS] = "blkio.throttle.read_bps_device",
                [CGROUP_BLKIO_WRITE_BPS] = "blkio.throttle.write_bps_device",
                [CGROUP_BLKIO_READ_IOPS] = "blkio.throttle.read_iops_device",
                [CGROUP_BLKIO_WRITE_IOPS] = "blkio.throttle.write_iops_device",
        };
        int r = 0;
        if (limits->blkio_weight != CGROUP_UNSET)
                r = cgroup_file_set_number(directory, bfq ? "blkio.bfq.weight" : "blkio.weight", limits->blkio_weight, err);
        if (r == 0 && limits->blkio_leaf_weight != CGROUP_UNSET)
                r = cgroup_file_set_number(directory, "blkio.leaf_weight", limits->blkio_leaf_weight, err);
        for (uint32_t i = 0; r == 0 && i < limits->n_blkio_devices; i++) {
                const struct cgroup_blkio_device *device = &limits->blkio_devices[i];
                if (device->kind >= sizeof(files) / sizeof(files[0]))
                        return berth_error_set(err, EINVAL, "unknown kind %u of a block device limit", device->kind);
                r = set_device(directory, files[device->kind], device, device->value, err);
        }
        return r;
}

/* v1's 10…1000 to the 1…10000 of io.weight. */
static int64_t to_io_weight(int64_t weight) {
        return 1 + (weight - 10) * 9999 / 990;
}

static int set_maximum(int directory, const char *key, const struct cgroup_blkio_device *device, struct berth_error *err) {
        char text[96], value[24] = "max"; /* zero lifts a limit, as in v1 */
        if (device->value > 0)
                (void) snprintf(value, sizeof(value), "%" PRIu64, device->value);
        (void) snprintf(text, sizeof(text), "%u:%u %s=%s", device->major, device->minor, key, value);
        return cgroup_file_set(directory, "io.max", text, err);
}

static int apply_device(int directory, bool bfq, const struct cgroup_blkio_device *device, struct berth_error *err) {
        static const char *const keys[] = {
                [CGROUP_BLKIO_READ_BPS] = "rbps",
                [CGROUP_BLKIO_WRITE_BPS] = "wbps",
                [CGROUP_BLKIO_READ_IOPS] = "riops",
                [CGROUP_BLKIO_WRITE_IOPS] = "wiops",
        };
        if (device->kind == CGROUP_BLKIO_LEAF_WEIGHT)
                return berth_error_set(err, EOPNOTSUPP, "cgroup v2 has no leaf weight of block devices (asked for: %" PRIu64 ")", device->value);
        if (device->kind == CGROUP_BLKIO_WEIGHT && bfq)
                return set_device(directory, "io.bfq.weight", device, device->value, err);
        if (device->kind == CGROUP_BLKIO_WEIGHT)
                return set_device(directory, "io.weight", device, (uint64_t) to_io_weight((int64_t) device->value), err);
        if (device->kind >= sizeof(keys) / sizeof(keys[0]))
                return berth_error_set(err, EINVAL, "unknown kind %u of a block device limit", device->kind);
        return set_maximum(directory, keys[device->kind], device, err);
}

int cgroup_v2_apply_block_io(int directory, const struct cgroup_limits *limits, struct berth_error *err) {
        bool bfq = has_bfq(directory, "io.bfq.weight");
        int r = 0;
        if (limits->blkio_leaf_weight != CGROUP_UNSET)
                return berth_error_set(err, EOPNOTSUPP, "cgroup v2 has no leaf weight of block devices (asked for: %" PRId64 ")",
                                       limits->blkio_leaf_weight);
        if (limits->blkio_weight != CGROUP_UNSET)
                r = bfq ? cgroup_file_set_number(directory, "io.bfq.weight", limits->blkio_weight, err)
                        : cgroup_file_set_number(directory, "io.weight", to_io_weight(limits->blkio_weight), err);
        for (uint32_t i = 0; r == 0 && i < limits->n_blkio_devices; i++)
                r = apply_device(directory, bfq, &limits->blkio_devices[i], err);
        return r;
}
