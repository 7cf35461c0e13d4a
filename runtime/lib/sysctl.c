/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "mount.h"
#include "rootfs.h"
#include "sys.h"

static int sysctl_write(int procfs, const struct plan_pair *sysctl, struct berth_error *err) {
        char path[256];

        if (snprintf(path, sizeof path, "sys/%s", sysctl->key) >= (int) sizeof path)
                return berth_error_set(err, ENAMETOOLONG, "sysctl '%.64s…'", sysctl->key);
        /* No link and no other mount may redirect the write (CVE-2025-52881). */
        _cleanup_close_ int fd =
                sys_openat2(procfs, path, O_WRONLY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);
        if (fd < 0)
                return berth_error_set(err, errno, "open sysctl '%s'", sysctl->key);
        if (write(fd, sysctl->value, strlen(sysctl->value)) < 0)
                return berth_error_set(err, errno, "set sysctl '%s' to '%s'", sysctl->key, sysctl->value);
        return 0;
}

int sysctl_apply(const struct plan_container *container, int procfs, struct berth_error *err) {
        _cleanup_close_ int own = -1;
        int r = 0;

        if (container->n_sysctls == 0)
                return 0;
        if (procfs < 0) {
                r = mount_create("proc", "proc", NULL, 0, NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, &own, err);
                procfs = own;
        }
        for (uint32_t i = 0; r == 0 && i < container->n_sysctls; i++)
                r = sysctl_write(procfs, &container->sysctls[i], err);
        return r;
}
