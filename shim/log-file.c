/* SPDX-License-Identifier: Apache-2.0 */
#include "log-file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "log-compress.h"
#include "sys.h"

/* Of segments that clock steps made, where no number of files was asked for. */
#define LOG_SEGMENTS_MAX 100

/* No link is followed: one that appears at our name must not make us write elsewhere. */
static int log_file_open_name(struct log *log, int flags, int *ret_fd, struct berth_error *err) {
        _cleanup_close_ int fd = sys_openat2(log->directory, log->name, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | flags, 0640,
                                             RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
        if (fd < 0)
                return berth_error_set(err, errno, "open log '%s'", log->path);
        struct stat status;
        if (fstat(fd, &status) < 0)
                return berth_error_set(err, errno, "examine log '%s'", log->path);
        if (!S_ISREG(status.st_mode))
                return berth_error_set(err, EINVAL, "log '%s' is not a regular file", log->path);
        log->size = log->whole = (uint64_t) status.st_size;
        if (status.st_size > 0)
                log->last = (uint64_t) status.st_mtim.tv_sec * 1000000000ULL + (uint64_t) status.st_mtim.tv_nsec;
        return give_fd(ret_fd, &fd);
}

int log_file_open(struct log *log, struct berth_error *err) {
        char parent[PATH_MAX];
        const char *slash = strrchr(log->path, '/');
        if (!slash || (size_t) (slash - log->path) >= sizeof(parent))
                return berth_error_set(err, EINVAL, "log '%s' is not an absolute path", log->path);
        memcpy(parent, log->path, (size_t) (slash - log->path));
        parent[slash - log->path] = '\0';
        log->name = slash + 1;
        log->directory = open(parent[0] ? parent : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (log->directory < 0)
                return berth_error_set(err, errno, "open the directory of log '%s'", log->path);
        return log_file_open_name(log, 0, &log->fd, err);
}

int log_file_reopen(struct log *log, struct berth_error *err) {
        int fd = -1;
        int r = log_file_open_name(log, 0, &fd, err);
        if (r < 0)
                return r;
        (void) close(log->fd);
        log->fd = fd;
        return 0;
}

static void log_file_fail(struct log *log, int code, bool begun) {
        if (begun || log->whole < log->size)
                (void) ftruncate(log->fd, (off_t) log->whole);
        log->failure = code;
        log->size = log->whole;
        log->used = 0;
        log->open = LOG_STREAMS;
}

void log_file_flush(struct log *log) {
        size_t done = 0;
        while (done < log->used) {
                ssize_t n = write(log->fd, log->buffer + done, log->used - done);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0) {
                        log_file_fail(log, n < 0 ? errno : ENOSPC, done > 0);
                        return;
                }
                done += (size_t) n;
        }
        log->size += done;
        log->used = 0;
        log->whole = log->open == LOG_STREAMS ? log->size : log->open_at;
        if (done > 0)
                log->failure = 0;
}

static int log_file_rename(const struct log *log, uint32_t from, uint32_t to) {
        char source[NAME_MAX + 1], target[NAME_MAX + 1];
        int n = from == 0 ? snprintf(source, sizeof(source), "%s", log->name) : snprintf(source, sizeof(source), "%s.%u", log->name, from);
        int m = snprintf(target, sizeof(target), "%s.%u", log->name, to);
        if (n >= (int) sizeof(source) || m >= (int) sizeof(target))
                return -ENAMETOOLONG;
        return renameat(log->directory, source, log->directory, target) < 0 && errno != ENOENT ? -errno : 0;
}

/* path → path.1 → … → path.(files - 1), which is overwritten; a single file starts again empty, as Docker's does. */
static void log_file_rotate(struct log *log, uint32_t files) {
        if (files > 1)
                log_compress_shift(log, files);
        for (uint32_t i = files - 1; i > 0; i--) {
                int r = log_file_rename(log, i - 1, i);
                if (r < 0) {
                        log->failure = -r;
                        return;
                }
        }
        int fd = -1;
        struct berth_error err;
        if (log_file_open_name(log, O_TRUNC, &fd, &err) < 0) {
                log->failure = err.code;
                return;
        }
        (void) close(log->fd);
        log->fd = fd;
        log_compress_next(log);
}

void log_file_begin_segment(struct log *log) {
        log_file_flush(log);
        uint32_t least = log->max_bytes == 0 ? LOG_SEGMENTS_MAX : 2;
        log_file_rotate(log, log->max_files > least ? log->max_files : least);
}

void log_file_make_room(struct log *log, size_t size) {
        if (LOG_BUFFER_SIZE - log->used < size)
                log_file_flush(log);
        if (log->max_bytes == 0 || log->size + log->used < log->max_bytes)
                return;
        log_file_flush(log);
        if (log->size < log->max_bytes)
                return;
        log_file_rotate(log, log->max_files);
        char segment[NAME_MAX + 1];
        if (log->max_files == 1 && snprintf(segment, sizeof(segment), "%s.1", log->name) < (int) sizeof(segment))
                (void) unlinkat(log->directory, segment, 0);
}
