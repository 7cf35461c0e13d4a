/* SPDX-License-Identifier: Apache-2.0 */
#include "log-compress.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "sys.h"

#define LOG_COMPRESS_OUTPUT 4 /* as berth-unpack has it */
#define LOG_COMPRESS_NICE 19

struct log_name {
        char text[NAME_MAX + 1];
};

static bool log_name_of(const struct log *log, uint32_t number, const char *suffix, struct log_name *ret) {
        int n = number == 0 ? snprintf(ret->text, sizeof(ret->text), "%s%s", log->name, suffix)
                            : snprintf(ret->text, sizeof(ret->text), "%s.%u%s", log->name, number, suffix);
        return n < (int) sizeof(ret->text);
}

static void log_remove_part(const struct log *log) {
        struct log_name part;
        if (log_name_of(log, 0, ".part", &part))
                (void) unlinkat(log->directory, part.text, 0);
}

static int log_open_in(const struct log *log, const char *name, int flags) {
        return sys_openat2(log->directory, name, flags | O_NOFOLLOW | O_CLOEXEC, flags & O_CREAT ? 0640 : 0,
                           RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

static uint8_t *log_put_number(uint8_t *to, uint64_t number) {
        for (unsigned i = 0; i < 8; i++)
                to[i] = (uint8_t) (number >> (8 * i));
        return to + 8;
}

/* An empty member of gzip (RFC 1952) with one subfield in its extra field. */
static bool log_write_identity(int fd, uint64_t inode) {
        static const uint8_t begin[] = {0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 12, 0, 'B', 'e', 8, 0};
        static const uint8_t end[] = {3, 0, 0, 0, 0, 0, 0, 0, 0, 0};
        uint8_t member[sizeof(begin) + 8 + sizeof(end)];
        memcpy(member, begin, sizeof(begin));
        memcpy(log_put_number(member + sizeof(begin), inode), end, sizeof(end));
        return write(fd, member, sizeof(member)) == sizeof(member);
}

static int log_spawn(const char *program, int from, int to, pid_t *ret_pid) {
        static char name[] = "berth-unpack", job[] = "--gzip";
        char *const argv[] = {name, job, NULL}, *const environment[] = {NULL};
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        sigset_t none;

        sigemptyset(&none);
        if (posix_spawn_file_actions_init(&actions) != 0 || posix_spawnattr_init(&attributes) != 0)
                return -ENOMEM;
        int r = posix_spawn_file_actions_adddup2(&actions, from, STDIN_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, to, LOG_COMPRESS_OUTPUT);
        for (int fd = STDOUT_FILENO; r == 0 && fd <= STDERR_FILENO; fd++)
                r = posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_WRONLY, 0);
        if (r == 0)
                r = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
        if (r == 0)
                r = posix_spawnattr_setsigmask(&attributes, &none);
        if (r == 0)
                r = posix_spawn(ret_pid, program, &actions, &attributes, argv, environment);
        (void) posix_spawn_file_actions_destroy(&actions);
        return -r;
}

/* It works when nobody else wants to, and is no keeper of anything. */
static void log_make_lowly(pid_t pid) {
        char path[40];
        (void) setpriority(PRIO_PGRP, (id_t) pid, LOG_COMPRESS_NICE);
        (void) snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int) pid);
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd >= 0)
                (void) !write(fd, "1000", 4);
}

/* -ENOENT: there is no plain file of that number. */
static int log_compress(struct log *log, uint32_t number) {
        struct log_name plain, part;
        struct stat status;

        if (!log_name_of(log, number, "", &plain) || !log_name_of(log, 0, ".part", &part))
                return -ENAMETOOLONG;
        _cleanup_close_ int from = log_open_in(log, plain.text, O_RDONLY);
        if (from < 0 || fstat(from, &status) < 0)
                return -errno;
        log_remove_part(log);
        _cleanup_close_ int to = log_open_in(log, part.text, O_WRONLY | O_CREAT | O_EXCL);
        if (to < 0)
                return errno == ENOENT ? -EIO : -errno;
        if (!log_write_identity(to, status.st_ino))
                return -EIO;
        int r = log_spawn(log->compressor, from, to, &log->compressing);
        if (r < 0) {
                log->compressing = 0;
                return r == -ENOENT ? -EIO : r;
        }
        log->compressing_number = number;
        log_make_lowly(log->compressing);
        return 0;
}

void log_compress_next(struct log *log) {
        int r = -ENOENT;
        if (!log->compressor || log->compressing > 0)
                return;
        for (uint32_t number = 1; r == -ENOENT && number < log->max_files; number++)
                r = log_compress(log, number);
        if (r < 0)
                log_remove_part(log);
}

void log_compress_shift(struct log *log, uint32_t files) {
        struct log_name from, to;
        if (!log->compressor)
                return;
        /* Of the oldest either one may be there, and what moves up replaces its own kind only. */
        for (unsigned kind = 0; kind < 2; kind++)
                if (log_name_of(log, files - 1, kind ? ".gz" : "", &from))
                        (void) unlinkat(log->directory, from.text, 0);
        for (uint32_t number = files - 1; number > 1; number--)
                if (log_name_of(log, number - 1, ".gz", &from) && log_name_of(log, number, ".gz", &to))
                        (void) renameat(log->directory, from.text, log->directory, to.text);
        if (log->compressing > 0)
                log->compressing_number++;
        if (log->compressing > 0 && log->compressing_number >= files)
                (void) kill(-log->compressing, SIGKILL);
}

/* With the times of the file that it stands for, by which readers pass over it. */
static bool log_compress_settle(const struct log *log) {
        struct log_name plain, part, packed;
        struct stat status;

        if (log->compressing_number >= log->max_files || !log_name_of(log, log->compressing_number, "", &plain) ||
            !log_name_of(log, 0, ".part", &part) || !log_name_of(log, log->compressing_number, ".gz", &packed))
                return false;
        if (fstatat(log->directory, plain.text, &status, AT_SYMLINK_NOFOLLOW) < 0)
                return false;
        const struct timespec times[2] = {status.st_atim, status.st_mtim};
        if (utimensat(log->directory, part.text, times, AT_SYMLINK_NOFOLLOW) < 0 ||
            renameat(log->directory, part.text, log->directory, packed.text) < 0)
                return false;
        (void) unlinkat(log->directory, plain.text, 0);
        return true;
}

bool log_compress_reaped(struct log *log, pid_t pid, int status) {
        if (log->compressing <= 0 || pid != log->compressing)
                return false;
        log->compressing = 0;
        bool whole = WIFEXITED(status) && WEXITSTATUS(status) == 0;
        bool outlived = log->compressing_number >= log->max_files;
        bool settled = whole && !outlived && log_compress_settle(log);
        if (!settled)
                log_remove_part(log);
        /* What has failed is tried again after the next rotation: at once it would fail again. */
        if (settled || outlived)
                log_compress_next(log);
        return true;
}

void log_compress_end(struct log *log) {
        if (log->compressing > 0)
                (void) kill(-log->compressing, SIGKILL);
        if (log->compressing > 0)
                log_remove_part(log);
        log->compressing = 0;
}
