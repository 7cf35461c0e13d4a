/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

#include "cgroup-internal.h"
#include "cleanup.h"

static int open_memory(const struct cgroup_layout *layout, const struct cgroup *cgroup, bool *ret_unified, int *ret_fd, struct berth_error *err) {
        const struct cgroup_hierarchy *hierarchy = cgroup_hierarchy_of(layout, "memory");
        if (!hierarchy)
                return berth_error_set(err, ENOENT, "this host offers no memory controller");
        *ret_unified = hierarchy->unified;
        return cgroup_directory_open(hierarchy, cgroup->path, ret_fd, err);
}

static int watch_v1(int directory, int *ret_fd, struct berth_error *err) {
        _cleanup_close_ int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (event < 0)
                return berth_error_set(err, errno, "make an eventfd");
        _cleanup_close_ int control = openat(directory, "memory.oom_control", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (control < 0)
                return berth_error_set(err, errno, "open memory.oom_control");
        char text[32];
        (void) snprintf(text, sizeof(text), "%d %d", event, control);
        int r = cgroup_file_set(directory, "cgroup.event_control", text, err);
        return r < 0 ? r : give_fd(ret_fd, &event);
}

static int watch_v2(int directory, int *ret_fd, struct berth_error *err) {
        _cleanup_close_ int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (watch < 0)
                return berth_error_set(err, errno, "make an inotify descriptor");
        char path[64];
        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d/memory.events", directory);
        if (inotify_add_watch(watch, path, IN_MODIFY) < 0)
                return berth_error_set(err, errno, "watch memory.events");
        return give_fd(ret_fd, &watch);
}

int cgroup_oom_watch(const struct cgroup_layout *layout, const struct cgroup *cgroup, int *ret_fd, struct berth_error *err) {
        bool unified = false;
        _cleanup_close_ int directory = -1;
        int r = open_memory(layout, cgroup, &unified, &directory, err);
        if (r < 0)
                return r;
        r = unified ? watch_v2(directory, ret_fd, err) : watch_v1(directory, ret_fd, err);
        return r < 0 ? berth_error_prefix(err, "watch cgroup %s for lack of memory", cgroup->path) : 0;
}

int cgroup_oom_kills(const struct cgroup_layout *layout, const struct cgroup *cgroup, uint64_t *ret, struct berth_error *err) {
        bool unified = false;
        _cleanup_close_ int directory = -1;
        int r = open_memory(layout, cgroup, &unified, &directory, err);
        if (r < 0)
                return r;
        const char *file = unified ? "memory.events" : "memory.oom_control";
        r = cgroup_file_key(directory, file, "oom_kill", ret);
        return r < 0 ? berth_error_set(err, -r, "read oom_kill from %s of cgroup %s", file, cgroup->path) : 0;
}
