/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "cgroup-internal.h"
#include "cleanup.h"
#include "sys.h"

/* A killed process is out of its cgroup in microseconds, or in many milliseconds where its memory is large. */
#define REMOVE_TIMEOUT_MS 3000
/* As long as groups go one after the other (a container may leave hundreds of thousands), but not for ever. */
#define REMOVE_END_MS 60000
/* The kernel tells of a process's end a moment before its cgroup is free. */
#define REMOVE_PAUSE_MS 1

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
        if (cgroup_members(directory, take_pidfd, &process) == -ECANCELED) {
                struct pollfd poller = {.fd = process, .events = POLLIN};
                if (poll(&poller, 1, 0) == 0) {
                        (void) poll(&poller, 1, remaining_ms(deadline));
                        return;
                }
        }
        (void) poll(NULL, 0, REMOVE_PAUSE_MS);
}

/* What is left of the time: waiting ends REMOVE_TIMEOUT_MS after the last group that went, and all of it at `end`. */
struct removal {
        bool unified;
        int64_t deadline, end;
};

static void note_progress(struct removal *removal) {
        int64_t deadline = cgroup_now() + REMOVE_TIMEOUT_MS;
        removal->deadline = deadline < removal->end ? deadline : removal->end;
}

/* Removes the children that can go; the name of the first that cannot is kept. *ret_children: how many there were. */
static int remove_children(int directory, struct removal *removal, char busy[NAME_MAX + 1], size_t *ret_children) {
        _cleanup_closedir_ DIR *dir = NULL;
        int r = cgroup_list(directory, ".", &dir);
        busy[0] = '\0';
        *ret_children = 0;
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (struct dirent *entry; (entry = readdir(dir));) {
                if (!cgroup_is_child(entry))
                        continue;
                ++*ret_children;
                if (unlinkat(directory, entry->d_name, AT_REMOVEDIR) == 0)
                        note_progress(removal);
                else if (errno == EBUSY || errno == ENOTEMPTY) {
                        (void) snprintf(busy, NAME_MAX + 1, "%s", entry->d_name);
                        return 0;
                } else if (errno != ENOENT)
                        return -errno;
                if (cgroup_now() >= removal->end)
                        return -EBUSY;
        }
        return 0;
}

/*
 * A container may nest as many groups as it likes, so the way down is not kept: from a level that is empty we go back by "..",
 * which within a hierarchy is always where we came from, and look there again. Nothing grows with depth or number.
 */
static int remove_below(const char *top, struct removal *removal) {
        _cleanup_close_ int directory = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (directory < 0)
                return errno == ENOENT ? 0 : -errno;
        for (uint64_t depth = 0;;) {
                char next[NAME_MAX + 1];
                size_t children;
                int r = remove_children(directory, removal, next, &children);
                if (r < 0)
                        return r;
                bool down = next[0] != '\0';
                if (!down && children == 0) {
                        if (depth == 0)
                                return 0;
                        if (cgroup_now() >= removal->deadline)
                                return -EBUSY;
                        wait_for_change(directory, removal->unified, removal->deadline);
                }
                if (!down && depth == 0)
                        continue; /* all children went: there may be new ones */
                int other = openat(directory, down ? next : "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
                if (other < 0 && errno == ENOENT && down)
                        continue;
                if (other < 0)
                        return -errno;
                depth = down ? depth + 1 : depth - 1;
                (void) close(directory);
                directory = other;
        }
}

static int remove_tree(const char *top, struct removal *removal) {
        for (;;) {
                if (rmdir(top) == 0 || errno == ENOENT) {
                        note_progress(removal);
                        return 0;
                }
                if (errno != EBUSY && errno != ENOTEMPTY)
                        return -errno;
                int r = remove_below(top, removal);
                if (r < 0)
                        return r;
                if (rmdir(top) == 0 || errno == ENOENT)
                        continue;
                _cleanup_close_ int directory = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
                if (directory < 0)
                        continue;
                if (cgroup_now() >= removal->deadline)
                        return -EBUSY;
                wait_for_change(directory, removal->unified, removal->deadline);
        }
}

int cgroup_remove(const struct cgroup_layout *layout, const struct cgroup *cgroup, struct berth_error *err) {
        int r = cgroup_path_check(cgroup->path, err);
        if (r < 0)
                return r;
        struct removal removal = {.end = cgroup_now() + REMOVE_END_MS};
        int first = 0;
        note_progress(&removal);
        /* The unified one first: it notifies when the last process is gone, and that is true of all hierarchies then. */
        for (uint32_t pass = 0; pass < 2; pass++) {
                for (uint32_t i = 0; i < layout->n; i++) {
                        const struct cgroup_hierarchy *hierarchy = &layout->hierarchy[i];
                        char directory[CGROUP_FILE_MAX];
                        if (hierarchy->unified != (pass == 0))
                                continue;
                        r = cgroup_directory(hierarchy, cgroup->path, directory, first < 0 ? NULL : err);
                        if (r == 0) {
                                removal.unified = hierarchy->unified;
                                r = remove_tree(directory, &removal);
                                if (r < 0 && first == 0)
                                        (void) berth_error_set(err, -r, "remove the cgroup %s", directory);
                        }
                        if (r < 0 && first == 0)
                                first = r;
                }
        }
        return first;
}
