/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "command.h"
#include "json.h"

int config_read(const char *bundle, char *ret_bundle, json_t **ret, struct berth_error *err) {
        char path[PATH_MAX + 16];
        struct stat st;

        if (!realpath(bundle, ret_bundle))
                return berth_error_set(err, errno, "bundle '%s': %s", bundle, strerror(errno));
        (void) snprintf(path, sizeof path, "%s/config.json", ret_bundle);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return berth_error_set(err, errno, "'%s': %s", path, strerror(errno));
        if (!S_ISREG(st.st_mode) || st.st_size > (off_t) JSON_SIZE_MAX)
                return berth_error_set(err, EFBIG, "'%s' is not a file of up to %u bytes", path, JSON_SIZE_MAX);

        _cleanup_free_ char *text = malloc((size_t) st.st_size + 1);
        if (!text)
                return berth_error_set(err, ENOMEM, "memory for '%s'", path);
        ssize_t n = read(fd, text, (size_t) st.st_size);
        if (n < 0)
                return berth_error_set(err, errno, "read '%s': %s", path, strerror(errno));
        return json_parse(text, (size_t) n, "config.json", ret, err);
}
