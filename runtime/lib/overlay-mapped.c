/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "idmap.h"
#include "overlay.h"
#include "sys.h"

/* The id-mapped copies of the layers' mounts, all opened before the first is mounted: what is mapped already cannot be mapped again. */
struct overlay_trees {
        int *fds;
        uint32_t n;
};

static void overlay_close_trees(struct overlay_trees *trees) {
        for (uint32_t i = 0; i < trees->n; i++)
                (void) close(trees->fds[i]);
        free(trees->fds);
}
#define _cleanup_trees_ __attribute__((cleanup(overlay_close_trees)))

static int overlay_open_tree(struct overlay_trees *trees, const char *path, int userns, struct berth_error *err) {
        _cleanup_close_ int tree = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE);

        if (tree < 0)
                return berth_error_set(err, errno, "open layer '%s' of the root filesystem", path);
        int r = idmap_mount(tree, false, userns, path, err);
        if (r == 0)
                trees->fds[trees->n++] = take_fd(&tree);
        return r;
}

static int overlay_mount_tree(int tree, const char *path, struct berth_error *err) {
        if (sys_move_mount(tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return berth_error_set(err, errno, "mount layer '%s' of the root filesystem over itself", path);
        return 0;
}

/* The directory that both are in, as far as their paths tell: they must be on one mount. */
static int overlay_split(const struct keeper_plan *keeper, char base[PATH_MAX], struct berth_error *err) {
        size_t size = 0;

        for (size_t i = 0; keeper->upper[i] != '\0' && keeper->upper[i] == keeper->work[i]; i++)
                if (keeper->upper[i] == '/')
                        size = i + 1;
        if (size <= 1 || size >= PATH_MAX)
                return berth_error_set(err, EINVAL, "'%s' and '%s' are in no directory together", keeper->upper, keeper->work);
        memcpy(base, keeper->upper, size);
        base[size] = '\0';
        return 0;
}

int overlay_map_layers(const struct keeper_plan *keeper, int userns, struct overlay_maker *ret_maker, struct berth_error *err) {
        _cleanup_trees_ struct overlay_trees trees = {.fds = calloc((size_t) keeper->n_lower + 1, sizeof *trees.fds)};
        char base[PATH_MAX];
        struct stat st;
        int r = 0;

        if (!trees.fds)
                return berth_error_set(err, ENOMEM, "memory for the layers of the root filesystem");
        for (uint32_t i = 0; r == 0 && i < keeper->n_lower; i++)
                r = overlay_open_tree(&trees, keeper->lower[i], userns, err);
        if (r == 0 && keeper->upper) {
                r = overlay_split(keeper, base, err);
                if (r == 0)
                        r = overlay_open_tree(&trees, base, userns, err);
                if (r == 0)
                        r = overlay_mount_tree(trees.fds[keeper->n_lower], base, err);
        }
        for (uint32_t i = 0; r == 0 && i < keeper->n_lower; i++)
                r = overlay_mount_tree(trees.fds[i], keeper->lower[i], err);
        if (r == 0 && keeper->upper) {
                if (stat(keeper->work, &st) < 0)
                        return berth_error_set(err, errno, "stat '%s' of the root filesystem", keeper->work);
                *ret_maker = (struct overlay_maker){.uid = st.st_uid, .gid = st.st_gid};
        }
        return r;
}

static int overlay_capabilities(int call, struct __user_cap_data_struct data[2]) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

        return (int) syscall(call, &header, data);
}

int overlay_mount_as(const struct keeper_plan *keeper, const char *label, const struct overlay_maker *maker, int *ret_fd, bool *ret_attached,
                     struct berth_error *err) {
        struct __user_cap_data_struct had[2];

        if (overlay_capabilities(SYS_capget, had) < 0)
                return berth_error_set(err, errno, "read capabilities");
        (void) setfsgid(maker->gid);
        (void) setfsuid(maker->uid);
        /* The rights over files that went with the change of user. */
        int r = overlay_capabilities(SYS_capset, had) < 0 ? berth_error_set(err, errno, "keep capabilities for the root filesystem")
                                                          : overlay_mount(keeper, label, ret_fd, ret_attached, err);
        (void) setfsuid(0);
        (void) setfsgid(0);
        (void) overlay_capabilities(SYS_capset, had);
        return r;
}
