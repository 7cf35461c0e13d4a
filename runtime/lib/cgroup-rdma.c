/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cgroup-internal.h"

static size_t add_word(char *text, size_t capacity, size_t used, const char *key, uint32_t value) {
        return value == UINT32_MAX ? used : used + (size_t) snprintf(text + used, capacity - used, " %s=%u", key, value);
}

/* The file is the same in v1 and v2: "mlx5_0 hca_handle=2 hca_object=2000". */
int cgroup_apply_rdma(int directory, const struct cgroup_limits *limits, struct berth_error *err) {
        int r = 0;
        for (uint32_t i = 0; r == 0 && i < limits->n_rdma; i++) {
                const struct cgroup_rdma_limit *limit = &limits->rdma[i];
                char text[160];
                size_t used = (size_t) snprintf(text, sizeof(text), "%.63s", limit->device);
                used = add_word(text, sizeof(text), used, "hca_handle", limit->handles);
                (void) add_word(text, sizeof(text), used, "hca_object", limit->objects);
                r = cgroup_file_set(directory, "rdma.max", text, err);
        }
        return r;
}
