/* SPDX-License-Identifier: Apache-2.0 */
#include "idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cleanup.h"
#include "mount.h"
#include "userns.h"

#define IDMAP_TYPE_MAX 32

/* The type of the file system that a path is on, by its line of mountinfo: "… MAJOR:MINOR … - TYPE SOURCE OPTIONS". */
static void idmap_file_system(const char *path, char ret[IDMAP_TYPE_MAX]) {
        unsigned major_number, minor_number;
        struct stat st;
        char *line = NULL;
        size_t capacity = 0;

        (void) strcpy(ret, "unknown");
        if (stat(path, &st) < 0)
                return;
        FILE *file = fopen("/proc/self/mountinfo", "re");
        while (file && getline(&line, &capacity, file) > 0) {
                const char *type = strstr(line, " - ");
                if (type && sscanf(line, "%*d %*d %u:%u", &major_number, &minor_number) == 2 && makedev(major_number, minor_number) == st.st_dev)
                        (void) sscanf(type, " - %31s", ret);
        }
        free(line);
        if (file)
                (void) fclose(file);
}

int idmap_mount(int mount, bool recursive, int userns, const char *path, struct berth_error *err) {
        char type[IDMAP_TYPE_MAX];

        int r = mount_map_ids(mount, recursive, userns);
        if (r != -EINVAL)
                return r < 0 ? berth_error_set(err, -r, "map the ids of the mount of '%s'", path) : 0;
        idmap_file_system(path, type);
        return berth_error_set(err, EINVAL, "map the ids of the mount of '%s': its file system (%s)%s cannot be id-mapped by this kernel", path, type,
                               recursive ? ", or one below it," : "");
}

int idmap_userns(const struct plan_container *container, int joined, int *own, int *ret_fd, struct berth_error *err) {
        if (joined < 0 && *own < 0) {
                int r = userns_open(container->id_maps, container->n_id_maps, own, err);
                if (r < 0)
                        return r;
        }
        *ret_fd = joined >= 0 ? joined : *own;
        return 0;
}

static int idmap_source(const struct plan_container *container, const struct plan_mount *mount, int joined, int *own, struct berth_error *err) {
        bool recursive = mount->flags & PLAN_MOUNT_ID_MAPPED_SUBTREE;
        _cleanup_close_ int made = -1;
        int userns = -1, r;

        if (mount->n_id_maps > 0) {
                r = userns_open(mount->id_maps, mount->n_id_maps, &made, err);
                userns = made;
        } else if (joined < 0 && container->n_id_maps == 0) {
                return berth_error_set(err, EINVAL, "the mount on '%s' is to be id-mapped, but neither it nor the container has maps",
                                       mount->destination);
        } else {
                r = idmap_userns(container, joined, own, &userns, err);
        }
        return r < 0 ? r : idmap_mount(mount->fd, recursive, userns, mount->source, err);
}

int idmap_sources(struct plan_container *container, int joined, int *own, struct berth_error *err) {
        int r = 0;

        for (uint32_t i = 0; r == 0 && i < container->n_mounts; i++)
                if (container->mounts[i].flags & PLAN_MOUNT_ID_MAPPED)
                        r = idmap_source(container, &container->mounts[i], joined, own, err);
        return r;
}
