/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "mount.h"
#include "sys.h"

#define MOUNT_VALUE_MAX 255 /* bytes of a value that fsconfig(2) takes */

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

/* A list of layers that is longer than one value; the kernel takes them one by one since 6.5, without the escapes of the list. */
static int mount_layers(int fs, const char *layers) {
        char layer[MOUNT_VALUE_MAX + 1];
        size_t used = 0;

        for (const char *at = layers;; at++) {
                if (*at == ':' || *at == '\0') {
                        layer[used] = '\0';
                        if (sys_fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir+", layer, 0) < 0)
                                return -1;
                        used = 0;
                        if (*at == '\0')
                                return 0;
                        continue;
                }
                if (*at == '\\' && at[1] != '\0')
                        at++;
                if (used == sizeof layer - 1) {
                        errno = ENAMETOOLONG;
                        return -1;
                }
                layer[used++] = *at;
        }
}

static int mount_option(int fs, const char *type, const char *option) {
        char key[MOUNT_VALUE_MAX + 1];
        const char *equals = strchr(option, '=');

        if (!equals)
                return sys_fsconfig(fs, FSCONFIG_SET_FLAG, option, NULL, 0);
        if ((size_t) (equals - option) >= sizeof key) {
                errno = EINVAL;
                return -1;
        }
        memcpy(key, option, (size_t) (equals - option));
        key[equals - option] = '\0';
        if (strlen(equals + 1) > MOUNT_VALUE_MAX && strcmp(type, "overlay") == 0 && strcmp(key, "lowerdir") == 0)
                return mount_layers(fs, equals + 1);
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

static int mount_options(int fs, const char *type, const char *const *options, uint32_t n, struct berth_error *err) {
        for (uint32_t i = 0; i < n; i++)
                if (mount_option(fs, type, options[i]) < 0) {
                        int code = errno;
                        char step[128];
                        (void) snprintf(step, sizeof step, "option '%.100s'", options[i]);
                        return mount_refused(fs, code, step, type, err);
                }
        return 0;
}

int mount_create(const char *type, const char *source, const char *const *options, uint32_t n_options, const char *label, uint64_t attributes,
                 int *ret_fd, struct berth_error *err) {
        _cleanup_close_ int fs = sys_fsopen(type);
        if (fs < 0)
                return berth_error_set(err, errno, "open file system type '%s'", type);
        if (source && *source && sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", source, 0) < 0)
                return mount_refused(fs, errno, "source", type, err);
        /* What comes from a device or a directory may be readable only; the others are read-only by their mount alone. */
        if (source && *source == '/' && attributes & MOUNT_ATTR_RDONLY && sys_fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0)
                return mount_refused(fs, errno, "option 'ro'", type, err);
        int r = mount_options(fs, type, options, n_options, err);
        if (r < 0)
                return r;
        if (label && sys_fsconfig(fs, FSCONFIG_SET_STRING, "context", label, 0) < 0) {
                int code = errno;
                char step[320];
                (void) snprintf(step, sizeof step, "SELinux label '%s'", label);
                return mount_refused(fs, code, step, type, err);
        }
        if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return mount_refused(fs, errno, "creation", type, err);

        _cleanup_close_ int mount = sys_fsmount(fs, (unsigned) attributes);
        if (mount < 0)
                return mount_refused(fs, errno, "mount", type, err);
        return give_fd(ret_fd, &mount);
}

int mount_reconfigure(int mount, const char *const *options, uint32_t n_options, const char *access, struct berth_error *err) {
        _cleanup_close_ int fs = sys_fspick(mount);

        if (fs < 0)
                return berth_error_set(err, errno, "open a mounted file system to change it");
        if (access && sys_fsconfig(fs, FSCONFIG_SET_FLAG, access, NULL, 0) < 0)
                return mount_refused(fs, errno, "access", "mounted", err);
        int r = mount_options(fs, "mounted", options, n_options, err);
        if (r == 0 && sys_fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
                return mount_refused(fs, errno, "change", "mounted", err);
        return r;
}
