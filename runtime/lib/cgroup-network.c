/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cgroup-internal.h"

int cgroup_v1_apply_priorities(int directory, const struct cgroup_limits *limits, struct berth_error *err) {
        int r = 0;
        for (uint32_t i = 0; r == 0 && i < limits->n_network_priorities; i++) {
                char text[64];
                (void) snprintf(text, sizeof(text), "%.15s %u", limits->network_priorities[i].link, limits->network_priorities[i].priority);
                r = cgroup_file_set(directory, "net_prio.ifpriomap", text, err);
        }
        return r;
}
