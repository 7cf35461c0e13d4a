/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup-internal.h"
#include "cleanup.h"
#include "sys.h"

/* A killed process is out of its cgroup in microseconds, or in many milliseconds where its memory is large. */
#define REMOVE_TIMEOUT_MS 3000
/* The kernel tells of a process's end a moment before its cgroup is free. */
#define REMOVE_PAUSE_MS 1

static bool is_child(const struct dirent *entry) {
        return entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int open_directory(int parent, const char *name, DIR **ret) {
        _cleanup_close_ int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return -errno;
        DIR *dir = fdopendir(fd);
        if (!dir)
                return -errno;
        (void) take_fd(&fd);
        *ret = dir;
        return 0;
}

int cgroup_walk_processes(int directory, unsigned depth, cgroup_process_fn each, void *data) {
        _cleanup_close_ int fd = openat(directory, "cgroup.procs", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return -errno;
        char text[4097];
        size_t kept = 0;
        for (;;) {
                ssize_t n = read(fd, text + kept, sizeof(text) - 1 - kept);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return errno == EOPNOTSUPP ? 0 : -errno; /* a threaded group's processes are listed by its domain */
                if (n == 0)
                        break;
                text[kept + (size_t) n] = '\0';
                char *line = text, *end;
                for (; (end = strchr(line, '\n')); line = end + 1) {
                        pid_t pid = (pid_t) strtol(line, NULL, 10);
                        int r = pid > 0 ? each(pid, data) : 0;
                        if (r < 0)
                                return r;
                }
                kept = strlen(line);
                memmove(text, line, kept);
        }
        if (depth == 0)
                return 0;
        _cleanup_closedir_ DIR *dir = NULL;
        int r = open_directory(directory, ".", &dir);
        if (r < 0)
                return r;
        for (struct dirent *entry; (entry = readdir(dir));) {
                if (!is_child(entry))
                        continue;
                _cleanup_close_ int child = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
                if (child < 0)
                        continue; /* removed meanwhile */
                r = cgroup_walk_processes(child, depth - 1, each, data);
                if (r < 0 && r != -ENOENT && r != -ENODEV)
                        return r;
        }
        return 0;
}

static int take_pidfd(pid_t pid, void *data) {
        int fd = sys_pidfd_open(pid);
        if (fd < 0)
                return errno == ESRCH ? 0 : -errno;
        *(int *) data = fd;
        return -ECANCELED; /* one is enough: the caller comes again */
}

static int remaining_ms(int64_t deadline) {
        int64_t left = deadline - cgroup_now();
        return left < 0 ? 0 : (int) left;
}

/*
 * Waits for one reason why the directory could become removable: v2 notifies of `populated`, in v1 the end of a member is the
 * event. Where the kernel shows neither (the process is past its last notification), a short pause remains.
 */
static void wait_for_change(int directory, bool unified, int64_t deadline) {
        if (unified) {
                _cleanup_close_ int events = openat(directory, "cgroup.events", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
                char text[128];
                ssize_t n = events < 0 ? -1 : read(events, text, sizeof(text) - 1);
                if (n > 0) {
                        text[n] = '\0';
                        struct pollfd poller = {.fd = events, .events = POLLPRI};
                        (void) poll(&poller, 1, strstr(text, "populated 1") ? remaining_ms(deadline) : REMOVE_PAUSE_MS);
                        return;
                }
        }
        _cleanup_close_ int process = -1;
        if (cgroup_walk_processes(directory, 0, take_pidfd, &process) == -ECANCELED) {
                struct pollfd poller = {.fd = process, .events = POLLIN};
                if (poll(&poller, 1, 0) == 0) {
                        (void) poll(&poller, 1, remaining_ms(deadline));
                        return;
                }
        }
        (void) poll(NULL, 0, REMOVE_PAUSE_MS);
}

static int remove_tree(int parent, const char *name, bool unified, int64_t deadline, unsigned depth) {
        for (;;) {
                if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
                        return 0;
                int error = errno;
                if (error != EBUSY && error != ENOTEMPTY)
                        return -error;
                _cleanup_closedir_ DIR *dir = NULL;
                int r = open_directory(parent, name, &dir);
                if (r == -ENOENT)
                        return 0;
                if (r < 0)
                        return r;
                bool had_children = false;
                for (struct dirent *entry; (entry = readdir(dir));) {
                        if (!is_child(entry))
                                continue;
                        if (depth == 0)
                                return -ELOOP;
                        r = remove_tree(dirfd(dir), entry->d_name, unified, deadline, depth - 1);
                        if (r < 0)
                                return r;
                        had_children = true;
                }
                if (remaining_ms(deadline) == 0)
                        return -EBUSY;
                if (!had_children)
                        wait_for_change(dirfd(dir), unified, deadline);
        }
}

int cgroup_remove(const struct cgroup_layout *layout, const struct cgroup *cgroup, struct berth_error *err) {
        int r = cgroup_path_check(cgroup->path, err);
        if (r < 0)
                return r;
        int64_t deadline = cgroup_now() + REMOVE_TIMEOUT_MS;
        int first = 0;
        /* The unified one first: it notifies when the last process is gone, and that is true of all hierarchies then. */
        for (uint32_t pass = 0; pass < 2; pass++) {
                for (uint32_t i = 0; i < layout->n; i++) {
                        const struct cgroup_hierarchy *hierarchy = &layout->hierarchy[i];
                        char directory[CGROUP_FILE_MAX];
                        if (hierarchy->unified != (pass == 0))
                                continue;
                        r = cgroup_directory(hierarchy, cgroup->path, directory, first < 0 ? NULL : err);
                        if (r == 0) {
                                r = remove_tree(AT_FDCWD, directory, hierarchy->unified, deadline, CGROUP_DEPTH_MAX);
                                if (r < 0 && first == 0)
                                        (void) berth_error_set(err, -r, "remove the cgroup %s", directory);
                        }
                        if (r < 0 && first == 0)
                                first = r;
                }
        }
        return first;
}
