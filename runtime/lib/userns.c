/* SPDX-License-Identifier: Apache-2.0 */
#include "userns.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "fd.h"
#include "namespace.h"
#include "sys.h"

#define USERNS_MAP_MAX 4096 /* bytes that the kernel takes in the one write(2) of a map, with a NUL */
#define USERNS_LINE_MAX 36  /* bytes of a line as the kernel prints it */

static const char *userns_file(bool group) {
        return group ? "gid_map" : "uid_map";
}

static int userns_open_map(pid_t pid, bool group, int flags, int *ret_fd, struct berth_error *err) {
        char path[48];

        (void) snprintf(path, sizeof path, "/proc/%d/%s", (int) pid, userns_file(group));
        _cleanup_close_ int fd = open(path, flags | O_CLOEXEC);
        if (fd < 0)
                return berth_error_set(err, errno, "open the %s of the user namespace", userns_file(group));
        return give_fd(ret_fd, &fd);
}

static int userns_write_map(pid_t pid, bool group, const struct plan_id_map *maps, uint32_t n, struct berth_error *err) {
        _cleanup_close_ int fd = -1;
        char text[USERNS_MAP_MAX];
        size_t used = 0;

        for (uint32_t i = 0; i < n; i++) {
                if ((maps[i].group != 0) != group)
                        continue;
                used += (size_t) snprintf(text + used, sizeof text - used, "%u %u %u\n", maps[i].inside, maps[i].outside, maps[i].size);
                if (used >= sizeof text)
                        return berth_error_set(err, E2BIG, "the %s of the user namespace is longer than the %d bytes that the kernel takes",
                                               userns_file(group), USERNS_MAP_MAX - 1);
        }
        int r = userns_open_map(pid, group, O_WRONLY, &fd, err);
        if (r < 0)
                return r;
        if (write(fd, text, used) != (ssize_t) used)
                return berth_error_set(err, errno, "write the %s of the user namespace", userns_file(group));
        return 0;
}

int userns_write_maps(pid_t pid, const struct plan_id_map *maps, uint32_t n, struct berth_error *err) {
        int r = userns_write_map(pid, false, maps, n, err);
        return r < 0 ? r : userns_write_map(pid, true, maps, n, err);
}

/* 1: *ret is the next line, 0: the end. */
static int userns_next_line(char **at, struct plan_id_map *ret) {
        uint32_t *const fields[] = {&ret->inside, &ret->outside, &ret->size};

        for (size_t i = 0; i < 3; i++) {
                char *end;
                unsigned long value = strtoul(*at, &end, 10);
                if (end == *at)
                        return 0;
                *fields[i] = (uint32_t) value;
                *at = end;
        }
        return 1;
}

static int userns_read_map(pid_t pid, bool group, char text[PLAN_ID_MAP_LINES_MAX * USERNS_LINE_MAX], struct berth_error *err) {
        _cleanup_close_ int fd = -1;
        size_t used = 0, capacity = PLAN_ID_MAP_LINES_MAX * USERNS_LINE_MAX - 1;
        ssize_t n;

        int r = userns_open_map(pid, group, O_RDONLY, &fd, err);
        if (r < 0)
                return r;
        while (used < capacity && (n = read(fd, text + used, capacity - used)) != 0) {
                if (n < 0)
                        return berth_error_set(err, errno, "read the %s of the user namespace", userns_file(group));
                used += (size_t) n;
        }
        text[used] = '\0';
        return 0;
}

static bool userns_has_line(const struct plan_id_map *maps, uint32_t n, bool group, const struct plan_id_map *line) {
        for (uint32_t i = 0; i < n; i++)
                if ((maps[i].group != 0) == group && maps[i].inside == line->inside && maps[i].outside == line->outside && maps[i].size == line->size)
                        return true;
        return false;
}

static uint32_t userns_count(const struct plan_id_map *maps, uint32_t n, bool group) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < n; i++)
                count += (maps[i].group != 0) == group;
        return count;
}

int userns_check_maps(pid_t pid, const struct plan_id_map *maps, uint32_t n, struct berth_error *err) {
        for (int group = 0; group < 2; group++) {
                char text[PLAN_ID_MAP_LINES_MAX * USERNS_LINE_MAX], *at = text;
                struct plan_id_map line;
                uint32_t seen = 0;
                bool same = true;
                int r = userns_read_map(pid, group, text, err);
                if (r < 0)
                        return r;
                for (; userns_next_line(&at, &line) > 0; seen++)
                        same = same && userns_has_line(maps, n, group, &line);
                if (!same || seen != userns_count(maps, n, group))
                        return berth_error_set(err, EINVAL, "linux.%s is not the map of the user namespace that is joined; leave it out",
                                               group ? "gidMappings" : "uidMappings");
        }
        return 0;
}

int userns_give_stdio(pid_t pid, uint32_t uid, const struct process_io *io, struct berth_error *err) {
        const int fds[] = {io->in, io->out, io->err};
        char text[PLAN_ID_MAP_LINES_MAX * USERNS_LINE_MAX], *at = text;
        struct plan_id_map line;
        struct stat st;

        int r = userns_read_map(pid, false, text, err);
        if (r < 0)
                return r;
        while (userns_next_line(&at, &line) > 0) {
                uint32_t outside = userns_outside(&(struct plan_id_map){0, line.inside, line.outside, line.size}, 1, false, uid);
                if (outside == UINT32_MAX)
                        continue;
                for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
                        if (fds[i] >= 0 && fstat(fds[i], &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)) && st.st_uid != outside)
                                (void) fchown(fds[i], outside, (gid_t) -1); /* a convenience; file systems may refuse it */
                return 0;
        }
        return 0;
}

int userns_become_root(struct berth_error *err) {
        if (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0)
                return berth_error_set(err, errno, "become root of the container's user namespace");
        return 0;
}

/* Waits until the parent closes its end, which happens when it dies too. */
static _Noreturn void userns_child(int pipe[2]) {
        char byte;
        (void) close(pipe[1]);
        while (read(pipe[0], &byte, 1) < 0 && errno == EINTR)
                ;
        _exit(0);
}

int userns_open(const struct plan_id_map *maps, uint32_t n, int *ret_fd, struct berth_error *err) {
        _cleanup_close_ int pidfd = -1, userns = -1;
        struct clone_args args = {.flags = CLONE_NEWUSER | CLONE_PIDFD, .pidfd = (uint64_t) (uintptr_t) &pidfd, .exit_signal = SIGCHLD};
        int pipe[2], r = 0;
        siginfo_t info;
        char path[48];

        if (pipe2(pipe, O_CLOEXEC) < 0)
                return berth_error_set(err, errno, "make a pipe");
        pid_t pid = sys_clone3(&args);
        if (pid == 0)
                userns_child(pipe);
        int code = errno;
        (void) close(pipe[0]);
        if (pid < 0)
                r = namespace_error(code, CLONE_NEWUSER, "make a user namespace for mounts", err);
        else
                r = userns_write_maps(pid, maps, n, err);
        if (r == 0) {
                (void) snprintf(path, sizeof path, "/proc/%d/ns/user", (int) pid);
                userns = open(path, O_RDONLY | O_CLOEXEC);
                if (userns < 0)
                        r = berth_error_set(err, errno, "open a user namespace for mounts");
        }
        (void) close(pipe[1]);
        while (pid > 0 && waitid((idtype_t) P_PIDFD, (id_t) pidfd, &info, WEXITED) < 0 && errno == EINTR)
                ;
        return r < 0 ? r : give_fd(ret_fd, &userns);
}

uint32_t userns_outside(const struct plan_id_map *maps, uint32_t n, bool group, uint32_t inside) {
        for (uint32_t i = 0; i < n; i++) {
                const struct plan_id_map *map = &maps[i];
                if ((map->group != 0) == group && inside >= map->inside && inside - map->inside < map->size)
                        return map->outside + (inside - map->inside);
        }
        return UINT32_MAX;
}
