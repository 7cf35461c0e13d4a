/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup-internal.h"
#include "check.h"
#include "cleanup.h"

/* Runs on v1, hybrid and v2 hosts alike: what differs is asked of the layout, never assumed. */

struct test {
        struct cgroup_layout layout;
        char parent[64];
        struct berth_error err;
};

static inline void path_of(const struct test *test, const char *name, char path[CGROUP_PATH_MAX]) {
        (void) snprintf(path, CGROUP_PATH_MAX, "%s/%s", test->parent, name);
}

static inline bool create(struct test *test, const char *name, const struct cgroup_limits *limits, struct cgroup *ret) {
        char path[CGROUP_PATH_MAX];
        path_of(test, name, path);
        int r = cgroup_create(&test->layout, path, limits, ret, &test->err);
        check(r == 0, "the group %s is made%s%s", name, r < 0 ? ": " : "", r < 0 ? test->err.text : "");
        return r == 0;
}

/* In how many hierarchies the directory exists. */
static inline uint32_t present(const struct test *test, const char *path) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < test->layout.n; i++) {
                char directory[CGROUP_FILE_MAX];
                if (cgroup_directory(&test->layout.hierarchy[i], path, directory, NULL) == 0 && access(directory, F_OK) == 0)
                        n++;
        }
        return n;
}

static inline void expect(struct test *test, const struct cgroup *cgroup, const char *controller, const char *v1, const char *v1_text, const char *v2,
                          const char *v2_text) {
        const struct cgroup_hierarchy *hierarchy = cgroup_hierarchy_of(&test->layout, controller);
        _cleanup_close_ int fd = -1;
        char text[256] = "";
        check(hierarchy != NULL, "the host offers the controller %s", controller);
        if (!hierarchy || cgroup_directory_open(hierarchy, cgroup->path, &fd, NULL) < 0)
                return;
        const char *file = hierarchy->unified ? v2 : v1, *wanted = hierarchy->unified ? v2_text : v1_text;
        (void) cgroup_file_read(fd, file, text, sizeof(text));
        text[strcspn(text, "\n")] = '\0';
        check(strcmp(text, wanted) == 0, "%s is '%s' (wanted '%s')", file, text, wanted);
}

typedef int (*body_fn)(void *data);

/* A child that joins the group by itself, then runs; it has joined when this returns. */
static inline pid_t run_in(struct test *test, const struct cgroup *cgroup, body_fn body, void *data) {
        int joined[2];
        if (pipe2(joined, O_CLOEXEC) < 0)
                abort();
        pid_t pid = fork();
        if (pid < 0)
                abort(); /* -1 as a target of kill(2) is everybody */
        if (pid == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                struct berth_error err = {0};
                if (cgroup_attach(&test->layout, cgroup, 0, false, &err) < 0) {
                        (void) fprintf(stderr, "attach: %s\n", err.text);
                        _exit(99);
                }
                if (write(joined[1], "", 1) != 1)
                        _exit(98);
                _exit(body(data));
        }
        (void) close(joined[1]);
        char byte;
        check(read(joined[0], &byte, 1) == 1, "a child joins the group");
        (void) close(joined[0]);
        return pid;
}

static inline int reap(pid_t pid) {
        int status = -1;
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                continue;
        return status;
}

static inline void remove_group(struct test *test, const struct cgroup *cgroup) {
        check_call(cgroup_remove(&test->layout, cgroup, &test->err), &test->err, "the group is removed");
        check(present(test, cgroup->path) == 0, "no hierarchy has the directory of %s any more", cgroup->path);
}

/* A host that has both is a host with v1 alone to whoever does not look at the unified hierarchy. */
static inline bool drop_unified(struct cgroup_layout *layout) {
        struct cgroup_layout v1 = {.unified_index = -1};
        for (uint32_t i = 0; i < layout->n; i++)
                if (!layout->hierarchy[i].unified)
                        v1.hierarchy[v1.n++] = layout->hierarchy[i];
        bool both = v1.n > 0 && v1.n < layout->n;
        if (both)
                *layout = v1;
        return both;
}
