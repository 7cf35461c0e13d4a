/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

#include "../include/berth.h"
#include "error.h"

int berth_label_set(const char *path, const char *label, struct berth_error *err) {
        if (lsetxattr(path, "security.selinux", label, strlen(label) + 1, 0) == 0)
                return 1;
        if (errno == EOPNOTSUPP)
                return 0;
        return berth_error_set(err, errno, "give '%.300s' the SELinux label '%.128s'", path, label);
}
