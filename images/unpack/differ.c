/* SPDX-License-Identifier: Apache-2.0 */
#include "differ.h"

#include "../../runtime/lib/cleanup.h"
#include "report.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

int differ_init(struct differ *differ, struct berth_error *err) {
        *differ = (struct differ){.one = malloc(sizeof *differ->one), .other = malloc(sizeof *differ->other)};
        return differ->one && differ->other ? 0 : berth_error_set(err, ENOMEM, "start comparing");
}

void differ_free(struct differ *differ) {
        free(differ->one);
        free(differ->other);
}

bool differ_owner_or_mode(const struct stat *one, const struct stat *other) {
        return one->st_mode != other->st_mode || one->st_uid != other->st_uid || one->st_gid != other->st_gid || one->st_rdev != other->st_rdev;
}

static bool same_time(const struct timespec *one, const struct timespec *other) {
        return one->tv_sec == other->tv_sec && (one->tv_nsec == other->tv_nsec || one->tv_nsec == 0 || other->tv_nsec == 0);
}

/* The size of the capability, 0 without one or when the file has gone; negative when it cannot be read. */
static ssize_t capability_of(int directory, const char *name, char value[64]) {
        struct berth_error ignored;
        _cleanup_close_ int fd = -1;
        int r = tree_open(directory, name, O_RDONLY | O_NONBLOCK, &fd, &ignored);
        if (r < 0)
                return r == -ENOENT || r == -ENOTDIR || r == -ELOOP ? 0 : r;
        ssize_t size = fgetxattr(fd, "security.capability", value, 64);
        return size < 0 && (errno == ENODATA || errno == EOPNOTSUPP) ? 0 : size;
}

bool differ_files(const char *name, const struct differ_side *one, const struct differ_side *other) {
        if (differ_owner_or_mode(one->st, other->st) || one->st->st_size != other->st->st_size || !same_time(&one->st->st_mtim, &other->st->st_mtim))
                return true;
        if (!S_ISREG(one->st->st_mode))
                return false;
        char a[64], b[64];
        ssize_t size = capability_of(one->directory, name, a);
        /* Of files that cannot be compared both are kept. */
        return size < 0 || size != capability_of(other->directory, name, b) || memcmp(a, b, (size_t) size) != 0;
}

int differ_attributes(struct differ *differ, int one, int other, const char *path, struct berth_error *err) {
        int r = attributes_read(differ->one, one, path, err);
        if (r == 0)
                r = attributes_read(differ->other, other, path, err);
        return r < 0 ? r : !attributes_equal(differ->one, differ->other);
}
