/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cleanup.h"
#include "mount.h"
#include "path.h"
#include "rootfs.h"
#include "sys.h"

static bool mask_missing(int r) {
        return r == -ENOENT || r == -ENOTDIR;
}

static int mask_readonly(int root, const char *path, struct berth_error *err) {
        _cleanup_close_ int target = -1;
        int r = path_open_in_root(root, path, O_PATH, 0, &target);

        if (mask_missing(r))
                return 0;
        if (r < 0)
                return berth_error_set(err, -r, "open '%s' to make it read-only", path);
        _cleanup_close_ int tree = sys_open_tree(target, "", OPEN_TREE_CLONE | AT_RECURSIVE | AT_EMPTY_PATH);
        if (tree < 0)
                return berth_error_set(err, errno, "copy the mount of '%s'", path);
        r = mount_set(tree, true, MOUNT_ATTR_RDONLY, 0, MS_PRIVATE);
        if (r == 0)
                r = mount_move(tree, target);
        return r < 0 ? berth_error_set(err, -r, "make '%s' read-only", path) : 0;
}

/* The host's /dev/null, never the container's, which the image could have made a link (CVE-2025-31133). */
static int mask_open_null(int devices, int *ret_fd, struct berth_error *err) {
        _cleanup_close_ int fd =
                devices >= 0 ? openat(devices, DEVNODE_NULL, O_PATH | O_NOFOLLOW | O_CLOEXEC) : open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return berth_error_set(err, errno, "open /dev/null");
        if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
                return berth_error_set(err, ENODEV, "/dev/null of the host is not the null device");
        return give_fd(ret_fd, &fd);
}

/* One empty read-only directory serves all masks: the first is mounted, later ones are copies of that mount. */
static int mask_empty_directory(int *first, const char *label, int *ret_tree, struct berth_error *err) {
        static const char *const options[] = {"mode=0555", "size=4k", "nr_inodes=1"};

        if (*first < 0)
                return mount_create("tmpfs", "tmpfs", options, sizeof options / sizeof *options, label, MOUNT_ATTR_RDONLY, ret_tree, err);
        *ret_tree = sys_open_tree(*first, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
        return *ret_tree < 0 ? berth_error_set(err, errno, "copy the empty directory of masked paths") : 0;
}

static int mask_hide(int root, const char *path, const char *label, int null, int *directory, struct berth_error *err) {
        _cleanup_close_ int target = -1, tree = -1;
        struct stat st;
        int r = path_open_in_root(root, path, O_PATH, 0, &target);

        if (mask_missing(r))
                return 0;
        if (r < 0)
                return berth_error_set(err, -r, "open '%s' to mask it", path);
        if (fstat(target, &st) < 0)
                return berth_error_set(err, errno, "stat '%s' to mask it", path);

        if (S_ISDIR(st.st_mode)) {
                r = mask_empty_directory(directory, label, &tree, err);
                if (r < 0)
                        return r;
        } else {
                tree = sys_open_tree(null, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
                if (tree < 0)
                        return berth_error_set(err, errno, "copy the mount of /dev/null");
                r = mount_set(tree, false, 0, 0, MS_PRIVATE);
        }
        if (r == 0)
                r = mount_move(tree, target);
        if (r < 0)
                return berth_error_set(err, -r, "mask '%s'", path);
        if (S_ISDIR(st.st_mode) && *directory < 0)
                *directory = take_fd(&tree);
        return 0;
}

int mask_apply(int root, const struct plan_container *container, int devices, struct berth_error *err) {
        _cleanup_close_ int null = -1, directory = -1;
        int r = 0;

        for (uint32_t i = 0; r == 0 && i < container->n_readonly_paths; i++)
                r = mask_readonly(root, container->readonly_paths[i], err);
        if (r == 0 && container->n_masked_paths > 0)
                r = mask_open_null(devices, &null, err);
        for (uint32_t i = 0; r == 0 && i < container->n_masked_paths; i++)
                r = mask_hide(root, container->masked_paths[i], container->mount_label, null, &directory, err);
        return r;
}
