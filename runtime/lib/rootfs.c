/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>

#include "cleanup.h"
#include "mount.h"
#include "overlay.h"
#include "sys.h"

int rootfs_isolate(struct berth_error *err) {
        struct mount_attr attr = {.propagation = MS_SLAVE};

        if (sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attr) < 0)
                return berth_error_set(err, errno, "separate the mounts of the container from the host's");
        return 0;
}

static int rootfs_directory(const struct plan *plan, int *ret_tree, struct berth_error *err) {
        const char *path = plan->keeper.rootfs_path;
        _cleanup_close_ int tree = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | AT_RECURSIVE);

        if (tree < 0)
                return berth_error_set(err, errno, "open the root filesystem '%s'", path);
        int r = mount_set(tree, true, 0, 0, MS_PRIVATE);
        if (r < 0)
                return berth_error_set(err, -r, "make the root filesystem '%s' private", path);
        return give_fd(ret_tree, &tree);
}

int rootfs_attach(const struct plan *plan, int *ret_root, struct berth_error *err) {
        const struct keeper_plan *keeper = &plan->keeper;
        _cleanup_close_ int root = -1;
        bool attached = false;

        int r = keeper->rootfs == PLAN_ROOTFS_OVERLAY ? overlay_mount(keeper, &root, &attached, err) : rootfs_directory(plan, &root, err);
        if (r < 0)
                return r;
        if (!attached && sys_move_mount(root, "", AT_FDCWD, keeper->rootfs_path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return berth_error_set(err, errno, "mount the root filesystem on '%s'", keeper->rootfs_path);

        uint64_t propagation = plan->container.root_propagation;
        r = propagation ? mount_set(root, (propagation & MS_REC) != 0, 0, 0, propagation & ~(uint64_t) MS_REC) : 0;
        if (r < 0)
                return berth_error_set(err, -r, "set the propagation of the root filesystem");
        return give_fd(ret_root, &root);
}

/*
 * A daemon in a chroot has a root that is not its mount namespace's. Pivoting only that one would leave the host's above the
 * container's, in reach of every process that may chroot; so the namespace's own root becomes ours first.
 */
static int rootfs_leave_chroot(struct berth_error *err) {
        _cleanup_close_ int self = sys_pidfd_open(getpid());

        if (self < 0 || setns(self, CLONE_NEWNS) < 0)
                return berth_error_set(err, errno, "go to the root of the container's mount namespace");
        return 0;
}

/* The kernel's first file system, an initramfs that some machines run on, can be neither moved nor detached: it is covered. */
static int rootfs_cover(struct berth_error *err) {
        if (mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0)
                return berth_error_set(err, errno, "move the root filesystem over the host's");
        return 0;
}

int rootfs_pivot(int root, struct berth_error *err) {
        int r = rootfs_leave_chroot(err);
        if (r < 0)
                return r;
        if (fchdir(root) < 0)
                return berth_error_set(err, errno, "enter the root filesystem");
        /* The old root ends up stacked on the new one, at the same place, so no directory for it is needed (pivot_root(2)). */
        if (sys_pivot_root(".", ".") < 0) {
                r = errno == EINVAL ? rootfs_cover(err) : berth_error_set(err, errno, "pivot into the root filesystem");
                if (r < 0)
                        return r;
        } else if (sys_umount2(".", MNT_DETACH) < 0) {
                return berth_error_set(err, errno, "detach the host's root filesystem");
        }
        if (chdir("/") < 0)
                return berth_error_set(err, errno, "enter the root filesystem");
        return 0;
}
