/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup-mount.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "path.h"
#include "sys.h"

static uint64_t cgroup_mount_attributes(const struct plan_mount *mount) {
        return mount->attr_set | mount->recursive_attr_set;
}

/* One of the mounts, detached so far, becomes as the plan wants it. */
static int cgroup_mount_set(int tree, const struct plan_mount *mount, struct berth_error *err) {
        uint64_t propagation = mount->propagation ? mount->propagation & ~(uint64_t) MS_REC : MS_PRIVATE;
        uint64_t set = cgroup_mount_attributes(mount);
        int r = mount_set(tree, false, set, set & MOUNT_ATTR__ATIME ? MOUNT_ATTR__ATIME : 0, propagation);

        return r < 0 ? berth_error_set(err, -r, "set the attributes of the cgroup mount on '%s'", mount->destination) : 0;
}

/* A part of the host's mount has the host's options. */
static int cgroup_mount_refuse_options(const struct plan_mount *mount, struct berth_error *err) {
        if (mount->n_options == 0)
                return 0;
        return berth_error_set(err, EINVAL, "option '%s' of the cgroup mount on '%s' needs cgroup v2 and a cgroup namespace", mount->options[0],
                               mount->destination);
}

static int cgroup_mount_unified(const struct mount_context *context, struct plan_mount *mount, struct berth_error *err) {
        const struct cgroup_hierarchy *hierarchy = &context->layout->hierarchy[context->layout->unified_index];
        _cleanup_close_ int target = -1, tree = -1;
        char source[2 * CGROUP_PATH_MAX];
        int r = path_make_target(context->root, mount->destination, true, &target, err);

        if (r < 0)
                return r;
        if (context->cgroup_namespace) {
                r = mount_create("cgroup2", "cgroup", mount->options, mount->n_options, NULL, cgroup_mount_attributes(mount), &tree, err);
                if (r == 0)
                        r = mount_set(tree, false, 0, 0, mount->propagation & ~(uint64_t) MS_REC);
                if (r < 0)
                        return r;
        } else {
                (void) snprintf(source, sizeof source, "%s%s", hierarchy->mount, context->cgroup_path);
                tree = sys_open_tree(AT_FDCWD, source, OPEN_TREE_CLONE);
                if (tree < 0)
                        return berth_error_set(err, errno, "open '%s'", source);
                r = cgroup_mount_refuse_options(mount, err);
                if (r == 0)
                        r = cgroup_mount_set(tree, mount, err);
                if (r < 0)
                        return r;
        }
        r = mount_move(tree, target);
        return r < 0 ? berth_error_set(err, -r, "mount the cgroup file system on '%s'", mount->destination) : 0;
}

/* "cpu,cpuacct" is also found as cpu and as cpuacct. */
static int cgroup_mount_links(int tmpfs, const char *name, struct berth_error *err) {
        char link[128];

        for (const char *at = name; strchr(name, ',') && *at;) {
                size_t size = strcspn(at, ",");
                if (size > 0 && size < sizeof link) {
                        memcpy(link, at, size);
                        link[size] = '\0';
                        if (symlinkat(name, tmpfs, link) < 0 && errno != EEXIST)
                                return berth_error_set(err, errno, "make the link '%s'", link);
                }
                at += size + (at[size] == ',');
        }
        return 0;
}

static int cgroup_mount_one(const struct mount_context *context, const struct cgroup_hierarchy *hierarchy, const struct plan_mount *mount, int tmpfs,
                            struct berth_error *err) {
        const char *slash = strrchr(hierarchy->mount, '/'), *name = slash ? slash + 1 : hierarchy->mount;
        char source[2 * CGROUP_PATH_MAX];

        (void) snprintf(source, sizeof source, "%s%s", hierarchy->mount, context->cgroup_path);
        _cleanup_close_ int tree = sys_open_tree(AT_FDCWD, source, OPEN_TREE_CLONE);
        if (tree < 0 && errno == ENOENT)
                return 0; /* a hierarchy in which the container has no group of its own */
        if (tree < 0)
                return berth_error_set(err, errno, "open '%s'", source);
        if (mkdirat(tmpfs, name, 0755) < 0)
                return berth_error_set(err, errno, "make directory '%s' for a cgroup hierarchy", name);
        int r = cgroup_mount_set(tree, mount, err);
        if (r < 0)
                return r;
        if (sys_move_mount(tree, "", tmpfs, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return berth_error_set(err, errno, "mount the cgroup hierarchy '%s'", name);
        return cgroup_mount_links(tmpfs, name, err);
}

int cgroup_mount(const struct mount_context *context, struct plan_mount *mount, struct berth_error *err) {
        const struct cgroup_layout *layout = context->layout;
        static const char *const options[] = {"mode=755", "size=64k"};
        _cleanup_close_ int target = -1, tmpfs = -1;

        /* Its own part is all that a container may see; without a group of its own that would be the host's whole tree. */
        if (!context->cgroup_path)
                return berth_error_set(err, EINVAL, "the cgroup mount on '%s' needs linux.cgroupsPath", mount->destination);
        if (layout->n == 1 && layout->unified_index == 0)
                return cgroup_mount_unified(context, mount, err);
        if (strcmp(mount->type, "cgroup2") == 0)
                return layout->unified_index < 0 ? berth_error_set(err, ENODEV, "mount '%s': this host has no cgroup2 hierarchy", mount->destination)
                                                 : cgroup_mount_unified(context, mount, err);

        int r = cgroup_mount_refuse_options(mount, err);
        if (r == 0)
                r = path_make_target(context->root, mount->destination, true, &target, err);
        if (r == 0)
                r = mount_create("tmpfs", "cgroup", options, 2, context->label, cgroup_mount_attributes(mount) & ~(uint64_t) MOUNT_ATTR_RDONLY,
                                 &tmpfs, err);
        if (r < 0)
                return r;
        r = mount_move(tmpfs, target);
        if (r < 0)
                return berth_error_set(err, -r, "mount a directory of cgroup hierarchies on '%s'", mount->destination);
        for (uint32_t i = 0; i < layout->n; i++) {
                r = cgroup_mount_one(context, &layout->hierarchy[i], mount, tmpfs, err);
                if (r < 0)
                        return r;
        }
        r = mount_set(tmpfs, false, cgroup_mount_attributes(mount) & MOUNT_ATTR_RDONLY, 0, mount->propagation & ~(uint64_t) MS_REC);
        return r < 0 ? berth_error_set(err, -r, "make '%s' read-only", mount->destination) : 0;
}
