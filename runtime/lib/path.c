/* SPDX-License-Identifier: Apache-2.0 */
#include "path.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "sys.h"

/* openat2(2) answers EAGAIN when a rename happened somewhere at the same moment; a hostile process can cause that for ever. */
#define PATH_ATTEMPTS 64
#define PATH_LINKS 16

static int path_resolve(int root, const char *path, int flags, mode_t mode, uint64_t resolve, int *ret_fd) {
        while (*path == '/')
                path++;
        if (*path == '\0')
                path = ".";

        for (int attempt = 0; attempt < PATH_ATTEMPTS; attempt++) {
                int fd = sys_openat2(root, path, flags, mode, resolve | RESOLVE_NO_MAGICLINKS);
                if (fd >= 0) {
                        *ret_fd = fd;
                        return 0;
                }
                if (errno != EAGAIN && errno != EINTR)
                        return -errno;
        }
        return -EAGAIN;
}

int path_open_in_root(int root, const char *path, int flags, mode_t mode, int *ret_fd) {
        return path_resolve(root, path, flags, mode, RESOLVE_IN_ROOT, ret_fd);
}

int path_open_in_root_nofollow(int root, const char *path, int flags, int *ret_fd) {
        return path_resolve(root, path, flags, 0, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS, ret_fd);
}

int path_open_beneath(int directory, const char *path, int flags, int *ret_fd) {
        return path_resolve(directory, path, flags, 0, RESOLVE_BENEATH, ret_fd);
}

static bool path_is_dots(const char *name, size_t size) {
        return (size == 1 && name[0] == '.') || (size == 2 && name[0] == '.' && name[1] == '.');
}

/*
 * Images have links to what only exists at run time (/etc/resolv.conf to something below /run). The path to take instead of
 * `path`, whose first `size` bytes name a link in `directory` that leads nowhere yet.
 */
static int path_follow(int directory, const char *name, const char *path, size_t size, char *ret, struct berth_error *err) {
        char link[PATH_MAX];
        const char *slash = memrchr(path, '/', size);
        size_t parent = slash ? (size_t) (slash - path) : 0;
        ssize_t n = readlinkat(directory, name, link, sizeof link - 1);

        if (n < 0)
                return berth_error_set(err, errno, "read the link '%.*s' in the root filesystem", (int) size, path);
        link[n] = '\0';
        int used = link[0] == '/' ? snprintf(ret, PATH_MAX, "%s%s", link, path + size)
                                  : snprintf(ret, PATH_MAX, "%.*s/%s%s", (int) parent, path, link, path + size);
        return used < 0 || used >= PATH_MAX ? berth_error_set(err, ENAMETOOLONG, "follow the link '%.*s' in the root filesystem", (int) size, path)
                                            : 0;
}

/* 1: a link was found on the way, and ret_next (PATH_MAX) is where it leads. */
static int path_walk(int root, const char *path, int *ret_fd, char *ret_next, struct berth_error *err) {
        _cleanup_close_ int fd = -1;
        char prefix[PATH_MAX], component[NAME_MAX + 1];

        int r = path_open_in_root(root, ".", O_PATH | O_DIRECTORY, 0, &fd);
        if (r < 0)
                return berth_error_set(err, -r, "open the root filesystem");

        for (const char *at = path; *at;) {
                size_t skip = strspn(at, "/"), size = strcspn(at + skip, "/");
                const char *name = at + skip;
                at = name + size;
                if (size == 0)
                        break;
                memcpy(prefix, path, (size_t) (at - path));
                prefix[at - path] = '\0';

                int next = -1;
                r = path_open_in_root(root, prefix, O_PATH | O_DIRECTORY, 0, &next);
                if (r == -ENOENT) {
                        if (size > NAME_MAX || path_is_dots(name, size))
                                return berth_error_set(err, EINVAL, "make directory '%s' in the root filesystem", prefix);
                        memcpy(component, name, size);
                        component[size] = '\0';
                        bool there = mkdirat(fd, component, 0755) < 0;
                        if (there && errno != EEXIST)
                                return berth_error_set(err, errno, "make directory '%s' in the root filesystem", prefix);
                        r = path_open_in_root(root, prefix, O_PATH | O_DIRECTORY, 0, &next);
                        if (r == -ENOENT && there) {
                                r = path_follow(fd, component, path, (size_t) (at - path), ret_next, err);
                                return r < 0 ? r : 1;
                        }
                }
                if (r < 0)
                        return berth_error_set(err, -r, "open directory '%s' in the root filesystem", prefix);
                (void) close(fd);
                fd = next;
        }
        return give_fd(ret_fd, &fd);
}

int path_make_directory(int root, const char *path, int *ret_fd, struct berth_error *err) {
        char current[PATH_MAX], next[PATH_MAX];

        int r = path_open_in_root(root, path, O_PATH | O_DIRECTORY, 0, ret_fd);
        if (r == 0)
                return 0;
        if (r != -ENOENT)
                return berth_error_set(err, -r, "open directory '%s' in the root filesystem", path);
        if (strlen(path) >= sizeof current)
                return berth_error_set(err, ENAMETOOLONG, "directory '%.64s…' in the root filesystem", path);
        (void) strcpy(current, path);
        for (int links = 0; links <= PATH_LINKS; links++) {
                r = path_walk(root, current, ret_fd, next, err);
                if (r <= 0)
                        return r;
                (void) strcpy(current, next);
        }
        return berth_error_set(err, ELOOP, "make directory '%s' in the root filesystem", path);
}

int path_make_parent(int root, const char *path, int *ret_fd, const char **ret_name, struct berth_error *err) {
        char parent[PATH_MAX];
        const char *name = strrchr(path, '/');
        size_t size = name ? (size_t) (name - path) : 0;

        name = name ? name + 1 : path;
        if (*name == '\0' || path_is_dots(name, strlen(name)) || size >= sizeof parent)
                return berth_error_set(err, EINVAL, "path '%s' in the root filesystem has no last component", path);
        memcpy(parent, path, size);
        parent[size] = '\0';

        int r = path_make_directory(root, parent, ret_fd, err);
        if (r == 0)
                *ret_name = name;
        return r;
}

/* 1: as path_walk. An empty file is made where nothing is. */
static int path_make_file(int root, const char *path, int *ret_fd, char *ret_next, struct berth_error *err) {
        _cleanup_close_ int parent = -1, made = -1;
        const char *name;

        int r = path_open_in_root(root, path, O_PATH, 0, ret_fd);
        if (r == -ENOENT) {
                r = path_make_parent(root, path, &parent, &name, err);
                if (r < 0)
                        return r;
                made = openat(parent, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0644);
                if (made < 0 && errno != EEXIST)
                        return berth_error_set(err, errno, "make file '%s' in the root filesystem", path);
                r = path_open_in_root(root, path, O_PATH, 0, ret_fd);
                if (r == -ENOENT && made < 0) {
                        r = path_follow(parent, name, path, strlen(path), ret_next, err);
                        return r < 0 ? r : 1;
                }
        }
        return r < 0 ? berth_error_set(err, -r, "open '%s' in the root filesystem", path) : 0;
}

int path_make_target(int root, const char *path, bool directory, int *ret_fd, struct berth_error *err) {
        _cleanup_close_ int fd = -1;
        char current[PATH_MAX], next[PATH_MAX];
        struct stat st;

        if (directory)
                return path_make_directory(root, path, ret_fd, err);
        if (strlen(path) >= sizeof current)
                return berth_error_set(err, ENAMETOOLONG, "file '%.64s…' in the root filesystem", path);
        (void) strcpy(current, path);
        int r = 1;
        for (int links = 0; r == 1 && links <= PATH_LINKS; links++) {
                r = path_make_file(root, current, &fd, next, err);
                if (r == 1)
                        (void) strcpy(current, next);
        }
        if (r == 1)
                return berth_error_set(err, ELOOP, "make file '%s' in the root filesystem", path);
        if (r < 0)
                return r;
        if (fstat(fd, &st) < 0)
                return berth_error_set(err, errno, "stat '%s' in the root filesystem", path);
        if (S_ISDIR(st.st_mode))
                return berth_error_set(err, ENOTDIR, "mount a file on the directory '%s'", path);
        return give_fd(ret_fd, &fd);
}
