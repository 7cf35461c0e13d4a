/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

#include "cleanup.h"
#include "mount.h"
#include "sys.h"

int mount_check_label(const char *label, struct berth_error *err) {
        _cleanup_close_ int fs = sys_fsopen("selinuxfs");

        /* Its file system is registered where it is active only. */
        if (fs >= 0)
                return 0;
        if (errno == ENODEV)
                return berth_error_set(err, EOPNOTSUPP, "SELinux label '%s' of mounts cannot be applied: SELinux is not active on this host", label);
        return berth_error_set(err, errno, "find out whether SELinux is active");
}

bool mount_takes_label(const char *type) {
        static const char *const without[] = {"proc", "sysfs", "mqueue", "cgroup", "cgroup2"};

        for (size_t i = 0; i < sizeof without / sizeof *without; i++)
                if (strcmp(type, without[i]) == 0)
                        return false;
        return true;
}

int mount_set_label(const struct plan_mount *mount, const char *label, struct berth_error *err) {
        _cleanup_close_ int fd = openat(mount->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0 || fsetxattr(fd, "security.selinux", label, strlen(label) + 1, 0) < 0)
                return berth_error_set(err, errno, "give '%s' the SELinux label '%s'", mount->destination, label);
        return 0;
}
