/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sched.h>

#include "cleanup.h"
#include "mount.h"
#include "path.h"
#include "sys.h"

/*
 * A volume may be shared with a container that exchanges its directories for links meanwhile: the kernel resolves the path beneath the volume,
 * and what it found is what is mounted (CVE-2023-27561 and its kin; kubernetes' CVE-2021-25741).
 */
static int mount_open_subpath(const struct plan_mount *mount, unsigned recursive, int *ret_fd, struct berth_error *err) {
        _cleanup_close_ int source = open(mount->source, O_PATH | O_CLOEXEC), found = -1;

        if (source < 0)
                return berth_error_set(err, errno, "open '%s' to mount a part of it on '%s'", mount->source, mount->destination);
        int r = path_open_beneath(source, mount->subpath, O_PATH, &found);
        if (r < 0)
                return berth_error_set(err, -r, "open '%s' beneath '%s' to mount it on '%s'", mount->subpath, mount->source, mount->destination);
        *ret_fd = sys_open_tree(found, "", OPEN_TREE_CLONE | AT_EMPTY_PATH | recursive);
        return *ret_fd < 0 ? berth_error_set(err, errno, "open '%s' beneath '%s' to mount it", mount->subpath, mount->source) : 0;
}

/* As the processes of that namespace see it, without links, which they could have made. The root that comes with the namespace is given up again. */
static int mount_open_inside(const struct plan_mount *mount, unsigned recursive, int *ret_fd, struct berth_error *err) {
        _cleanup_close_ int own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC), other = open(mount->namespace, O_RDONLY | O_CLOEXEC);
        _cleanup_close_ int root = -1, found = -1, fd = -1;

        if (own < 0 || other < 0)
                return berth_error_set(err, errno, "open mount namespace '%s'", mount->namespace);
        if (setns(other, CLONE_NEWNS) < 0)
                return berth_error_set(err, errno, "enter mount namespace '%s'", mount->namespace);
        root = open("/", O_PATH | O_CLOEXEC);
        int r = root < 0 ? -errno : path_open_in_root_nofollow(root, mount->source, O_PATH, &found);
        if (r == 0) {
                fd = sys_open_tree(found, "", OPEN_TREE_CLONE | AT_EMPTY_PATH | recursive);
                r = fd < 0 ? -errno : 0;
        }
        if (setns(own, CLONE_NEWNS) < 0)
                return berth_error_set(err, errno, "return from mount namespace '%s'", mount->namespace);
        if (r < 0)
                return berth_error_set(err, -r, "open '%s' in mount namespace '%s' to mount it on '%s'", mount->source, mount->namespace, mount->destination);
        return give_fd(ret_fd, &fd);
}

static int mount_open_source(const struct plan_mount *mount, int *ret_fd, struct berth_error *err) {
        unsigned recursive = mount->flags & PLAN_MOUNT_BIND_RECURSIVE ? AT_RECURSIVE : 0;

        if (mount->namespace)
                return mount_open_inside(mount, recursive, ret_fd, err);
        if (mount->subpath)
                return mount_open_subpath(mount, recursive, ret_fd, err);
        *ret_fd = sys_open_tree(AT_FDCWD, mount->source, OPEN_TREE_CLONE | recursive);
        return *ret_fd < 0 ? berth_error_set(err, errno, "open '%s' to mount it on '%s'", mount->source, mount->destination) : 0;
}

int mount_open_sources(struct plan_container *container, struct berth_error *err) {
        for (uint32_t i = 0; i < container->n_mounts; i++) {
                struct plan_mount *mount = &container->mounts[i];
                if (!(mount->flags & PLAN_MOUNT_BIND) || mount->flags & PLAN_MOUNT_REMOUNT)
                        continue;
                int r = mount_open_source(mount, &mount->fd, err);
                if (r < 0)
                        return r;
        }
        return 0;
}
