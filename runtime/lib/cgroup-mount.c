/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup-mount.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "path.h"
#include "sys.h"

static int cgroup_mount_unified(const struct mount_context *context, struct plan_mount *mount, struct berth_error *err) {
        const struct cgroup_hierarchy *hierarchy = &context->layout->hierarchy[context->layout->unified_index];
        _cleanup_close_ int target = -1, tree = -1;
        char source[2 * CGROUP_PATH_MAX];
        int r = path_make_target(context->root, mount->destination, true, &target, err);

        if (r < 0)
                return r;
        if (context->cgroup_namespace) {
                r = mount_create("cgroup2", "cgroup", NULL, 0, mount->attr_set, &tree, err);
                if (r < 0)
                        return r;
        } else {
                (void) snprintf(source, sizeof source, "%s%s", hierarchy->mount, context->cgroup_path);
                tree = sys_open_tree(AT_FDCWD, source, OPEN_TREE_CLONE);
                if (tree < 0)
                        return berth_error_set(err, errno, "open '%s'", source);
                r = mount_set(tree, false, mount->attr_set, 0, MS_PRIVATE);
                if (r < 0)
                        return berth_error_set(err, -r, "set the attributes of the mount on '%s'", mount->destination);
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
        int r = mount_set(tree, false, mount->attr_set, 0, MS_PRIVATE);
        if (r < 0)
                return berth_error_set(err, -r, "set the attributes of the cgroup mount '%s'", name);
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

        int r = path_make_target(context->root, mount->destination, true, &target, err);
        if (r == 0)
                r = mount_create("tmpfs", "cgroup", options, 2, mount->attr_set & ~(uint64_t) MOUNT_ATTR_RDONLY, &tmpfs, err);
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
        r = mount_set(tmpfs, false, mount->attr_set & MOUNT_ATTR_RDONLY, 0, 0);
        return r < 0 ? berth_error_set(err, -r, "make '%s' read-only", mount->destination) : 0;
}
