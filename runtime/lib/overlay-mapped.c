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

/*
 * The id-mapped copies of the layers' mounts. A detached mount ends with its last descriptor, and the file system of layers takes its own copies when
 * it is made only; so all are open until then.
 */
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

static int overlay_set_layer(int fs, const char *key, int layer, const char *path, struct berth_error *err) {
        if (sys_fsconfig(fs, FSCONFIG_SET_FD, key, NULL, layer) == 0)
                return 0;
        if (errno == EINVAL)
                return berth_error_set(err, EOPNOTSUPP, "an id-mapped root filesystem of layers needs kernel 6.15 (layer '%s' was refused)", path);
        return berth_error_set(err, errno, "layer '%s' of the root filesystem", path);
}

/* The directory that both are in, as far as their paths tell. */
static int overlay_split(const struct keeper_plan *keeper, char base[PATH_MAX], struct berth_error *err) {
        size_t size = 0;

        for (size_t i = 0; keeper->upper[i] != '\0' && keeper->upper[i] == keeper->work[i]; i++)
                if (keeper->upper[i] == '/')
                        size = i + 1;
        if (size == 0 || size >= PATH_MAX)
                return berth_error_set(err, EINVAL, "'%s' and '%s' are in no directory together", keeper->upper, keeper->work);
        memcpy(base, keeper->upper, size);
        base[size] = '\0';
        return 0;
}

/* Both must be on one mount, so what is mapped is the directory above them. *ret_owner: user 0 on the disk as the host sees it. */
static int overlay_set_upper(int fs, const struct keeper_plan *keeper, int userns, struct overlay_trees *trees, struct stat *ret_owner,
                             struct berth_error *err) {
        _cleanup_close_ int upper = -1, work = -1;
        char base[PATH_MAX];

        int r = overlay_split(keeper, base, err);
        if (r == 0)
                r = overlay_open_tree(trees, base, userns, err);
        if (r < 0)
                return r;
        int tree = trees->fds[trees->n - 1];
        upper = openat(tree, keeper->upper + strlen(base), O_PATH | O_DIRECTORY | O_CLOEXEC);
        work = openat(tree, keeper->work + strlen(base), O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (upper < 0 || work < 0 || fstat(work, ret_owner) < 0)
                return berth_error_set(err, errno, "open '%s' of the root filesystem", upper < 0 ? keeper->upper : keeper->work);
        r = overlay_set_layer(fs, "upperdir", upper, keeper->upper, err);
        return r < 0 ? r : overlay_set_layer(fs, "workdir", work, keeper->work, err);
}

static int overlay_capabilities(int call, struct __user_cap_data_struct data[2]) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

        return (int) syscall(call, &header, data);
}

/*
 * An overlay works below itself as who made it. The host's root has no id on a mapped mount and could make nothing there; its maker is the
 * container's root, who must not lose the rights over files that go with the change of user.
 */
static int overlay_create_as(int fs, const struct keeper_plan *keeper, const struct stat *owner, int *ret_fd, struct berth_error *err) {
        struct __user_cap_data_struct had[2];

        if (overlay_capabilities(SYS_capget, had) < 0)
                return berth_error_set(err, errno, "read capabilities");
        (void) setfsgid(owner->st_gid);
        (void) setfsuid(owner->st_uid);
        int r = overlay_capabilities(SYS_capset, had) < 0 ? berth_error_set(err, errno, "keep capabilities for the root filesystem")
                                                          : overlay_create(fs, keeper->n_lower, ret_fd, err);
        (void) setfsuid(0);
        (void) setfsgid(0);
        (void) overlay_capabilities(SYS_capset, had);
        return r;
}

int overlay_open_mapped(const struct keeper_plan *keeper, int userns, int *ret_fd, struct berth_error *err) {
        struct stat owner = {0};
        int r = 0;

        if (keeper->n_lower == 0)
                return berth_error_set(err, EINVAL, "the root filesystem has no layers");
        if (keeper->n_lower == 1 && !keeper->upper) {
                _cleanup_close_ int tree = -1;
                bool attached;
                r = overlay_mount(keeper, &tree, &attached, err);
                if (r == 0)
                        r = idmap_mount(tree, false, userns, keeper->lower[0], err);
                return r < 0 ? r : give_fd(ret_fd, &tree);
        }

        _cleanup_trees_ struct overlay_trees trees = {.fds = calloc((size_t) keeper->n_lower + 1, sizeof *trees.fds)};
        _cleanup_close_ int fs = sys_fsopen("overlay");
        if (!trees.fds)
                return berth_error_set(err, ENOMEM, "memory for the layers of the root filesystem");
        if (fs < 0)
                return berth_error_set(err, errno, "open file system type 'overlay'");
        for (uint32_t i = 0; r == 0 && i < keeper->n_lower; i++) {
                r = overlay_open_tree(&trees, keeper->lower[i], userns, err);
                if (r == 0)
                        r = overlay_set_layer(fs, "lowerdir+", trees.fds[i], keeper->lower[i], err);
        }
        if (r == 0 && keeper->upper)
                r = overlay_set_upper(fs, keeper, userns, &trees, &owner, err);
        if (r == 0)
                r = keeper->upper ? overlay_create_as(fs, keeper, &owner, ret_fd, err) : overlay_create(fs, keeper->n_lower, ret_fd, err);
        return r == 1 ? berth_error_set(err, EOPNOTSUPP, "an id-mapped root filesystem of layers needs kernel 6.15") : r;
}
