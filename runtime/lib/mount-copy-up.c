/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "cleanup.h"
#include "mount.h"
#include "sys.h"

#define COPY_DEPTH 64
#define COPY_ENTRIES 100000
#define COPY_XATTRS (64 << 10)

/*
 * A directory of the image is copied into a tmpfs entry by entry, each by descriptor and without following links, and without leaving the
 * file system that the directory is on. How many bytes fit is the tmpfs's own limit.
 */
struct copy {
        const char *destination; /* for errors */
        uint32_t entries;
        char names[COPY_XATTRS], value[COPY_XATTRS];
};

static int copy_fail(const struct copy *copy, const char *step, const char *name, struct berth_error *err) {
        return berth_error_set(err, errno, "%s '%s' for the tmpfs on '%s'", step, name, copy->destination);
}

/* Of what is open as O_PATH: there are no calls for the extended attributes of those, only by the link in /proc. */
static void copy_link(int fd, char ret[32]) {
        (void) snprintf(ret, 32, "/proc/self/fd/%d", fd);
}

/* ENOTSUP and EPERM: a tmpfs does not take all that an image may have (user.* before kernel 6.6, trusted.* in a user namespace). */
static int copy_xattrs(struct copy *copy, int from, int to, const char *name, struct berth_error *err) {
        char source[32], target[32];

        copy_link(from, source);
        copy_link(to, target);
        ssize_t size = listxattr(source, copy->names, sizeof copy->names);
        if (size < 0)
                return errno == ENOTSUP ? 0 : copy_fail(copy, "list extended attributes of", name, err);
        for (const char *key = copy->names; key < copy->names + size; key += strlen(key) + 1) {
                ssize_t n = getxattr(source, key, copy->value, sizeof copy->value);
                if (n < 0 && errno != ENODATA)
                        return copy_fail(copy, "read extended attributes of", name, err);
                if (n >= 0 && setxattr(target, key, copy->value, (size_t) n, 0) < 0 && errno != ENOTSUP && errno != EPERM)
                        return copy_fail(copy, "copy extended attributes of", name, err);
        }
        return 0;
}

/* Owner first, because a change of owner takes set-id bits and file capabilities away; times last. */
static int copy_attributes(struct copy *copy, int from, const struct stat *st, int directory, const char *name, struct berth_error *err) {
        const struct timespec times[2] = {st->st_atim, st->st_mtim};
        bool link = S_ISLNK(st->st_mode);

        if (fchownat(directory, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
                return copy_fail(copy, "give an owner to", name, err);
        if (!link && fchmodat(directory, name, st->st_mode & 07777, 0) < 0)
                return copy_fail(copy, "give a mode to", name, err);
        if (!link) {
                _cleanup_close_ int made = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
                if (made < 0)
                        return copy_fail(copy, "open the copy of", name, err);
                int r = copy_xattrs(copy, from, made, name, err);
                if (r < 0)
                        return r;
        }
        return utimensat(directory, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? copy_fail(copy, "give times to", name, err) : 0;
}

static int copy_file(struct copy *copy, int from, int directory, const char *name, struct berth_error *err) {
        char path[32];

        /* What was looked at is what is opened: a device in its place would act on being opened. */
        copy_link(from, path);
        _cleanup_close_ int in = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (in < 0)
                return copy_fail(copy, "open", name, err);
        _cleanup_close_ int out = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (out < 0)
                return copy_fail(copy, "make", name, err);
        for (;;) {
                ssize_t n = syscall(SYS_sendfile, out, in, NULL, 1 << 20);
                if (n == 0)
                        return 0;
                if (n < 0 && errno != EINTR)
                        return copy_fail(copy, "copy", name, err);
        }
}

static int copy_symlink(struct copy *copy, int from, int directory, const char *name, struct berth_error *err) {
        char target[PATH_MAX];
        ssize_t n = readlinkat(from, "", target, sizeof target - 1);

        if (n < 0)
                return copy_fail(copy, "read the link", name, err);
        target[n] = '\0';
        return symlinkat(target, directory, name) < 0 ? copy_fail(copy, "make the link", name, err) : 0;
}

/* What is mounted there is not the image's; only its place is kept. */
static int copy_mount_point(struct copy *copy, int from, int to, const char *name, struct berth_error *err) {
        struct stat st;

        if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return copy_fail(copy, "stat", name, err);
        if ((S_ISDIR(st.st_mode) ? mkdirat(to, name, 0755) : mknodat(to, name, S_IFREG | 0644, 0)) < 0)
                return copy_fail(copy, "make", name, err);
        return 0;
}

static int copy_directory(struct copy *copy, int from, int to, unsigned depth, struct berth_error *err);

static int copy_entry(struct copy *copy, int from_directory, int to_directory, const char *name, unsigned depth, struct berth_error *err) {
        struct stat st;
        int r = 0;

        if (++copy->entries > COPY_ENTRIES)
                return berth_error_set(err, EFBIG, "the tmpfs on '%s' would begin with more than %d files", copy->destination, COPY_ENTRIES);
        _cleanup_close_ int from =
                sys_openat2(from_directory, name, O_PATH | O_NOFOLLOW, 0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);
        if (from < 0 && errno == EXDEV)
                return copy_mount_point(copy, from_directory, to_directory, name, err);
        if (from < 0 || fstat(from, &st) < 0)
                return copy_fail(copy, "open", name, err);

        if (S_ISDIR(st.st_mode)) {
                if (mkdirat(to_directory, name, 0700) < 0)
                        return copy_fail(copy, "make directory", name, err);
                _cleanup_close_ int to = openat(to_directory, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (to < 0)
                        return copy_fail(copy, "open directory", name, err);
                r = copy_directory(copy, from, to, depth + 1, err);
        } else if (S_ISREG(st.st_mode)) {
                r = copy_file(copy, from, to_directory, name, err);
        } else if (S_ISLNK(st.st_mode)) {
                r = copy_symlink(copy, from, to_directory, name, err);
        } else if (mknodat(to_directory, name, st.st_mode & (S_IFMT | 0600), st.st_rdev) < 0) {
                return copy_fail(copy, "make the special file", name, err);
        }
        return r < 0 ? r : copy_attributes(copy, from, &st, to_directory, name, err);
}

static int copy_directory(struct copy *copy, int from, int to, unsigned depth, struct berth_error *err) {
        struct dirent *entry;
        int r = 0;

        if (depth > COPY_DEPTH)
                return berth_error_set(err, ELOOP, "the tmpfs on '%s' would begin with directories more than %d deep", copy->destination, COPY_DEPTH);
        _cleanup_close_ int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_closedir_ DIR *directory = fd < 0 ? NULL : fdopendir(fd);
        if (!directory)
                return copy_fail(copy, "read directory", ".", err);
        int list = take_fd(&fd);
        while (r == 0 && (errno = 0, entry = readdir(directory)))
                if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                        r = copy_entry(copy, list, to, entry->d_name, depth, err);
        return r == 0 && errno != 0 ? copy_fail(copy, "read directory", ".", err) : r;
}

int mount_copy_up(int directory, int tmpfs, const char *destination, struct berth_error *err) {
        _cleanup_free_ struct copy *copy = malloc(sizeof *copy);

        if (!copy)
                return berth_error_set(err, ENOMEM, "memory to copy what the tmpfs on '%s' covers", destination);
        copy->destination = destination;
        copy->entries = 0;
        int r = copy_directory(copy, directory, tmpfs, 0, err);
        return r < 0 ? r : copy_xattrs(copy, directory, tmpfs, ".", err);
}
