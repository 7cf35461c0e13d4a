/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cleanup.h"
#include "path.h"
#include "rootfs.h"
#include "sys.h"

/* runtime-spec config-linux.md#default-devices; /dev/ptmx is a link, and /dev/console comes with a terminal. */
static const struct plan_device devnode_defaults[] = {
        {.path = "null", .mode = S_IFCHR | 0666, .major = 1, .minor = 3},    {.path = "zero", .mode = S_IFCHR | 0666, .major = 1, .minor = 5},
        {.path = "full", .mode = S_IFCHR | 0666, .major = 1, .minor = 7},    {.path = "random", .mode = S_IFCHR | 0666, .major = 1, .minor = 8},
        {.path = "urandom", .mode = S_IFCHR | 0666, .major = 1, .minor = 9}, {.path = "tty", .mode = S_IFCHR | 0666, .major = 5, .minor = 0},
};

static const char *const devnode_links[][2] = {
        {"/proc/self/fd", "fd"}, {"/proc/self/fd/0", "stdin"}, {"/proc/self/fd/1", "stdout"}, {"/proc/self/fd/2", "stderr"}, {"pts/ptmx", "ptmx"},
};

static int devnode_make(int directory, const char *name, const struct plan_device *device, struct berth_error *err) {
        dev_t number = S_ISFIFO(device->mode) ? 0 : makedev(device->major, device->minor);
        struct stat st;

        if (mknodat(directory, name, device->mode, number) < 0) {
                if (errno != EEXIST)
                        return berth_error_set(err, errno, "make device '%s' (%u:%u)", device->path, device->major, device->minor);
                /* The image's own node serves as well, if it is the same device and no link to something else. */
                if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        return berth_error_set(err, errno, "stat device '%s'", device->path);
                if ((st.st_mode & S_IFMT) != (device->mode & S_IFMT) || st.st_rdev != number)
                        return berth_error_set(err, EEXIST, "make device '%s': something else stands there", device->path);
        }
        if ((device->uid != 0 || device->gid != 0) && fchownat(directory, name, device->uid, device->gid, AT_SYMLINK_NOFOLLOW) < 0)
                return berth_error_set(err, errno, "change the owner of device '%s'", device->path);
        return 0;
}

int devnode_make_all(int root, const struct plan_container *container, struct berth_error *err) {
        _cleanup_close_ int dev = -1;

        int r = path_make_directory(root, "/dev", &dev, err);
        for (size_t i = 0; r == 0 && i < sizeof devnode_defaults / sizeof *devnode_defaults; i++)
                r = devnode_make(dev, devnode_defaults[i].path, &devnode_defaults[i], err);
        for (uint32_t i = 0; r == 0 && i < container->n_devices; i++) {
                _cleanup_close_ int parent = -1;
                const char *name;
                r = path_make_parent(root, container->devices[i].path, &parent, &name, err);
                if (r == 0)
                        r = devnode_make(parent, name, &container->devices[i], err);
        }
        if (r < 0)
                return r;
        for (size_t i = 0; i < sizeof devnode_links / sizeof *devnode_links; i++)
                if (symlinkat(devnode_links[i][0], dev, devnode_links[i][1]) < 0 && errno != EEXIST)
                        return berth_error_set(err, errno, "make the link '/dev/%s'", devnode_links[i][1]);
        return 0;
}
