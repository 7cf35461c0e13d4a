/* SPDX-License-Identifier: Apache-2.0 */
#include "sealed-executable.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "cleanup.h"
#include "sys.h"

#define EXECUTABLE_SIZE_MAX ((off_t) 64 << 20)
#define EXECUTABLE_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static int executable_copy(int from, off_t size, int *ret_fd, struct berth_error *err) {
        _cleanup_close_ int fd = memfd_create("berth", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

        if (fd < 0 && errno == EINVAL) /* before kernel 6.3, where every memfd may execute */
                fd = memfd_create("berth", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0)
                return berth_error_set(err, errno, "make a memory file for an executable");
        for (off_t offset = 0; offset < size;) {
                ssize_t n = sendfile(fd, from, &offset, (size_t) (size - offset));
                if (n <= 0)
                        return berth_error_set(err, n < 0 ? errno : EIO, "copy an executable");
        }
        if (fchmod(fd, 0500) < 0)
                return berth_error_set(err, errno, "make a memory file executable");
        if (fcntl(fd, F_ADD_SEALS, EXECUTABLE_SEALS) < 0)
                return berth_error_set(err, errno, "seal an executable");
        return give_fd(ret_fd, &fd);
}

static int executable_show_readonly(int from, int *ret_fd, struct berth_error *err) {
        const struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
        _cleanup_close_ int fd = sys_open_tree(from, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);

        if (fd < 0)
                return berth_error_set(err, errno, "copy the mount of an executable");
        if (sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attr) < 0)
                return berth_error_set(err, errno, "make the mount of an executable read-only");
        return give_fd(ret_fd, &fd);
}

int sealed_executable_make(int from, int *ret_fd, struct berth_error *err) {
        struct stat st;

        if (fstat(from, &st) < 0)
                return berth_error_set(err, errno, "stat an executable");
        if (!S_ISREG(st.st_mode) || st.st_size > EXECUTABLE_SIZE_MAX)
                return berth_error_set(err, EINVAL, "this is not an executable file of up to %lld bytes", (long long) EXECUTABLE_SIZE_MAX);
        int r = executable_copy(from, st.st_size, ret_fd, err);
        return r == -EACCES || r == -EPERM ? executable_show_readonly(from, ret_fd, err) : r;
}

bool sealed_executable_is(int fd) {
        struct statvfs fs;
        int seals = fcntl(fd, F_GET_SEALS);

        if (seals >= 0)
                return (seals & EXECUTABLE_SEALS) == EXECUTABLE_SEALS;
        return fstatvfs(fd, &fs) == 0 && (fs.f_flag & ST_RDONLY);
}
