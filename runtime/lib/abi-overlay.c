/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <sys/xattr.h>

#include "../include/berth.h"
#include "error.h"

/* By way of /proc, since a descriptor opened with O_PATH has no attributes of its own. */
int berth_overlay_opaque(int directory, struct berth_error *err) {
        char path[32], value[2];

        (void) snprintf(path, sizeof path, "/proc/self/fd/%d", directory);
        ssize_t n = getxattr(path, "trusted.overlay.opaque", value, sizeof value);
        if (n >= 0)
                return n == 1 && value[0] == 'y';
        /* A value of another size is none of overlayfs's that hides anything. */
        if (errno == ENODATA || errno == ENOTSUP || errno == ERANGE)
                return 0;
        return berth_error_set(err, errno, "read the overlay marks of a directory");
}
