/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cgroup-internal.h"
#include "cleanup.h"

int cgroup_path_check(const char *path, struct berth_error *err) {
        size_t length = strlen(path);
        if (length >= CGROUP_PATH_MAX)
                return berth_error_set(err, ENAMETOOLONG, "the cgroup path is longer than %d bytes", CGROUP_PATH_MAX - 1);
        if (path[0] != '/' || path[1] == '\0')
                return berth_error_set(err, EINVAL, "the cgroup path '%s' must be absolute and not the root", path);
        unsigned depth = 0;
        for (const char *part = path; *part == '/'; depth++) {
                size_t n = strcspn(++part, "/");
                if (n == 0 || (part[0] == '.' && (n == 1 || (n == 2 && part[1] == '.'))))
                        return berth_error_set(err, EINVAL, "the cgroup path '%s' has an empty, '.' or '..' part", path);
                part += n;
        }
        if (depth > CGROUP_DEPTH_MAX)
                return berth_error_set(err, EINVAL, "the cgroup path '%s' is deeper than %d levels", path, CGROUP_DEPTH_MAX);
        return 0;
}

int cgroup_directory(const struct cgroup_hierarchy *hierarchy, const char *path, char buffer[CGROUP_FILE_MAX], struct berth_error *err) {
        int length = snprintf(buffer, CGROUP_FILE_MAX, "%s%s", hierarchy->mount, path);
        if (length < 0 || length >= CGROUP_FILE_MAX)
                return berth_error_set(err, ENAMETOOLONG, "the cgroup directory of %s is too long", path);
        return 0;
}

int cgroup_directory_open(const struct cgroup_hierarchy *hierarchy, const char *path, int *ret_fd, struct berth_error *err) {
        char directory[CGROUP_FILE_MAX];
        int r = cgroup_directory(hierarchy, path, directory, err);
        if (r < 0)
                return r;
        _cleanup_close_ int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return berth_error_set(err, errno, "open the cgroup directory %s", directory);
        return give_fd(ret_fd, &fd);
}

int cgroup_file_write(int directory, const char *file, const char *value) {
        _cleanup_close_ int fd = openat(directory, file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return -errno;
        size_t length = strlen(value);
        ssize_t n;
        do
                n = write(fd, value, length);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : (size_t) n != length ? -EIO : 0;
}

int cgroup_file_read(int directory, const char *file, char *buffer, size_t capacity) {
        _cleanup_close_ int fd = openat(directory, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return -errno;
        size_t used = 0;
        while (used < capacity - 1) {
                ssize_t n = read(fd, buffer + used, capacity - 1 - used);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                used += (size_t) n;
        }
        buffer[used] = '\0';
        return (int) used;
}

int cgroup_file_failed(const char *file, const char *value, int code, struct berth_error *err) {
        if (code == ENOENT)
                return berth_error_set(err, ENOENT, "the kernel has no cgroup file %s, which the limit '%s' needs", file, value);
        return berth_error_set(err, code, "write '%s' to the cgroup file %s", value, file);
}

int cgroup_file_set(int directory, const char *file, const char *value, struct berth_error *err) {
        int r = cgroup_file_write(directory, file, value);
        return r < 0 ? cgroup_file_failed(file, value, -r, err) : 0;
}

int cgroup_file_set_number(int directory, const char *file, int64_t value, struct berth_error *err) {
        char text[24];
        (void) snprintf(text, sizeof(text), "%" PRId64, value);
        return cgroup_file_set(directory, file, text, err);
}

int cgroup_file_key(int directory, const char *file, const char *key, uint64_t *ret) {
        char text[4096];
        int r = cgroup_file_read(directory, file, text, sizeof(text));
        if (r < 0)
                return r;
        size_t length = strlen(key);
        for (char *line = text, *next; line && *line; line = next) {
                next = strchr(line, '\n');
                if (next)
                        *next++ = '\0';
                if (strncmp(line, key, length) == 0 && line[length] == ' ' && isdigit((unsigned char) line[length + 1])) {
                        *ret = strtoull(line + length + 1, NULL, 10);
                        return 0;
                }
        }
        return -ENOENT;
}

int cgroup_file_number(int directory, const char *file, uint64_t *ret) {
        char text[64];
        int r = cgroup_file_read(directory, file, text, sizeof(text));
        if (r < 0)
                return r;
        if (strncmp(text, "max", 3) == 0)
                *ret = UINT64_MAX;
        else if (isdigit((unsigned char) text[0]))
                *ret = strtoull(text, NULL, 10);
        else
                return -EPROTO;
        return 0;
}

int64_t cgroup_now(void) {
        struct timespec now;
        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
