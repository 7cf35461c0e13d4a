/* SPDX-License-Identifier: Apache-2.0 */
#include "overlay.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "mount.h"
#include "sys.h"

#define OVERLAY_CONFIG_MAX 255 /* bytes that fsconfig(2) takes as a string */
#define OVERLAY_PAGE 4096      /* bytes that mount(2) takes as options */

/*
 * The upper directory must hold whole files under their own names, or a snapshot's difference could not be read from it. A
 * container whose upper is used again after a crash must not fail on a stale index.
 */
static const char *const overlay_settings[][2] = {{"index", "off"}, {"redirect_dir", "off"}, {"metacopy", "off"}};

static int overlay_path(int fs, const char *key, const char *path) {
        char text[32];

        if (strlen(path) <= OVERLAY_CONFIG_MAX)
                return sys_fsconfig(fs, FSCONFIG_SET_STRING, key, path, 0);
        _cleanup_close_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -1;
        (void) snprintf(text, sizeof text, "/proc/self/fd/%d", fd);
        return sys_fsconfig(fs, FSCONFIG_SET_STRING, key, text, 0);
}

bool overlay_can_detach(void) {
        _cleanup_close_ int fs = sys_fsopen("overlay");

        /* A kernel that knows the key refuses a layer without a name; the others keep any key until the end. */
        return fs >= 0 && sys_fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir+", "", 0) < 0;
}

/*
 * 1: the kernel does not know lowerdir+. It then takes any option of up to a page in all, without commas, and refuses them in the
 * end, always with EINVAL.
 */
static int overlay_detached(const struct keeper_plan *keeper, const char *label, int *ret_fd, struct berth_error *err) {
        _cleanup_close_ int fs = sys_fsopen("overlay");
        if (fs < 0)
                return berth_error_set(err, errno, "open file system type 'overlay'");
        for (uint32_t i = 0; i < keeper->n_lower; i++)
                if (overlay_path(fs, "lowerdir+", keeper->lower[i]) < 0)
                        return errno == EINVAL ? 1 : berth_error_set(err, errno, "layer '%s' of the root filesystem", keeper->lower[i]);
        if (keeper->upper && overlay_path(fs, "upperdir", keeper->upper) < 0)
                return errno == EINVAL ? 1 : berth_error_set(err, errno, "upper directory '%s' of the root filesystem", keeper->upper);
        if (keeper->upper && overlay_path(fs, "workdir", keeper->work) < 0)
                return errno == EINVAL ? 1 : berth_error_set(err, errno, "work directory '%s' of the root filesystem", keeper->work);
        for (size_t i = 0; i < sizeof overlay_settings / sizeof *overlay_settings; i++)
                if (sys_fsconfig(fs, FSCONFIG_SET_STRING, overlay_settings[i][0], overlay_settings[i][1], 0) < 0)
                        return errno == EINVAL ? 1
                                               : berth_error_set(err, errno, "overlay option %s=%s", overlay_settings[i][0], overlay_settings[i][1]);
        if (sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", "overlay", 0) < 0)
                return errno == EINVAL ? 1 : berth_error_set(err, errno, "name the root filesystem");
        if (label && sys_fsconfig(fs, FSCONFIG_SET_STRING, "context", label, 0) < 0)
                return berth_error_set(err, errno, "SELinux label '%s' of the root filesystem", label);
        if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return errno == EINVAL ? 1 : berth_error_set(err, errno, "make the root filesystem of %u layers", keeper->n_lower);

        _cleanup_close_ int mount = sys_fsmount(fs, 0);
        if (mount < 0)
                return berth_error_set(err, errno, "mount the root filesystem of %u layers", keeper->n_lower);
        return give_fd(ret_fd, &mount);
}

/* How much of `path` is the directory that all paths seen so far share, with its slash. */
static size_t overlay_common(const char *first, size_t common, const char *path) {
        size_t same = 0;
        while (same < common && first[same] == path[same])
                same++;
        while (same > 0 && first[same - 1] != '/')
                same--;
        return same;
}

static int overlay_append(char *options, size_t *used, const char *before, const char *path, struct berth_error *err) {
        size_t at = *used, size = strlen(before);

        for (const char *from = before; size > 0; from++, size--) {
                if (at + 1 >= OVERLAY_PAGE)
                        return berth_error_set(err, E2BIG, "the root filesystem has more layers than this kernel takes (6.5 takes 500)");
                options[at++] = *from;
        }
        for (const char *from = path; *from; from++) {
                bool escape = *from == ':' || *from == ',' || *from == '\\';
                if (at + 1 + escape >= OVERLAY_PAGE)
                        return berth_error_set(err, E2BIG, "the root filesystem has more layers than this kernel takes (6.5 takes 500)");
                if (escape)
                        options[at++] = '\\';
                options[at++] = *from;
        }
        options[at] = '\0';
        *used = at;
        return 0;
}

static int overlay_attached(const struct keeper_plan *keeper, const char *label, int *ret_fd, struct berth_error *err) {
        char options[OVERLAY_PAGE], base[PATH_MAX];
        size_t used = 0, common = strlen(keeper->lower[0]);
        int r = 0;

        for (uint32_t i = 0; i < keeper->n_lower; i++)
                common = overlay_common(keeper->lower[0], common, keeper->lower[i]);
        if (keeper->upper) {
                common = overlay_common(keeper->lower[0], common, keeper->upper);
                common = overlay_common(keeper->lower[0], common, keeper->work);
        }
        if (common == 0 || common >= sizeof base)
                return berth_error_set(err, EINVAL, "the layers of the root filesystem have no absolute paths");
        memcpy(base, keeper->lower[0], common);
        base[common] = '\0';
        if (chdir(base) < 0)
                return berth_error_set(err, errno, "enter '%s'", base);

        for (uint32_t i = 0; r == 0 && i < keeper->n_lower; i++)
                r = overlay_append(options, &used, i == 0 ? "lowerdir=" : ":", keeper->lower[i] + common, err);
        if (r == 0 && keeper->upper)
                r = overlay_append(options, &used, ",upperdir=", keeper->upper + common, err);
        if (r == 0 && keeper->upper)
                r = overlay_append(options, &used, ",workdir=", keeper->work + common, err);
        if (r == 0)
                r = overlay_append(options, &used, ",index=off,redirect_dir=off,metacopy=off", "", err);
        if (r == 0 && label)
                r = overlay_append(options, &used, ",context=\"", "", err);
        if (r == 0 && label)
                r = overlay_append(options, &used, label, "\"", err);
        if (r < 0)
                return r;
        if (sys_mount("overlay", keeper->rootfs_path, "overlay", 0, options) < 0)
                return berth_error_set(err, errno, "mount the root filesystem of %u layers on '%s'", keeper->n_lower, keeper->rootfs_path);
        _cleanup_close_ int root = open(keeper->rootfs_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return berth_error_set(err, errno, "open '%s'", keeper->rootfs_path);
        return give_fd(ret_fd, &root);
}

int overlay_mount(const struct keeper_plan *keeper, const char *label, int *ret_fd, bool *ret_attached, struct berth_error *err) {
        if (keeper->n_lower == 0)
                return berth_error_set(err, EINVAL, "the root filesystem has no layers");

        /* The kernel wants two lower directories when nothing is above them; one is simply shown. */
        if (keeper->n_lower == 1 && !keeper->upper) {
                _cleanup_close_ int tree = sys_open_tree(AT_FDCWD, keeper->lower[0], OPEN_TREE_CLONE);
                if (tree < 0)
                        return berth_error_set(err, errno, "open layer '%s'", keeper->lower[0]);
                struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE};
                if (sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attr) < 0)
                        return berth_error_set(err, errno, "make layer '%s' read-only", keeper->lower[0]);
                *ret_attached = false;
                return give_fd(ret_fd, &tree);
        }

        int r = label ? mount_check_label(label, err) : 0;
        if (r == 0)
                r = overlay_detached(keeper, label, ret_fd, err);
        *ret_attached = r == 1;
        return r == 1 ? overlay_attached(keeper, label, ret_fd, err) : r;
}
