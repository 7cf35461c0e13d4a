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

/* What is below a mount whose word is for itself alone learns of the host's changes but tells it nothing, unless both share them. */
static int mount_set_all(const struct plan_mount *mount, bool recursive) {
        uint64_t own = mount->propagation ? mount->propagation & ~(uint64_t) MS_REC : MS_PRIVATE;
        uint64_t below = mount->propagation && !(mount->propagation & MS_REC) && own != MS_SHARED ? MS_SLAVE : own;
        int r = mount_set(mount->fd, recursive, mount->recursive_attr_set, mount->recursive_attr_clear, recursive ? below : own);

        return r == 0 ? mount_set(mount->fd, false, mount->attr_set, mount->attr_clear, recursive && own != below ? own : 0) : r;
}

static int mount_bind(int root, struct plan_mount *mount, struct berth_error *err) {
        _cleanup_close_ int target = -1;
        struct stat st;

        if (fstat(mount->fd, &st) < 0)
                return berth_error_set(err, errno, "stat '%s'", mount->source);
        int r = path_make_target(root, mount->destination, S_ISDIR(st.st_mode), &target, err);
        if (r < 0)
                return r;

        r = mount_set_all(mount, mount->flags & PLAN_MOUNT_BIND_RECURSIVE);
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

static bool mount_has_option(const struct plan_mount *mount, const char *key) {
        size_t size = strlen(key);

        for (uint32_t i = 0; i < mount->n_options; i++)
                if (strncmp(mount->options[i], key, size) == 0 && (mount->options[i][size] == '=' || mount->options[i][size] == '\0'))
                        return true;
        return false;
}

/* A tmpfs has the mode of the directory that it covers, unless the plan says otherwise, and with tmpcopyup all that is in there. */
static int mount_like_target(const struct plan_mount *mount, int target, struct berth_error *err) {
        struct stat st;

        if (fstat(target, &st) < 0)
                return berth_error_set(err, errno, "stat '%s' in the root filesystem", mount->destination);
        if (mount->flags & PLAN_MOUNT_COPY_UP) {
                int r = mount_copy_up(target, mount->fd, mount->destination, err);
                if (r < 0)
                        return r;
                uid_t uid = mount_has_option(mount, "uid") ? (uid_t) -1 : st.st_uid;
                gid_t gid = mount_has_option(mount, "gid") ? (gid_t) -1 : st.st_gid;
                if (fchownat(mount->fd, ".", uid, gid, 0) < 0)
                        return berth_error_set(err, errno, "give '%s' the owner of the directory that it covers", mount->destination);
        }
        if (!mount_has_option(mount, "mode") && fchmodat(mount->fd, ".", st.st_mode & 07777, 0) < 0)
                return berth_error_set(err, errno, "give '%s' the mode of the directory that it covers", mount->destination);
        return 0;
}

/* fsconfig(2) has no word for it: the file system is mounted again with that flag, which takes the attributes of the mount away. */
static int mount_inode_version(const struct plan_mount *mount, uint64_t attributes, struct berth_error *err) {
        unsigned long flags = MS_REMOUNT | MS_I_VERSION;

        flags |= mount_has_option(mount, "sync") ? MS_SYNCHRONOUS : 0;
        flags |= mount_has_option(mount, "mand") ? MS_MANDLOCK : 0;
        flags |= mount_has_option(mount, "lazytime") ? MS_LAZYTIME : 0;
        if (fchdir(mount->fd) < 0 || sys_mount(NULL, ".", NULL, flags, NULL) < 0)
                return berth_error_set(err, errno, "set 'iversion' of the file system on '%s'", mount->destination);
        int r = mount_set(mount->fd, false, attributes, MOUNT_ATTR__ATIME, 0);
        return r < 0 ? berth_error_set(err, -r, "set the attributes of the mount on '%s'", mount->destination) : 0;
}

static int mount_filesystem(struct mount_context *context, struct plan_mount *mount, struct berth_error *err) {
        bool proc = strcmp(mount->type, "proc") == 0, late = strcmp(mount->type, "tmpfs") == 0, like = false;
        _cleanup_close_ int target = -1;
        int r = -ENOENT;

        if (late && (mount->flags & PLAN_MOUNT_COPY_UP || !mount_has_option(mount, "mode"))) {
                r = path_open_in_root(context->root, mount->destination, O_PATH | O_DIRECTORY, 0, &target);
                like = r == 0;
        }
        if (r < 0)
                r = proc || strcmp(mount->type, "sysfs") == 0 ? mount_kernel_target(context->root, mount, &target, err)
                                                              : path_make_target(context->root, mount->destination, true, &target, err);
        if (r < 0)
                return r;

        uint64_t attributes = (mount->attr_set | mount->recursive_attr_set) & ~(uint64_t) (late ? MOUNT_ATTR_RDONLY : 0);
        const char *label = mount_takes_label(mount->type) ? context->label : NULL;
        r = mount_create(mount->type, mount->source, mount->options, mount->n_options, label, attributes, &mount->fd, err);
        if (r == 0 && like)
                r = mount_like_target(mount, target, err);
        if (r == 0 && context->label && strcmp(mount->type, "mqueue") == 0)
                r = mount_set_label(mount, context->label, err);
        if (r < 0)
                return r;
        r = mount_move(mount->fd, target);
        if (r < 0)
                return berth_error_set(err, -r, "mount a %s file system on '%s'", mount->type, mount->destination);
        r = mount_set(mount->fd, false, 0, 0, mount->propagation & ~(uint64_t) MS_REC);
        if (r < 0)
                return berth_error_set(err, -r, "set the propagation of '%s'", mount->destination);
        if (mount->flags & PLAN_MOUNT_INODE_VERSION) {
                r = mount_inode_version(mount, attributes, err);
                if (r < 0)
                        return r;
        }

        if (proc)
                context->procfs = mount->fd;
        if (strcmp(mount->type, "devpts") == 0)
                context->devpts = mount->fd;
        return 0;
}

/*
 * Changes what is mounted there already: the mount (with bind), and its file system too (without). The way there has no links, or an image
 * could have another file system of the host changed.
 */
static int mount_remount(int root, const struct plan_mount *mount, struct berth_error *err) {
        const char *access = mount->attr_set & MOUNT_ATTR_RDONLY ? "ro" : mount->attr_clear & MOUNT_ATTR_RDONLY ? "rw" : NULL;
        _cleanup_close_ int target = -1;

        int r = path_open_in_root_nofollow(root, mount->destination, O_PATH, &target);
        if (r < 0)
                return berth_error_set(err, -r, "open '%s' to mount it again", mount->destination);
        if (!(mount->flags & PLAN_MOUNT_BIND)) {
                r = mount_reconfigure(target, mount->options, mount->n_options, access, err);
                if (r < 0)
                        return r;
        }
        r = mount_set(target, true, mount->recursive_attr_set, mount->recursive_attr_clear, 0);
        if (r == 0)
                r = mount_set(target, false, mount->attr_set, mount->attr_clear, 0);
        if (r == 0)
                r = mount_set(target, mount->propagation & MS_REC, 0, 0, mount->propagation & ~(uint64_t) MS_REC);
        if (r == -EINVAL)
                return berth_error_set(err, EINVAL, "mount '%s' again: nothing is mounted there", mount->destination);
        return r < 0 ? berth_error_set(err, -r, "mount '%s' again", mount->destination) : 0;
}

int mount_all(struct mount_context *context, struct plan_container *container, struct berth_error *err) {
        for (uint32_t i = 0; i < container->n_mounts; i++) {
                struct plan_mount *mount = &container->mounts[i];
                int r;
                if (mount->flags & PLAN_MOUNT_REMOUNT)
                        r = mount_remount(context->root, mount, err);
                else if (mount->flags & PLAN_MOUNT_BIND)
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

/* "/dev", "//dev/", "dev/." */
static bool mount_is_dev(const char *path) {
        for (bool seen = false;;) {
                path += strspn(path, "/");
                size_t size = strcspn(path, "/");
                if (size == 0)
                        return seen;
                if (size == 3 && memcmp(path, "dev", 3) == 0 && !seen)
                        seen = true;
                else if (size != 1 || *path != '.')
                        return false;
                path += size;
        }
}

bool mount_dev_is_bound(const struct plan_container *container) {
        for (uint32_t i = 0; i < container->n_mounts; i++) {
                const struct plan_mount *mount = &container->mounts[i];
                if (mount->flags & PLAN_MOUNT_BIND && mount_is_dev(mount->destination))
                        return true;
        }
        return false;
}
