/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "protocol.h"
#include "timestamp.h"

#define RECORD_SIZE_MAX 1024

int record_open(struct record *record, const char *directory, struct berth_error *err) {
        _cleanup_close_ int dir = open(directory, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir < 0)
                return berth_error_set(err, errno, "open the shim's directory '%s'", directory);
        _cleanup_close_ int lock = openat(dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (lock < 0)
                return berth_error_set(err, errno, "open '%s/lock'", directory);
        struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        if (fcntl(lock, F_SETLK, &whole) < 0)
                return berth_error_set(err, errno == EAGAIN || errno == EACCES ? EBUSY : errno, "lock '%s/lock': another shim keeps this container",
                                       directory);
        *record = (struct record){.directory = take_fd(&dir), .lock = take_fd(&lock)};
        record_remove_shim(record);
        (void) unlinkat(record->directory, "exit.json", 0);
        return 0;
}

/* Complete or not there: a reader never sees half a record. No fsync, for after a reboot it tells nothing. */
static int record_write(const struct record *record, const char *name, const char *temporary, const char *content, struct berth_error *err) {
        _cleanup_close_ int fd = openat(record->directory, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return berth_error_set(err, errno, "create '%s'", temporary);
        size_t size = strlen(content);
        ssize_t n = write(fd, content, size);
        if (n != (ssize_t) size) {
                int code = n < 0 ? errno : ENOSPC;
                (void) unlinkat(record->directory, temporary, 0);
                return berth_error_set(err, code, "write '%s'", temporary);
        }
        if (renameat(record->directory, temporary, record->directory, name) < 0) {
                int code = errno;
                (void) unlinkat(record->directory, temporary, 0);
                return berth_error_set(err, code, "rename '%s' to '%s'", temporary, name);
        }
        return 0;
}

static int record_read_file(const char *path, char *ret, size_t capacity, struct berth_error *err) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return berth_error_set(err, errno, "open '%s'", path);
        ssize_t n = read(fd, ret, capacity - 1);
        if (n < 0)
                return berth_error_set(err, errno, "read '%s'", path);
        ret[n] = '\0';
        return 0;
}

/* Field 22 of stat(5). The second field is the name in parentheses and may contain anything. */
static int record_start_time(unsigned long long *ret, struct berth_error *err) {
        char text[RECORD_SIZE_MAX];
        int r = record_read_file("/proc/self/stat", text, sizeof(text), err);
        if (r < 0)
                return r;
        char *at = strrchr(text, ')');
        for (int field = 2; at && field < 22; field++) {
                at = strchr(at, ' ');
                if (at)
                        at++;
        }
        if (!at)
                return berth_error_set(err, EIO, "find the start time in /proc/self/stat");
        *ret = strtoull(at, NULL, 10);
        return 0;
}

int record_write_shim(const struct record *record, const char *id, struct berth_error *err) {
        char boot_id[64];
        unsigned long long start_time = 0;
        int r = record_read_file("/proc/sys/kernel/random/boot_id", boot_id, sizeof(boot_id), err);
        if (r == 0)
                r = record_start_time(&start_time, err);
        if (r < 0)
                return r;
        boot_id[strcspn(boot_id, "\n")] = '\0';

        char content[RECORD_SIZE_MAX];
        int n = snprintf(content, sizeof(content), "{\"protocol\":%d,\"id\":\"%s\",\"pid\":%d,\"startTime\":%llu,\"bootId\":\"%s\"}\n",
                         SHIM_PROTOCOL_MAX, id, getpid(), start_time, boot_id);
        if (n >= (int) sizeof(content))
                return berth_error_set(err, ENAMETOOLONG, "write shim.json: the id is too long");
        return record_write(record, "shim.json", "shim.json.new", content, err);
}

int record_write_exit(const struct record *record, const struct record_exit *exit, struct berth_error *err) {
        char started_at[TIMESTAMP_MAX], finished_at[TIMESTAMP_MAX], content[RECORD_SIZE_MAX];
        timestamp_format(exit->started_at, started_at);
        timestamp_format(exit->finished_at, finished_at);
        (void) snprintf(content, sizeof(content),
                        "{\"code\":%d,\"signal\":%d,\"oomKilled\":%s,\"pid\":%d,\"startedAt\":\"%s\",\"finishedAt\":\"%s\"}\n", exit->code,
                        exit->signal, exit->oom_killed ? "true" : "false", exit->pid, started_at, finished_at);
        return record_write(record, "exit.json", "exit.json.new", content, err);
}

void record_remove_shim(const struct record *record) {
        if (record->directory < 0)
                return;
        (void) unlinkat(record->directory, "shim.sock", 0);
        (void) unlinkat(record->directory, "shim.json", 0);
}

void record_undo(struct record *record) {
        if (record->directory < 0)
                return;
        record_remove_shim(record);
        (void) unlinkat(record->directory, "lock", 0);
        cleanup_close(&record->lock);
        cleanup_close(&record->directory);
        *record = (struct record){.directory = -1, .lock = -1};
}
