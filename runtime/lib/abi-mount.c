/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/mount.h>

#include "../include/berth.h"
#include "error.h"

/* A bind takes its other flags from its source; being read-only is a second call. */
#define READ_ONLY_BIND (MS_BIND | MS_RDONLY)

int berth_mount_at(const char *source, const char *target, const char *type, uint64_t flags, const char *data, struct berth_error *err) {
        if (mount(source, target, type, (unsigned long) flags, data) < 0)
                return berth_error_set(err, errno, "mount '%.160s' on '%.200s'", source, target);
        if ((flags & READ_ONLY_BIND) != READ_ONLY_BIND)
                return 0;
        if (mount(NULL, target, NULL, (unsigned long) flags | MS_REMOUNT, NULL) == 0)
                return 0;
        int code = errno;
        (void) umount2(target, MNT_DETACH);
        return berth_error_set(err, code, "mount '%.160s' on '%.200s' again, read-only", source, target);
}

int berth_unmount(const char *target, struct berth_error *err) {
        if (umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
                return berth_error_set(err, errno, "unmount '%.400s'", target);
        return 0;
}
