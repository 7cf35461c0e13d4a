/* SPDX-License-Identifier: Apache-2.0 */
#include "mount.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cgroup-mount.h"
#include "cleanup.h"
#include "path.h"
#include "sys.h"

int mount_move(int mount, int target) {
        return sys_move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0 ? -errno : 0;
}

int mount_set(int mount, bool recursive, uint64_t set, uint64_t clear, uint64_t propagation) {
        struct mount_attr attr = {.attr_set = set, .attr_clr = clear, .propagation = propagation};

        if (set == 0 && clear == 0 && propagation == 0)
                return 0;
        return sys_mount_setattr(mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr) < 0 ? -errno : 0;
}

int mount_map_ids(int mount, bool recursive, int userns) {
        struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t) (unsigned) userns};

        return sys_mount_setattr(mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr) < 0 ? -errno : 0;
}

static int mount_option(int fs, const char *option) {
        char key[256];
        const char *equals = strchr(option, '=');

        if (!equals)
                return sys_fsconfig(fs, FSCONFIG_SET_FLAG, option, NULL, 0);
        if ((size_t) (equals - option) >= sizeof key) {
                errno = EINVAL;
                return -1;
        }
        memcpy(key, option, (size_t) (equals - option));
        key[equals - option] = '\0';
        return sys_fsconfig(fs, FSCONFIG_SET_STRING, key, equals + 1, 0);
}

/* The kernel explains refused options on the descriptor of the file system context: "e tmpfs: Bad value for 'size'". */
static int mount_refused(int fs, int code, const char *step, const char *type, struct berth_error *err) {
        char log[256];
        ssize_t n = read(fs, log, sizeof log - 1);

        if (n <= 2)
                return berth_error_set(err, code, "%s of a %s file system", step, type);
        log[n] = '\0';
        log[strcspn(log, "\n")] = '\0';
        return berth_error_set(err, code, "%s of a %s file system: %s", step, type, log + 2);
}

int mount_create(const char *type, const char *source, const char *const *options, uint32_t n_options, uint64_t attributes, int *ret_fd,
                 struct berth_error *err) {
        _cleanup_close_ int fs = sys_fsopen(type);
        if (fs < 0)
                return berth_error_set(err, errno, "open file system type '%s'", type);
        if (source && *source && sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", source, 0) < 0)
                return mount_refused(fs, errno, "source", type, err);
        for (uint32_t i = 0; i < n_options; i++)
                if (mount_option(fs, options[i]) < 0) {
                        int code = errno;
                        char step[128];
                        (void) snprintf(step, sizeof step, "option '%s'", options[i]);
                        return mount_refused(fs, code, step, type, err);
                }
        if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return mount_refused(fs, errno, "creation", type, err);

        _cleanup_close_ int mount = sys_fsmount(fs, (unsigned) attributes);
        if (mount < 0)
                return mount_refused(fs, errno, "mount", type, err);
        return give_fd(ret_fd, &mount);
}

int mount_open_sources(struct plan_container *container, struct berth_error *err) {
        for (uint32_t i = 0; i < container->n_mounts; i++) {
                struct plan_mount *mount = &container->mounts[i];
                if (!(mount->flags & PLAN_MOUNT_BIND))
                        continue;
                unsigned recursive = mount->flags & PLAN_MOUNT_BIND_RECURSIVE ? AT_RECURSIVE : 0;
                mount->fd = sys_open_tree(AT_FDCWD, mount->source, OPEN_TREE_CLONE | recursive);
                if (mount->fd < 0)
                        return berth_error_set(err, errno, "open '%s' to mount it on '%s'", mount->source, mount->destination);
        }
        return 0;
}

static uint64_t mount_propagation(const struct plan_mount *mount) {
        return mount->propagation ? mount->propagation & ~(uint64_t) MS_REC : MS_PRIVATE;
}

static int mount_bind(int root, struct plan_mount *mount, struct berth_error *err) {
        _cleanup_close_ int target = -1;
        struct stat st;

        if (fstat(mount->fd, &st) < 0)
                return berth_error_set(err, errno, "stat '%s'", mount->source);
        int r = path_make_target(root, mount->destination, S_ISDIR(st.st_mode), &target, err);
        if (r < 0)
                return r;

        bool recursive = mount->flags & PLAN_MOUNT_BIND_RECURSIVE;
        r = mount_set(mount->fd, recursive, mount->recursive_attr_set, mount->recursive_attr_clear, mount_propagation(mount));
        if (r == 0)
                r = mount_set(mount->fd, false, mount->attr_set, mount->attr_clear, 0);
        if (r < 0)
                return berth_error_set(err, -r, "set the attributes of the mount on '%s'", mount->destination);
        r = mount_move(mount->fd, target);
        if (r < 0)
                return berth_error_set(err, -r, "mount '%s' on '%s'", mount->source, mount->destination);
        return 0;
}

/*
 * What a process trusts to be the kernel's must not be led elsewhere by a link in the image (CVE-2019-16884 and its kin), so the
 * way to proc and sysfs is free of links.
 */
static int mount_kernel_target(int root, const struct plan_mount *mount, int *ret_fd, struct berth_error *err) {
        int r = path_open_in_root_nofollow(root, mount->destination, O_PATH | O_DIRECTORY, ret_fd);
        if (r == 0)
                return 0;
        if (r == -ELOOP || r == -ENOTDIR)
                return berth_error_set(err, -r, "%s must be mounted on an ordinary directory, and '%s' is not one", mount->type, mount->destination);

        _cleanup_close_ int made = -1;
        r = path_make_directory(root, mount->destination, &made, err);
        if (r < 0)
                return r;
        r = path_open_in_root_nofollow(root, mount->destination, O_PATH | O_DIRECTORY, ret_fd);
        return r < 0 ? berth_error_set(err, -r, "open directory '%s' in the root filesystem", mount->destination) : 0;
}

static int mount_filesystem(struct mount_context *context, struct plan_mount *mount, struct berth_error *err) {
        _cleanup_close_ int target = -1;
        bool proc = strcmp(mount->type, "proc") == 0, late = strcmp(mount->type, "tmpfs") == 0;
        int r = proc || strcmp(mount->type, "sysfs") == 0 ? mount_kernel_target(context->root, mount, &target, err)
                                                          : path_make_target(context->root, mount->destination, true, &target, err);
        if (r < 0)
                return r;

        uint64_t attributes = (mount->attr_set | mount->recursive_attr_set) & ~(uint64_t) (late ? MOUNT_ATTR_RDONLY : 0);
        r = mount_create(mount->type, mount->source, mount->options, mount->n_options, attributes, &mount->fd, err);
        if (r < 0)
                return r;
        r = mount_move(mount->fd, target);
        if (r < 0)
                return berth_error_set(err, -r, "mount a %s file system on '%s'", mount->type, mount->destination);
        r = mount->propagation ? mount_set(mount->fd, false, 0, 0, mount_propagation(mount)) : 0;
        if (r < 0)
                return berth_error_set(err, -r, "set the propagation of '%s'", mount->destination);

        if (proc)
                context->procfs = mount->fd;
        if (strcmp(mount->type, "devpts") == 0)
                context->devpts = mount->fd;
        return 0;
}

int mount_all(struct mount_context *context, struct plan_container *container, struct berth_error *err) {
        for (uint32_t i = 0; i < container->n_mounts; i++) {
                struct plan_mount *mount = &container->mounts[i];
                int r;
                if (mount->flags & PLAN_MOUNT_BIND)
                        r = mount_bind(context->root, mount, err);
                else if (strcmp(mount->type, "cgroup") == 0 || strcmp(mount->type, "cgroup2") == 0)
                        r = cgroup_mount(context, mount, err);
                else
                        r = mount_filesystem(context, mount, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int mount_finish(struct plan_container *container, struct berth_error *err) {
        for (uint32_t i = 0; i < container->n_mounts; i++) {
                struct plan_mount *mount = &container->mounts[i];
                uint64_t attributes = mount->attr_set | mount->recursive_attr_set;
                if (mount->fd < 0 || strcmp(mount->type, "tmpfs") != 0 || !(attributes & MOUNT_ATTR_RDONLY))
                        continue;
                int r = mount_set(mount->fd, false, MOUNT_ATTR_RDONLY, 0, 0);
                if (r < 0)
                        return berth_error_set(err, -r, "make '%s' read-only", mount->destination);
        }
        return 0;
}

bool mount_dev_is_bound(const struct plan_container *container) {
        for (uint32_t i = 0; i < container->n_mounts; i++) {
                const struct plan_mount *mount = &container->mounts[i];
                if (mount->flags & PLAN_MOUNT_BIND && strcmp(mount->destination, "/dev") == 0)
                        return true;
        }
        return false;
}
