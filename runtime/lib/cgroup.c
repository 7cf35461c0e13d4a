/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cgroup-internal.h"
#include "cleanup.h"
#include "systemd-scope.h"

/* Others may remove an empty parent between our mkdir of it and of its child; that often in a row it is no accident. */
#define RACE_ATTEMPTS 16

static bool serves_cpuset(const struct cgroup_hierarchy *hierarchy) {
        return !hierarchy->unified && cgroup_controllers_have(hierarchy->controllers, "cpuset");
}

static int make_parents(const char *directory, size_t mount_length, uint16_t *first_made) {
        char prefix[CGROUP_FILE_MAX];
        for (const char *end = strchr(directory + mount_length + 1, '/'); end; end = strchr(end + 1, '/')) {
                memcpy(prefix, directory, (size_t) (end - directory));
                prefix[end - directory] = '\0';
                size_t length = (size_t) (end - directory) - mount_length;
                if (mkdir(prefix, 0755) < 0) {
                        if (errno != EEXIST)
                                return -errno;
                } else if (*first_made == 0 || length < *first_made)
                        *first_made = (uint16_t) length;
        }
        return 0;
}

/* 1: made, 0: it was there. */
static int make_directory(const struct cgroup_hierarchy *hierarchy, const char *path, uint16_t *first_made, struct berth_error *err) {
        char directory[CGROUP_FILE_MAX];
        int r = cgroup_directory(hierarchy, path, directory, err);
        if (r < 0)
                return r;
        for (int i = 0; i < RACE_ATTEMPTS; i++) {
                if (mkdir(directory, 0755) == 0)
                        return 1;
                if (errno == EEXIST)
                        return 0;
                if (errno != ENOENT)
                        break;
                r = make_parents(directory, strlen(hierarchy->mount), first_made);
                if (r < 0 && r != -ENOENT)
                        return berth_error_set(err, -r, "make the parents of the cgroup %s", directory);
                errno = ENOENT;
        }
        return berth_error_set(err, errno, "make the cgroup %s", directory);
}

static int make_in(const struct cgroup_hierarchy *hierarchy, struct cgroup *cgroup, uint32_t index, struct berth_error *err) {
        const char *path = cgroup->path;
        int r = make_directory(hierarchy, path, &cgroup->parents[index], err);
        if (r < 0)
                return r;
        cgroup->made |= (uint32_t) r << index;
        if (hierarchy->unified)
                return cgroup_v2_delegate(hierarchy, path, err);
        if (serves_cpuset(hierarchy))
                return cgroup_v1_inherit_cpuset(hierarchy, path, err);
        return 0;
}

static int note_process(pid_t pid, void *data) {
        *(pid_t *) data = pid;
        return -ECANCELED; /* one is enough */
}

/* Whoever lives in a group that was there already would get the limits, and end with the container. */
static int refuse_occupied(const struct cgroup_layout *layout, const struct cgroup *cgroup, struct berth_error *err) {
        for (uint32_t i = 0; i < layout->n; i++) {
                const struct cgroup_hierarchy *hierarchy = &layout->hierarchy[i];
                _cleanup_close_ int directory = -1;
                pid_t pid = 0;
                if (cgroup->made & (1U << i) || cgroup_directory_open(hierarchy, cgroup->path, &directory, NULL) < 0)
                        continue;
                if (cgroup_walk_processes(directory, note_process, &pid) == -ECANCELED)
                        return berth_error_set(err, EBUSY, "the cgroup %s%s has processes already (%d is one), and a container needs one of its own",
                                               hierarchy->mount, cgroup->path, (int) pid);
        }
        return 0;
}

static int create_scope(const struct cgroup_layout *layout, const char *path, const struct cgroup_limits *limits, struct cgroup *ret,
                        struct berth_error *err) {
        struct cgroup cgroup;
        int r = systemd_scope_start(layout, path, limits, &cgroup, err);
        if (r < 0)
                return r;
        /* Also where systemd has no property for it, or none that is exact. */
        if (limits)
                r = cgroup_apply(layout, &cgroup, limits, err);
        if (r < 0) {
                systemd_scope_release(&cgroup);
                (void) cgroup_remove(layout, &cgroup, NULL);
                return r;
        }
        *ret = cgroup;
        return 0;
}

void cgroup_joined(struct cgroup *cgroup) {
        systemd_scope_release(cgroup);
}

int cgroup_create(const struct cgroup_layout *layout, const char *path, const struct cgroup_limits *limits, struct cgroup *ret,
                  struct berth_error *err) {
        struct cgroup cgroup = {.made = 0};
        if (systemd_scope_named(path))
                return create_scope(layout, path, limits, ret, err);
        int r = cgroup_path_check(path, err);
        if (r < 0)
                return r;
        strcpy(cgroup.path, path);
        for (uint32_t i = 0; i < layout->n && r == 0; i++)
                r = make_in(&layout->hierarchy[i], &cgroup, i, err);
        if (r == 0 && limits)
                r = refuse_occupied(layout, &cgroup, err);
        if (r == 0 && limits)
                r = cgroup_apply(layout, &cgroup, limits, err);
        if (r < 0) {
                for (uint32_t i = 0; i < layout->n; i++) {
                        char directory[CGROUP_FILE_MAX];
                        if ((cgroup.made & (1U << i)) && cgroup_directory(&layout->hierarchy[i], path, directory, NULL) == 0)
                                (void) rmdir(directory);
                }
                cgroup_remove_parents(layout, &cgroup);
                return r;
        }
        *ret = cgroup;
        return 0;
}

void cgroup_remove_parents(const struct cgroup_layout *layout, const struct cgroup *cgroup) {
        for (uint32_t i = 0; i < layout->n; i++) {
                char directory[CGROUP_FILE_MAX];
                if (cgroup->parents[i] == 0 || cgroup_directory(&layout->hierarchy[i], cgroup->path, directory, NULL) < 0)
                        continue;
                size_t shortest = strlen(layout->hierarchy[i].mount) + cgroup->parents[i];
                for (char *end; (end = strrchr(directory, '/')) && (size_t) (end - directory) >= shortest;) {
                        *end = '\0';
                        if (rmdir(directory) < 0 && errno != ENOENT)
                                break; /* others are in it */
                }
        }
}

static int attach_in(const struct cgroup_hierarchy *hierarchy, const char *path, pid_t pid, struct berth_error *err) {
        char file[CGROUP_FILE_MAX], text[16];
        /*
         * "0" means the writer itself. Of a single thread v1's `tasks` and v2's `cgroup.procs` then move the whole process; v1 does
         * so without the lock that stops every fork of the machine, which makes it several times faster.
         */
        int length = snprintf(file, sizeof(file), "%s%s/%s", hierarchy->mount, path, pid == 0 && !hierarchy->unified ? "tasks" : "cgroup.procs");
        if (length < 0 || (size_t) length >= sizeof(file))
                return berth_error_set(err, ENAMETOOLONG, "the cgroup directory of %s is too long", path);
        _cleanup_close_ int fd = open(file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return berth_error_set(err, errno, "open %s", file);
        length = snprintf(text, sizeof(text), "%d", (int) pid);
        ssize_t n;
        do
                n = write(fd, text, (size_t) length);
        while (n < 0 && errno == EINTR);
        if (n >= 0)
                return 0;
        if (errno == EINVAL && cgroup_controllers_have(hierarchy->controllers, "cpu"))
                return berth_error_set(err, EINVAL, "move process %d into %s (a realtime process needs a realtime budget there)", (int) pid, file);
        return berth_error_set(err, errno, "move process %d into %s", (int) pid, file);
}

int cgroup_attach(const struct cgroup_layout *layout, const struct cgroup *cgroup, pid_t pid, bool skip_unified, struct berth_error *err) {
        for (uint32_t i = 0; i < layout->n; i++) {
                if (skip_unified && layout->hierarchy[i].unified)
                        continue;
                int r = attach_in(&layout->hierarchy[i], cgroup->path, pid, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int cgroup_attach_beside(const struct cgroup_layout *layout, const struct cgroup *cgroup, pid_t pid, struct berth_error *err) {
        char path[32], text[CGROUP_FILE_MAX + 256];
        size_t length = strlen(cgroup->path);

        (void) snprintf(path, sizeof(path), "/proc/%d", (int) pid);
        _cleanup_close_ int process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        int r = process < 0 ? -errno : cgroup_file_read(process, "cgroup", text, sizeof(text));
        if (r < 0)
                return berth_error_set(err, -r, "read the cgroups of process %d", (int) pid);
        char *line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
        line = line ? strchr(line, ':') + 2 : NULL;
        if (layout->unified_index < 0 || !line || strncmp(line, cgroup->path, length) != 0 || (line[length] != '/' && line[length] != '\n'))
                return berth_error_set(err, EBUSY, "process %d has left the cgroup %s, which takes no process itself any more", (int) pid,
                                       cgroup->path);
        line[strcspn(line, "\n")] = '\0';
        return attach_in(&layout->hierarchy[layout->unified_index], line, 0, err);
}

int cgroup_open_unified(const struct cgroup_layout *layout, const struct cgroup *cgroup, int *ret_fd, struct berth_error *err) {
        if (layout->unified_index < 0)
                return berth_error_set(err, ENOENT, "no unified cgroup hierarchy is mounted");
        return cgroup_directory_open(&layout->hierarchy[layout->unified_index], cgroup->path, ret_fd, err);
}
