/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sched.h>

#include "cleanup.h"
#include "mount.h"
#include "rootfs.h"

static bool rootfs_in_userns(const struct plan *plan) {
        return plan_namespace_of(&plan->container, CLONE_NEWUSER) != NULL;
}

bool rootfs_needs_preparation(const struct plan *plan) {
        if (rootfs_in_userns(plan))
                return true;
        for (uint32_t i = 0; i < plan->container.n_mounts; i++)
                if (plan->container.mounts[i].flags & (PLAN_MOUNT_ID_MAPPED | PLAN_MOUNT_ID_MAPPED_SUBTREE))
                        return true;
        return false;
}

int rootfs_prepare(struct plan *plan, int userns, struct rootfs_prepared *ret, struct berth_error *err) {
        struct rootfs_prepared prepared = ROOTFS_PREPARED_NONE;

        if (!rootfs_needs_preparation(plan)) {
                *ret = prepared;
                return 0;
        }
        prepared.sources = true;
        int r = mount_open_sources(&plan->container, err);
        if (r == 0 && rootfs_in_userns(plan))
                r = rootfs_open(plan, &prepared.root, err);
        if (r == 0 && rootfs_in_userns(plan) && !mount_dev_is_bound(&plan->container))
                r = devnode_prepare(&plan->container, &prepared.devices, err);
        /* The maps of a namespace that is joined are known to the kernel only. */
        if (r == 0 && prepared.devices >= 0 && plan->container.n_id_maps == 0 && userns >= 0) {
                r = mount_map_ids(prepared.devices, false, userns);
                if (r < 0)
                        r = berth_error_set(err, -r, "give the devices to the users of the user namespace (needs kernel 6.3)");
        }
        if (r < 0) {
                rootfs_release_prepared(plan, &prepared);
                return r;
        }
        *ret = prepared;
        return 0;
}

void rootfs_release_prepared(struct plan *plan, struct rootfs_prepared *prepared) {
        for (uint32_t i = 0; prepared->sources && i < plan->container.n_mounts; i++) {
                cleanup_close(&plan->container.mounts[i].fd);
                plan->container.mounts[i].fd = -1;
        }
        cleanup_close(&prepared->root);
        cleanup_close(&prepared->devices);
        *prepared = ROOTFS_PREPARED_NONE;
}
