/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup-internal.h"
#include "cgroup-stats.h"
#include "cleanup.h"

bool cgroup_is_child(const struct dirent *entry) {
        return entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

int cgroup_list(int parent, const char *name, DIR **ret) {
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

int cgroup_members(int directory, cgroup_process_fn each, void *data) {
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
                        return 0;
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
}

static bool is_gone(int r) {
        return r == -ENOENT || r == -ENODEV;
}

static int cgroup_walk_below(int parent, const char *name, unsigned depth, cgroup_process_fn each, void *data) {
        _cleanup_closedir_ DIR *dir = NULL;
        const struct dirent *entry;

        int r = cgroup_list(parent, name, &dir);
        if (!dir)
                return r;
        r = cgroup_members(dirfd(dir), each, data);
        while (r == 0 && (entry = readdir(dir))) {
                if (!cgroup_is_child(entry))
                        continue;
                r = depth == CGROUP_WALK_DEPTH_MAX ? -ELOOP : cgroup_walk_below(dirfd(dir), entry->d_name, depth + 1, each, data);
                if (is_gone(r))
                        r = 0;
        }
        return r;
}

int cgroup_walk_processes(int directory, cgroup_process_fn each, void *data) {
        return cgroup_walk_below(directory, ".", 1, each, data);
}

struct collection {
        pid_t *pids;
        size_t n, capacity;
};

static int collect(pid_t pid, void *data) {
        struct collection *collection = data;
        if (collection->n < collection->capacity)
                collection->pids[collection->n] = pid;
        collection->n++;
        return 0;
}

static int by_number(const void *a, const void *b) {
        pid_t first = *(const pid_t *) a, second = *(const pid_t *) b;
        return (first > second) - (first < second);
}

int cgroup_members_open(const struct cgroup_layout *layout, const struct cgroup *cgroup, int *ret_fd, struct berth_error *err) {
        if (layout->n == 0)
                return berth_error_set(err, ENOENT, "no cgroup hierarchy is mounted");
        uint32_t index = layout->unified_index >= 0 ? (uint32_t) layout->unified_index : 0;
        return cgroup_directory_open(&layout->hierarchy[index], cgroup->path, ret_fd, err);
}

int cgroup_processes(const struct cgroup_layout *layout, const struct cgroup *cgroup, pid_t *pids, size_t capacity, size_t *ret_n,
                     struct berth_error *err) {
        struct collection collection = {.pids = pids, .capacity = capacity};
        _cleanup_close_ int directory = -1;
        int r = cgroup_path_check(cgroup->path, err);
        if (r == 0)
                r = cgroup_members_open(layout, cgroup, &directory, err);
        if (r < 0)
                return r;
        r = cgroup_walk_processes(directory, collect, &collection);
        if (r < 0)
                return berth_error_set(err, -r, "list the processes of cgroup %s", cgroup->path);
        qsort(pids, collection.n < capacity ? collection.n : capacity, sizeof(*pids), by_number);
        *ret_n = collection.n;
        return 0;
}
