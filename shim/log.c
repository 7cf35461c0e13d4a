/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "log-record.h"
#include "memory.h"

/* O_NOFOLLOW: the directory belongs to us, but a link put there by mistake must not make us write elsewhere. */
static int log_open_file(const char *path, int flags, uint64_t *ret_size, int *ret_fd, struct berth_error *err) {
        _cleanup_close_ int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | flags, 0640);
        if (fd < 0)
                return berth_error_set(err, errno, "open log '%s'", path);
        struct stat status;
        if (fstat(fd, &status) < 0)
                return berth_error_set(err, errno, "examine log '%s'", path);
        if (!S_ISREG(status.st_mode))
                return berth_error_set(err, EINVAL, "log '%s' is not a regular file", path);
        *ret_size = (uint64_t) status.st_size;
        return give_fd(ret_fd, &fd);
}

int log_open(struct log *log, const struct keeper_plan *keeper, struct berth_error *err) {
        log->fd = -1;
        log->used = 0;
        for (unsigned i = 0; i < 2; i++)
                log->tail[i] = (struct log_tail){.bytes = log->lines[i]};
        if (keeper->log != PLAN_LOG_JSON_FILE)
                return 0;
        log->path = keeper->log_path;
        log->max_bytes = keeper->log_max_bytes;
        log->max_files = keeper->log_max_files > 0 ? keeper->log_max_files : 1;
        return log_open_file(log->path, 0, &log->size, &log->fd, err);
}

int log_reopen(struct log *log, struct berth_error *err) {
        if (log->fd < 0)
                return 0;
        int fd = -1;
        int r = log_open_file(log->path, 0, &log->size, &fd, err);
        if (r < 0)
                return r;
        (void) close(log->fd);
        log->fd = fd;
        return 0;
}

void log_close(struct log *log) {
        if (log->fd >= 0)
                (void) close(log->fd);
        log->fd = -1;
}

void log_trim(struct log *log) {
        for (unsigned i = 0; i < 2; i++)
                if (log->tail[i].size == 0)
                        memory_give_back(log->lines[i], sizeof(log->lines[i]));
        if (log->used == 0)
                memory_give_back(log->buffer, sizeof(log->buffer));
}

/* A record is never left torn: what a failing write(2) began is cut off again. */
static void log_flush(struct log *log) {
        size_t done = 0;
        while (done < log->used) {
                ssize_t n = write(log->fd, log->buffer + done, log->used - done);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0) {
                        log->failure = n < 0 ? errno : ENOSPC;
                        if (done > 0)
                                (void) ftruncate(log->fd, (off_t) log->size);
                        log->used = 0;
                        return;
                }
                done += (size_t) n;
        }
        log->size += done;
        log->used = 0;
        if (done > 0)
                log->failure = 0;
}

static int log_rename(const char *path, uint32_t from, uint32_t to) {
        char source[PATH_MAX], target[PATH_MAX];
        int n = from == 0 ? snprintf(source, sizeof(source), "%s", path) : snprintf(source, sizeof(source), "%s.%u", path, from);
        int m = snprintf(target, sizeof(target), "%s.%u", path, to);
        if (n >= (int) sizeof(source) || m >= (int) sizeof(target))
                return -ENAMETOOLONG;
        return rename(source, target) < 0 && errno != ENOENT ? -errno : 0;
}

/* path → path.1 → … → path.(files - 1), which is overwritten; a single file starts again empty, as Docker's does. */
static void log_rotate(struct log *log) {
        for (uint32_t i = log->max_files - 1; i > 0; i--) {
                int r = log_rename(log->path, i - 1, i);
                if (r < 0) {
                        log->failure = -r;
                        return;
                }
        }
        int fd = -1;
        uint64_t size = 0;
        struct berth_error err;
        if (log_open_file(log->path, O_TRUNC, &size, &fd, &err) < 0) {
                log->failure = err.code;
                return;
        }
        (void) close(log->fd);
        log->fd = fd;
        log->size = size;
}

static void log_put(struct log *log, enum log_stream stream, const uint8_t *line, size_t size, bool newline, const char *time) {
        if (LOG_BUFFER_SIZE - log->used < LOG_RECORD_MAX(size))
                log_flush(log);
        if (log->max_bytes > 0 && log->size + log->used >= log->max_bytes) {
                log_flush(log);
                if (log->size >= log->max_bytes)
                        log_rotate(log);
        }
        char *start = log->buffer + log->used;
        log->used += (size_t) (log_record_write(start, line, size, newline, stream == LOG_STDOUT ? "stdout" : "stderr", time) - start);
}

static void log_put_line(struct log *log, enum log_stream stream, const uint8_t *line, size_t size, const char *now) {
        struct log_tail *tail = &log->tail[stream];
        log_put(log, stream, line, size, true, tail->cut ? tail->time : now);
        tail->cut = false;
}

static void log_put_part(struct log *log, enum log_stream stream, const uint8_t *line, size_t size, const char *now) {
        struct log_tail *tail = &log->tail[stream];
        if (!tail->cut)
                memcpy(tail->time, now, sizeof(tail->time));
        tail->cut = true;
        log_put(log, stream, line, size, false, tail->time);
}

/* Takes bytes up to the end of the line at the front, or as many as a record holds. */
static size_t log_take(struct log *log, enum log_stream stream, const uint8_t *bytes, size_t size, const char *now) {
        struct log_tail *tail = &log->tail[stream];
        size_t room = LOG_LINE_MAX - tail->size;
        size_t part = size < room ? size : room;
        const uint8_t *newline = memchr(bytes, '\n', part);
        size_t taken = newline ? (size_t) (newline - bytes) : part;

        const uint8_t *line = bytes;
        size_t line_size = taken;
        if (tail->size > 0 || (!newline && part < room)) {
                memcpy(tail->bytes + tail->size, bytes, taken);
                tail->size += taken;
                line = tail->bytes;
                line_size = tail->size;
        }
        if (!newline && line_size < LOG_LINE_MAX)
                return taken;
        if (newline)
                log_put_line(log, stream, line, line_size, now);
        else
                log_put_part(log, stream, line, line_size, now);
        tail->size = 0;
        return newline ? taken + 1 : taken;
}

void log_write(struct log *log, enum log_stream stream, const uint8_t *bytes, size_t size) {
        if (log->fd < 0)
                return;
        char now[TIMESTAMP_MAX];
        timestamp_format(timestamp_now(), now);
        while (size > 0) {
                size_t taken = log_take(log, stream, bytes, size, now);
                bytes += taken;
                size -= taken;
        }
        log_flush(log);
}

void log_end(struct log *log, enum log_stream stream) {
        struct log_tail *tail = &log->tail[stream];
        if (log->fd < 0 || tail->size == 0)
                return;
        char now[TIMESTAMP_MAX];
        timestamp_format(timestamp_now(), now);
        log_put_part(log, stream, tail->bytes, tail->size, now);
        tail->size = 0;
        log_flush(log);
}
