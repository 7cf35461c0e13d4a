/* SPDX-License-Identifier: Apache-2.0 */
#include "lsm.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "cleanup.h"
#include "fd.h"
#include "mount.h"
#include "sys.h"

#define LSM_PROC_ROOT_INODE 1

/*
 * A procfs that nothing in the container can have covered or replaced (CVE-2025-52881). A user namespace whose own has masks may not make
 * another one; there the container's is used, of which every step is checked below.
 */
static int lsm_open_procfs(int *ret_fd, struct berth_error *err) {
        struct statfs file_system;
        struct stat st;

        int r = mount_create("proc", "proc", NULL, 0, NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, ret_fd, err);
        if (r != -EPERM)
                return r;
        _cleanup_close_ int fd = sys_openat2(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
        if (fd < 0 || fstatfs(fd, &file_system) < 0 || fstat(fd, &st) < 0)
                return berth_error_set(err, errno, "open the container's /proc");
        if ((unsigned long) file_system.f_type != PROC_SUPER_MAGIC || st.st_ino != LSM_PROC_ROOT_INODE)
                return berth_error_set(err, EPERM, "the container's /proc is not the root of a procfs");
        return give_fd(ret_fd, &fd);
}

/* A file of the calling process; no link and no other mount may stand in the way. */
static int lsm_open(int procfs, const char *name, int flags) {
        char path[64];

        (void) snprintf(path, sizeof path, "%d/attr/%s", (int) getpid(), name);
        return sys_openat2(procfs, path, flags, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);
}

/* Its files are there in every kernel that knows AppArmor; they answer only where it is active. */
static bool lsm_has_apparmor(int procfs) {
        _cleanup_close_ int fd = lsm_open(procfs, "apparmor/current", O_RDONLY);
        char text[256];

        return fd >= 0 && read(fd, text, sizeof text) >= 0;
}

/* Its file system is registered where it is active only. */
static bool lsm_has_selinux(int procfs) {
        _cleanup_close_ int fd = sys_openat2(procfs, "filesystems", O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
        char text[4096];
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

        if (n < 0)
                return false;
        text[n] = '\0';
        return strstr(text, "\tselinuxfs\n") != NULL;
}

static int lsm_apparmor(int procfs, const char *profile, struct berth_error *err) {
        char text[4096];

        if (!lsm_has_apparmor(procfs)) {
                if (strcmp(profile, "unconfined") == 0)
                        return 0;
                return berth_error_set(err, EOPNOTSUPP, "AppArmor profile '%.128s' cannot be applied: AppArmor is not active on this host", profile);
        }
        _cleanup_close_ int fd = lsm_open(procfs, "apparmor/exec", O_WRONLY);
        if (fd < 0)
                return berth_error_set(err, errno, "open the file that takes AppArmor profiles");
        int n = snprintf(text, sizeof text, "exec %s", profile);
        if (n < 0 || (size_t) n >= sizeof text)
                return berth_error_set(err, ENAMETOOLONG, "AppArmor profile '%.128s…'", profile);
        if (write(fd, text, (size_t) n) == n)
                return 0;
        if (errno == ENOENT)
                return berth_error_set(err, ENOENT, "AppArmor profile '%.128s' is not loaded", profile);
        return berth_error_set(err, errno, "apply AppArmor profile '%.128s'", profile);
}

static int lsm_selinux(int procfs, const char *label, struct berth_error *err) {
        if (!lsm_has_selinux(procfs))
                return berth_error_set(err, EOPNOTSUPP, "SELinux label '%.128s' cannot be applied: SELinux is not active on this host", label);
        _cleanup_close_ int fd = lsm_open(procfs, "exec", O_WRONLY);
        if (fd < 0)
                return berth_error_set(err, errno, "open the file that takes SELinux labels");
        int r = fd_write_all(fd, label, strlen(label));
        return r < 0 ? berth_error_set(err, -r, "apply SELinux label '%.128s'", label) : 0;
}

/* Keyrings are made with the label of their maker otherwise, and the process under its own could not use them. */
static int lsm_selinux_keys(int procfs, const char *label, struct berth_error *err) {
        _cleanup_close_ int fd = lsm_open(procfs, "keycreate", O_WRONLY);
        int r = fd < 0 ? -errno : fd_write_all(fd, label, strlen(label));
        return r < 0 && r != -ENOENT ? berth_error_set(err, -r, "apply SELinux label '%.128s' to keyrings", label) : 0;
}

int lsm_apply(const struct plan_process *plan, struct berth_error *err) {
        _cleanup_close_ int procfs = -1;

        if (!plan->apparmor && !plan->selinux)
                return 0;
        int r = lsm_open_procfs(&procfs, err);
        if (r == 0 && plan->apparmor)
                r = lsm_apparmor(procfs, plan->apparmor, err);
        if (r == 0 && plan->selinux)
                r = lsm_selinux(procfs, plan->selinux, err);
        return r == 0 && plan->selinux && !plan->no_new_keyring ? lsm_selinux_keys(procfs, plan->selinux, err) : r;
}
