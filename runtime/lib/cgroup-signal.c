/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup-internal.h"
#include "cleanup.h"
#include "sys.h"

#define FREEZE_TIMEOUT_MS 10000
#define V1_FREEZE_PAUSE_MS 1
#define KILL_ROUNDS 64

/* The unified freezer is preferred where the kernel has it: it notifies, and its processes can be killed while frozen. */
static int open_freezer(const struct cgroup_layout *layout, const struct cgroup *cgroup, bool *ret_unified, int *ret_fd, struct berth_error *err) {
        _cleanup_close_ int fd = -1;
        if (layout->unified_index >= 0 && cgroup_directory_open(&layout->hierarchy[layout->unified_index], cgroup->path, &fd, NULL) == 0 &&
            faccessat(fd, "cgroup.freeze", F_OK, 0) == 0) {
                *ret_unified = true;
                return give_fd(ret_fd, &fd);
        }
        const struct cgroup_hierarchy *hierarchy = cgroup_hierarchy_of(layout, "freezer");
        if (!hierarchy || hierarchy->unified)
                return berth_error_set(err, ENOENT, "this host offers no cgroup freezer");
        *ret_unified = false;
        return cgroup_directory_open(hierarchy, cgroup->path, ret_fd, err);
}

static int wait_frozen(int directory, bool frozen, struct berth_error *err) {
        _cleanup_close_ int fd = openat(directory, "cgroup.events", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return berth_error_set(err, errno, "open cgroup.events");
        int64_t deadline = cgroup_now() + FREEZE_TIMEOUT_MS;
        for (;;) {
                char text[128];
                ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
                if (n < 0)
                        return berth_error_set(err, errno, "read cgroup.events");
                text[n] = '\0';
                if (strstr(text, frozen ? "frozen 1" : "frozen 0"))
                        return 0;
                int64_t left = deadline - cgroup_now();
                struct pollfd poller = {.fd = fd, .events = POLLPRI};
                if (left <= 0 || (poll(&poller, 1, (int) left) < 0 && errno != EINTR))
                        return berth_error_set(err, ETIMEDOUT, "wait for the cgroup to be %s", frozen ? "frozen" : "thawed");
        }
}

/* v1 has no notification: each read of freezer.state makes the kernel look again. */
static int wait_state(int directory, const char *state, struct berth_error *err) {
        int64_t deadline = cgroup_now() + FREEZE_TIMEOUT_MS;
        for (;;) {
                char text[32];
                int r = cgroup_file_read(directory, "freezer.state", text, sizeof(text));
                if (r < 0)
                        return berth_error_set(err, -r, "read freezer.state");
                if (strncmp(text, state, strlen(state)) == 0)
                        return 0;
                if (cgroup_now() >= deadline)
                        return berth_error_set(err, ETIMEDOUT, "wait for the cgroup to be %s", state);
                (void) poll(NULL, 0, V1_FREEZE_PAUSE_MS);
        }
}

static int set_frozen(const struct cgroup_layout *layout, const struct cgroup *cgroup, bool frozen, struct berth_error *err) {
        bool unified = false;
        _cleanup_close_ int directory = -1;
        int r = open_freezer(layout, cgroup, &unified, &directory, err);
        if (r < 0)
                return r;
        if (unified) {
                r = cgroup_file_set(directory, "cgroup.freeze", frozen ? "1" : "0", err);
                if (r == 0)
                        r = wait_frozen(directory, frozen, err);
        } else {
                r = cgroup_file_set(directory, "freezer.state", frozen ? "FROZEN" : "THAWED", err);
                if (r == 0)
                        r = wait_state(directory, frozen ? "FROZEN" : "THAWED", err);
        }
        if (r == -ETIMEDOUT && frozen)
                (void) (unified ? cgroup_file_write(directory, "cgroup.freeze", "0") : cgroup_file_write(directory, "freezer.state", "THAWED"));
        return r < 0 ? berth_error_prefix(err, "cgroup %s", cgroup->path) : 0;
}

int cgroup_freeze(const struct cgroup_layout *layout, const struct cgroup *cgroup, struct berth_error *err) {
        return set_frozen(layout, cgroup, true, err);
}

int cgroup_thaw(const struct cgroup_layout *layout, const struct cgroup *cgroup, struct berth_error *err) {
        return set_frozen(layout, cgroup, false, err);
}

bool cgroup_is_frozen(const struct cgroup_layout *layout, const struct cgroup *cgroup) {
        _cleanup_close_ int directory = -1;
        bool unified = false;
        char text[32] = "";

        if (open_freezer(layout, cgroup, &unified, &directory, NULL) < 0)
                return false;
        if (cgroup_file_read(directory, unified ? "cgroup.freeze" : "freezer.state", text, sizeof(text)) < 0)
                return false;
        return unified ? text[0] == '1' : text[0] == 'F'; /* FREEZING, FROZEN */
}

static void thaw_below(int parent, const char *name, unsigned depth) {
        _cleanup_closedir_ DIR *dir = NULL;

        if (cgroup_list(parent, name, &dir) < 0)
                return; /* it went, and its processes before it */
        (void) cgroup_file_write(dirfd(dir), "freezer.state", "THAWED");
        for (const struct dirent *entry; depth < CGROUP_WALK_DEPTH_MAX && (entry = readdir(dir));)
                if (cgroup_is_child(entry))
                        thaw_below(dirfd(dir), entry->d_name, depth + 1);
}

void cgroup_thaw_killed(const struct cgroup_layout *layout, const struct cgroup *cgroup) {
        const struct cgroup_hierarchy *freezer = cgroup_hierarchy_of(layout, "freezer");
        char directory[CGROUP_FILE_MAX];

        if (freezer && !freezer->unified && cgroup_directory(freezer, cgroup->path, directory, NULL) == 0)
                thaw_below(AT_FDCWD, directory, 1);
}

struct signal_walk {
        const char *path;
        int signal;
        bool any; /* somebody was there */
};

/* Between reading a number and opening it the process may end and the number be given away: the group is asked again. */
static bool is_member(pid_t pid, const char *path) {
        char name[32], *line = NULL;
        size_t capacity = 0, length = strlen(path);
        bool member = false;
        (void) snprintf(name, sizeof(name), "/proc/%d/cgroup", (int) pid);
        FILE *file = fopen(name, "re");
        if (!file)
                return false;
        while (!member && getline(&line, &capacity, file) > 0) {
                char *at = strchr(line, ':');
                at = at ? strchr(at + 1, ':') : NULL;
                /* A namespace may hide leading parts of the path, so the end is what counts with the part below it. */
                at = at ? strstr(at + 1, path) : NULL;
                member = at && (at[length] == '\n' || at[length] == '/');
        }
        free(line);
        (void) fclose(file);
        return member;
}

static int signal_one(pid_t pid, void *data) {
        struct signal_walk *walk = data;
        _cleanup_close_ int fd = sys_pidfd_open(pid);
        if (fd < 0)
                return errno == ESRCH || errno == EINVAL ? 0 : -errno;
        if (!is_member(pid, walk->path))
                return 0;
        walk->any = true;
        if (sys_pidfd_send_signal(fd, walk->signal) < 0 && errno != ESRCH)
                return -errno;
        return 0;
}

static int kill_one_by_one(const struct cgroup_layout *layout, const struct cgroup *cgroup, int directory, struct berth_error *err) {
        /* Frozen processes do not fork away; without a freezer the rounds catch up with them. */
        (void) cgroup_freeze(layout, cgroup, NULL);
        struct signal_walk walk = {.path = cgroup->path, .signal = SIGKILL, .any = true};
        int r = 0;
        for (int round = 0; round < KILL_ROUNDS && walk.any && r == 0; round++) {
                walk.any = false;
                r = cgroup_walk_processes(directory, signal_one, &walk);
                (void) cgroup_thaw(layout, cgroup, NULL);
                cgroup_thaw_killed(layout, cgroup);
        }
        return r < 0 && r != -ENODEV ? berth_error_set(err, -r, "kill the processes of cgroup %s", cgroup->path) : 0;
}

int cgroup_signal_all(const struct cgroup_layout *layout, const struct cgroup *cgroup, int signal, struct berth_error *err) {
        _cleanup_close_ int directory = -1;
        int r = cgroup_path_check(cgroup->path, err);
        if (r == 0)
                r = cgroup_members_open(layout, cgroup, &directory, err);
        if (r < 0)
                return r;
        if (signal == SIGKILL) {
                r = layout->unified_index >= 0 ? cgroup_file_write(directory, "cgroup.kill", "1") : -ENOENT;
                if (r == -ENOENT || r == -EOPNOTSUPP)
                        return kill_one_by_one(layout, cgroup, directory, err);
                if (r < 0)
                        return berth_error_set(err, -r, "write '1' to cgroup.kill of %s", cgroup->path);
                cgroup_thaw_killed(layout, cgroup);
                return 0;
        }
        struct signal_walk walk = {.path = cgroup->path, .signal = signal};
        r = cgroup_walk_processes(directory, signal_one, &walk);
        return r < 0 ? berth_error_set(err, -r, "signal the processes of cgroup %s", cgroup->path) : 0;
}
