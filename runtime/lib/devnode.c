/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cleanup.h"
#include "mount.h"
#include "path.h"
#include "rootfs.h"
#include "sys.h"
#include "userns.h"

/* runtime-spec config-linux.md#default-devices; /dev/ptmx is a link, and /dev/console comes with a terminal. */
static const struct plan_device devnode_defaults[] = {
        {.path = "null", .mode = S_IFCHR | 0666, .major = 1, .minor = 3},    {.path = "zero", .mode = S_IFCHR | 0666, .major = 1, .minor = 5},
        {.path = "full", .mode = S_IFCHR | 0666, .major = 1, .minor = 7},    {.path = "random", .mode = S_IFCHR | 0666, .major = 1, .minor = 8},
        {.path = "urandom", .mode = S_IFCHR | 0666, .major = 1, .minor = 9}, {.path = "tty", .mode = S_IFCHR | 0666, .major = 5, .minor = 0},
};

#define DEVNODE_DEFAULTS (sizeof devnode_defaults / sizeof *devnode_defaults)

static const char *const devnode_links[][2] = {
        {"/proc/self/fd", "fd"}, {"/proc/self/fd/0", "stdin"}, {"/proc/self/fd/1", "stdout"}, {"/proc/self/fd/2", "stderr"}, {"pts/ptmx", "ptmx"},
};

static dev_t devnode_number(const struct plan_device *device) {
        return S_ISFIFO(device->mode) ? 0 : makedev(device->major, device->minor);
}

/* The image's own node serves as well, if it is the same device and no link to something else; it is what is asked for after this. */
static int devnode_take(int directory, const char *name, const struct plan_device *device, struct berth_error *err) {
        _cleanup_close_ int fd = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        char path[32];
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return berth_error_set(err, errno, "open device '%s'", device->path);
        if ((st.st_mode & S_IFMT) != (device->mode & S_IFMT) || (!S_ISFIFO(st.st_mode) && st.st_rdev != devnode_number(device)))
                return berth_error_set(err, EEXIST, "make device '%s': something else stands there", device->path);
        (void) snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if ((st.st_uid != device->uid || st.st_gid != device->gid) && fchownat(fd, "", device->uid, device->gid, AT_EMPTY_PATH) < 0)
                return berth_error_set(err, errno, "change the owner of device '%s'", device->path);
        if ((st.st_mode & 07777) != (device->mode & 07777) && chmod(path, device->mode & 07777) < 0)
                return berth_error_set(err, errno, "change the mode of device '%s'", device->path);
        return 0;
}

static int devnode_make(int directory, const char *name, const struct plan_device *device, struct berth_error *err) {
        if (mknodat(directory, name, device->mode, devnode_number(device)) < 0) {
                if (errno != EEXIST)
                        return berth_error_set(err, errno, "make device '%s' (%u:%u)", device->path, device->major, device->minor);
                return devnode_take(directory, name, device, err);
        }
        if ((device->uid != 0 || device->gid != 0) && fchownat(directory, name, device->uid, device->gid, AT_SYMLINK_NOFOLLOW) < 0)
                return berth_error_set(err, errno, "change the owner of device '%s'", device->path);
        return 0;
}

static uint32_t devnode_count(const struct plan_container *container) {
        return DEVNODE_DEFAULTS + container->n_devices;
}

/* Default devices are named by their file below /dev. */
static const struct plan_device *devnode_at(const struct plan_container *container, uint32_t index) {
        return index < DEVNODE_DEFAULTS ? &devnode_defaults[index] : &container->devices[index - DEVNODE_DEFAULTS];
}

/* An id of the container as the host sees it; those of a namespace that is joined are mapped by the mount. */
static int devnode_outside(const struct plan_container *container, bool group, uint32_t id, const char *path, uint32_t *ret,
                           struct berth_error *err) {
        *ret = container->n_id_maps > 0 ? userns_outside(container->id_maps, container->n_id_maps, group, id) : id;
        return *ret == UINT32_MAX ? berth_error_set(err, EINVAL, "device '%s': %s %u is not mapped", path, group ? "group" : "user", id) : 0;
}

int devnode_prepare(const struct plan_container *container, int *ret_devices, struct berth_error *err) {
        static const char *const options[] = {"mode=0711", "size=4k"};
        _cleanup_close_ int devices = -1;

        int r = mount_create("tmpfs", "devices", options, sizeof options / sizeof *options, NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, &devices,
                             err);
        for (uint32_t i = 0; r == 0 && i < devnode_count(container); i++) {
                const struct plan_device *device = devnode_at(container, i);
                uint32_t uid, gid;
                char name[16];

                (void) snprintf(name, sizeof name, "%u", i);
                r = devnode_outside(container, false, device->uid, device->path, &uid, err);
                if (r == 0)
                        r = devnode_outside(container, true, device->gid, device->path, &gid, err);
                if (r < 0)
                        return r;
                /* The mode last: a change of owner clears bits, and the caller has a umask. */
                if (mknodat(devices, name, device->mode, devnode_number(device)) < 0 || fchownat(devices, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 ||
                    fchmodat(devices, name, device->mode & 07777, 0) < 0)
                        return berth_error_set(err, errno, "make device '%s' (%u:%u)", device->path, device->major, device->minor);
        }
        return r < 0 ? r : give_fd(ret_devices, &devices);
}

/* The prepared node of that number, mounted on an empty file; what the image has there is covered. */
static int devnode_bind(int root, int devices, uint32_t number, const char *path, struct berth_error *err) {
        _cleanup_close_ int target = -1, tree = -1;
        char name[16];

        int r = path_make_target(root, path, false, &target, err);
        if (r < 0)
                return r;
        (void) snprintf(name, sizeof name, "%u", number);
        tree = sys_open_tree(devices, name, OPEN_TREE_CLONE | AT_SYMLINK_NOFOLLOW);
        if (tree < 0)
                return berth_error_set(err, errno, "open the prepared device '%s'", path);
        r = mount_move(tree, target);
        return r < 0 ? berth_error_set(err, -r, "mount device '%s'", path) : 0;
}

static int devnode_bind_all(int root, const struct plan_container *container, int devices, struct berth_error *err) {
        char path[32];
        int r = 0;

        for (uint32_t i = 0; r == 0 && i < devnode_count(container); i++) {
                const struct plan_device *device = devnode_at(container, i);
                if (i < DEVNODE_DEFAULTS)
                        (void) snprintf(path, sizeof path, "/dev/%s", device->path);
                r = devnode_bind(root, devices, i, i < DEVNODE_DEFAULTS ? path : device->path, err);
        }
        return r;
}

static int devnode_make_nodes(int root, int dev, const struct plan_container *container, struct berth_error *err) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < DEVNODE_DEFAULTS; i++)
                r = devnode_make(dev, devnode_defaults[i].path, &devnode_defaults[i], err);
        for (uint32_t i = 0; r == 0 && i < container->n_devices; i++) {
                _cleanup_close_ int parent = -1;
                const char *name;
                r = path_make_parent(root, container->devices[i].path, &parent, &name, err);
                if (r == 0)
                        r = devnode_make(parent, name, &container->devices[i], err);
        }
        return r;
}

/* An image may have links of its own, but ptmx must be that of the container's devpts, or no terminal could be opened. */
static int devnode_link(int dev, const char *to, const char *name, struct berth_error *err) {
        if (symlinkat(to, dev, name) == 0)
                return 0;
        if (errno == EEXIST && strcmp(name, "ptmx") != 0)
                return 0;
        if (errno == EEXIST && unlinkat(dev, name, 0) == 0 && symlinkat(to, dev, name) == 0)
                return 0;
        return berth_error_set(err, errno, "make the link '/dev/%s'", name);
}

int devnode_make_all(int root, const struct plan_container *container, int devices, struct berth_error *err) {
        _cleanup_close_ int dev = -1;

        int r = path_make_directory(root, "/dev", &dev, err);
        if (r == 0)
                r = devices >= 0 ? devnode_bind_all(root, container, devices, err) : devnode_make_nodes(root, dev, container, err);
        if (r < 0)
                return r;
        for (size_t i = 0; r == 0 && i < sizeof devnode_links / sizeof *devnode_links; i++)
                r = devnode_link(dev, devnode_links[i][0], devnode_links[i][1], err);
        return r;
}
