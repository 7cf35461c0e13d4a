/* SPDX-License-Identifier: Apache-2.0 */
#include "launch-record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "fd.h"
#include "hooks.h"
#include "plan-internal.h"
#include "process-identity.h"
#include "state-file.h"

int launch_record_pid(const char *path, pid_t pid, struct berth_error *err) {
        char beside[PATH_MAX], text[16];

        if (snprintf(beside, sizeof beside, "%s.%d.new", path, (int) getpid()) >= (int) sizeof beside)
                return berth_error_set(err, ENAMETOOLONG, "pid file '%s'", path);
        _cleanup_close_ int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0)
                return berth_error_set(err, errno, "make the pid file '%s'", path);
        int n = snprintf(text, sizeof text, "%d", (int) pid), r = fd_write_all(fd, text, (size_t) n);
        if (r == 0 && rename(beside, path) < 0)
                r = -errno;
        if (r < 0) {
                (void) unlink(beside);
                return berth_error_set(err, -r, "write the pid file '%s'", path);
        }
        return 0;
}

static void launch_now(char *ret, size_t capacity) {
        char seconds[32] = "";
        struct timespec now;
        struct tm tm;

        (void) clock_gettime(CLOCK_REALTIME, &now);
        if (gmtime_r(&now.tv_sec, &tm))
                (void) strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &tm);
        (void) snprintf(ret, capacity, "%s.%09ldZ", seconds, now.tv_nsec);
}

int launch_record(const struct launch *launch, struct berth_error *err) {
        const struct plan_container *container = &launch->plan->container;
        char created[64];
        struct state state = {
                .id = launch->id,
                .bundle = launch->path,
                .rootfs = plan_keeper(launch->plan)->rootfs_path,
                .created = created,
                .cgroup = launch->container.has_cgroup ? launch->container.cgroup.path : NULL,
                .annotations = json_object_get(launch->document, "annotations"),
                .pid = launch->container.init.pid,
                .own_pids = launch->container.own_pids,
                .took_links = launch->container.n_taken > 0,
                .links_up = launch->container.taken_up,
                .hooked = hooks_any(container, PLAN_HOOK_POSTSTART) || hooks_any(container, PLAN_HOOK_POSTSTOP),
        };

        if (json_is_null(state.annotations))
                state.annotations = NULL;
        launch_now(created, sizeof created);
        int r = process_start_time(state.pid, &state.start_time, err);
        if (r == 0)
                r = state_write(launch->directory, &state, &launch->container.layout, err);
        if (r == 0 && launch->pid_file)
                r = launch_record_pid(launch->pid_file, state.pid, err);
        return r;
}
