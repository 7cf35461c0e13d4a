/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs.h"

#include <errno.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/vfs.h>

#include "cleanup.h"
#include "idmap.h"
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

static int rootfs_overlay(const struct plan *plan, int userns, int *ret_root, struct berth_error *err) {
        const struct keeper_plan *keeper = &plan->keeper;
        _cleanup_close_ int root = -1, tree = -1;
        struct overlay_maker maker = {0};
        bool attached = false;
        int r;

        if (userns >= 0) {
                r = overlay_map_layers(keeper, userns, &maker, err);
                if (r == 0)
                        r = overlay_mount_as(keeper, plan->container.mount_label, &maker, &root, &attached, err);
        } else {
                r = overlay_mount(keeper, plan->container.mount_label, &root, &attached, err);
        }
        if (r < 0 || !attached)
                return r < 0 ? r : give_fd(ret_root, &root);
        tree = sys_open_tree(root, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
        return tree < 0 ? berth_error_set(err, errno, "copy the mount of the root filesystem") : give_fd(ret_root, &tree);
}

int rootfs_open(const struct plan *plan, int userns, int *ret_root, struct berth_error *err) {
        _cleanup_close_ int root = -1;

        if (plan->keeper.rootfs == PLAN_ROOTFS_OVERLAY)
                return rootfs_overlay(plan, userns, ret_root, err);
        int r = rootfs_directory(plan, &root, err);
        if (r == 0 && userns >= 0)
                r = idmap_mount(root, true, userns, plan->keeper.rootfs_path, err);
        return r < 0 ? r : give_fd(ret_root, &root);
}

/*
 * Users of another namespace may be kept from the host's private directories, but not from /dev, of which nothing is needed any more: the
 * devices are prepared.
 */
static int rootfs_attach_prepared(struct rootfs_prepared *prepared, int *ret_root, struct berth_error *err) {
        if (prepared->devices >= 0 && sys_move_mount(prepared->devices, "", AT_FDCWD, "/dev", MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return berth_error_set(err, errno, "mount the devices of the container");
        if (sys_move_mount(prepared->root, "", AT_FDCWD, "/dev", MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return berth_error_set(err, errno, "mount the root filesystem in the container's user namespace");
        return give_fd(ret_root, &prepared->root);
}

static int rootfs_attach_own(const struct plan *plan, int *ret_root, struct berth_error *err) {
        const struct keeper_plan *keeper = &plan->keeper;
        _cleanup_close_ int root = -1;
        bool attached = false;

        int r = keeper->rootfs == PLAN_ROOTFS_OVERLAY ? overlay_mount(keeper, plan->container.mount_label, &root, &attached, err)
                                                      : rootfs_directory(plan, &root, err);
        if (r < 0)
                return r;
        if (!attached && sys_move_mount(root, "", AT_FDCWD, keeper->rootfs_path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return berth_error_set(err, errno, "mount the root filesystem on '%s'", keeper->rootfs_path);
        return give_fd(ret_root, &root);
}

int rootfs_attach(const struct plan *plan, struct rootfs_prepared *prepared, int *ret_root, struct berth_error *err) {
        _cleanup_close_ int root = -1;
        uint64_t propagation = plan->container.root_propagation;

        int r = prepared->root >= 0 ? rootfs_attach_prepared(prepared, &root, err) : rootfs_attach_own(plan, &root, err);
        if (r == 0 && propagation) {
                r = mount_set(root, (propagation & MS_REC) != 0, 0, 0, propagation & ~(uint64_t) MS_REC);
                /* A shared root cannot be pivoted to: it becomes so afterwards. */
                if (r == 0 && propagation & MS_SHARED)
                        r = mount_set(root, false, 0, 0, MS_PRIVATE);
                if (r < 0)
                        return berth_error_set(err, -r, "set the propagation of the root filesystem");
        }
        return r < 0 ? r : give_fd(ret_root, &root);
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

/* Whether the namespace's root is the kernel's first file system, an initramfs that some machines run on. */
static bool rootfs_is_first(void) {
        struct statfs fs;

        return statfs("/", &fs) == 0 && ((unsigned long) fs.f_type == RAMFS_MAGIC || (unsigned long) fs.f_type == TMPFS_MAGIC);
}

int rootfs_pivot(int root, const struct plan_container *container, struct berth_error *err) {
        int r = rootfs_leave_chroot(err);
        if (r < 0)
                return r;
        if (fchdir(root) < 0)
                return berth_error_set(err, errno, "enter the root filesystem");
        /* The old root ends up stacked on the new one, at the same place, so no directory for it is needed (pivot_root(2)). */
        if (container->no_pivot || sys_pivot_root(".", ".") < 0) {
                if (!container->no_pivot && (errno != EINVAL || !rootfs_is_first()))
                        return berth_error_set(err, errno, "pivot into the root filesystem");
                r = rootfs_cover(root, err);
                if (r < 0)
                        return r;
        } else if (sys_umount2(".", MNT_DETACH) < 0) {
                return berth_error_set(err, errno, "detach the host's root filesystem");
        }
        if (chdir("/") < 0)
                return berth_error_set(err, errno, "enter the root filesystem");
        if (container->root_propagation & MS_SHARED) {
                r = mount_set(root, false, 0, 0, MS_SHARED);
                if (r < 0)
                        return berth_error_set(err, -r, "share the mounts of the root filesystem");
        }
        return 0;
}
