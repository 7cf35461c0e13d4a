/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "mount.h"
#include "rootfs.h"
#include "sys.h"

/*
 * Without pivot_root(2), for hosts that run on the kernel's first file system, which can be neither moved nor detached: the root is moved over the
 * host's, and what else was mounted goes. Only the file system that the host's root is on stays below.
 */

/* mountinfo writes space, tab, newline and backslash as three octal digits. */
static void cover_unescape(char *path) {
        char *to = path;

        for (const char *from = path; *from; to++) {
                if (from[0] == '\\' && from[1] && from[2] && from[3]) {
                        *to = (char) (((from[1] - '0') << 6) | ((from[2] - '0') << 3) | (from[3] - '0'));
                        from += 4;
                } else {
                        *to = *from++;
                }
        }
        *to = '\0';
}

/* By a procfs of our own: the host's may not be where it is expected. NULL where none can be had, which is in a user namespace only. */
static int cover_open_list(FILE **ret, struct berth_error *err) {
        _cleanup_close_ int procfs = -1;

        int r = mount_create("proc", "proc", NULL, 0, NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, &procfs, err);
        if (r < 0)
                return r == -EPERM ? 0 : r;
        _cleanup_close_ int fd = openat(procfs, "self/mountinfo", O_RDONLY | O_CLOEXEC);
        *ret = fd < 0 ? NULL : fdopen(fd, "r");
        if (!*ret)
                return berth_error_set(err, errno, "read the list of the host's mounts");
        (void) take_fd(&fd);
        return 0;
}

/* All mount points but "/", one string behind the other. */
static int cover_read_list(FILE *file, char **ret, size_t *ret_size, struct berth_error *err) {
        char *line = NULL, *list = NULL;
        size_t capacity = 0, used = 0;
        int r = 0;

        while (r == 0 && getline(&line, &capacity, file) > 0) {
                char *rest = line, *point = NULL;
                for (int field = 0; field < 5; field++)
                        point = strsep(&rest, " ");
                if (!point || strcmp(point, "/") == 0)
                        continue;
                cover_unescape(point);
                size_t size = strlen(point) + 1;
                char *larger = realloc(list, used + size);
                if (larger) {
                        list = larger;
                        memcpy(list + used, point, size);
                        used += size;
                } else {
                        r = berth_error_set(err, ENOMEM, "memory for the host's mounts");
                }
        }
        free(line);
        *ret = list;
        *ret_size = used;
        return r;
}

/*
 * "/" of this process is still the host's root below ours, so these are its mounts; those of the container are in the list too, but none stands at
 * such a path there. Who came from another user namespace may not take single mounts away (EINVAL), or cannot even get there (EACCES).
 */
static int cover_detach_others(struct berth_error *err) {
        FILE *file = NULL;
        size_t size = 0;

        int r = cover_open_list(&file, err);
        if (r < 0 || !file)
                return r;
        /* The whole list first: it changes while mounts go, and its own file is below one of them. */
        _cleanup_free_ char *list = NULL;
        r = cover_read_list(file, &list, &size, err);
        (void) fclose(file);
        for (const char *point = list; r == 0 && point < list + size; point += strlen(point) + 1)
                if (sys_umount2(point, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT && errno != ENOTDIR && errno != EACCES)
                        r = berth_error_set(err, errno, "detach '%s' of the host", point);
        return r;
}

int rootfs_cover(int root, struct berth_error *err) {
        if (fchdir(root) < 0 || sys_mount(".", "/", NULL, MS_MOVE, NULL) < 0)
                return berth_error_set(err, errno, "move the root filesystem over the host's");
        int r = cover_detach_others(err);
        if (r < 0)
                return r;
        if (fchdir(root) < 0 || chroot(".") < 0)
                return berth_error_set(err, errno, "enter the root filesystem");
        return 0;
}
