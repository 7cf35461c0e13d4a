/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sched.h>

#include "cleanup.h"
#include "idmap.h"
#include "mount.h"
#include "overlay.h"
#include "rootfs.h"

static bool rootfs_in_userns(const struct plan *plan) {
        return plan_namespace_of(&plan->container, CLONE_NEWUSER) != NULL;
}

bool rootfs_needs_preparation(const struct plan *plan) {
        if (rootfs_in_userns(plan) || plan->keeper.rootfs_id_mapped)
                return true;
        for (uint32_t i = 0; i < plan->container.n_mounts; i++)
                if (plan->container.mounts[i].flags & PLAN_MOUNT_ID_MAPPED)
                        return true;
        return false;
}

static int rootfs_prepare_root(const struct plan *plan, int joined, int *own, int *ret_root, struct berth_error *err) {
        int userns = -1;

        if (plan->keeper.rootfs == PLAN_ROOTFS_OVERLAY && (plan->keeper.rootfs_id_mapped || !overlay_can_detach())) {
                if (unshare(CLONE_NEWNS) < 0)
                        return berth_error_set(err, errno, "make a mount namespace for the layers of the root filesystem");
                int r = rootfs_isolate(err);
                if (r < 0)
                        return r;
        }
        if (!plan->keeper.rootfs_id_mapped)
                return rootfs_open(plan, -1, ret_root, err);
        int r = idmap_userns(&plan->container, joined, own, &userns, err);
        return r < 0 ? r : rootfs_open(plan, userns, ret_root, err);
}

/* The maps of a namespace that is joined are known to the kernel only. */
static int rootfs_prepare_devices(const struct plan *plan, int joined, int *ret_devices, struct berth_error *err) {
        _cleanup_close_ int devices = -1;

        int r = devnode_prepare(&plan->container, &devices, err);
        if (r == 0 && plan->container.n_id_maps == 0 && joined >= 0)
                r = idmap_mount(devices, false, joined, "/dev", err);
        return r < 0 ? r : give_fd(ret_devices, &devices);
}

static void rootfs_release(struct plan *plan, struct rootfs_prepared *prepared) {
        for (uint32_t i = 0; prepared->sources && i < plan->container.n_mounts; i++) {
                cleanup_close(&plan->container.mounts[i].fd);
                plan->container.mounts[i].fd = -1;
        }
        cleanup_close(&prepared->root);
        cleanup_close(&prepared->devices);
        *prepared = ROOTFS_PREPARED_NONE;
}

int rootfs_prepare(struct plan *plan, int userns, struct rootfs_prepared *ret, struct berth_error *err) {
        struct rootfs_prepared prepared = ROOTFS_PREPARED_NONE;
        _cleanup_close_ int own = -1;

        if (!rootfs_needs_preparation(plan)) {
                *ret = prepared;
                return 0;
        }
        if (plan->keeper.rootfs_id_mapped && !rootfs_in_userns(plan))
                return berth_error_set(err, EINVAL, "an id-mapped root filesystem (keeper.rootfs.idMapped) needs a user namespace");

        prepared.sources = true;
        int r = mount_open_sources(&plan->container, err);
        if (r == 0)
                r = idmap_sources(&plan->container, userns, &own, err);
        if (r == 0 && rootfs_in_userns(plan))
                r = rootfs_prepare_root(plan, userns, &own, &prepared.root, err);
        if (r == 0 && rootfs_in_userns(plan))
                r = rootfs_prepare_devices(plan, userns, &prepared.devices, err);
        if (r < 0) {
                rootfs_release(plan, &prepared);
                return r;
        }
        *ret = prepared;
        return 0;
}
