/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cgroup-internal.h"
#include "cleanup.h"

/* Those that our limits and counters use; all others stay as the host's owner set them. */
static const char wanted[] = "cpu cpuset hugetlb io memory pids rdma";

static bool has_word(const char *text, const char *word, size_t length) {
        for (const char *at = text; *at;) {
                size_t n = strcspn(at, " \n");
                if (n == length && strncmp(at, word, length) == 0)
                        return true;
                at += n + (at[n] != '\0');
        }
        return false;
}

/* All at once is one write; one by one when a single controller is refused (cpu with realtime processes, for one). */
static int enable_all(int directory, const char *available, const char *enabled) {
        char request[512] = "";
        size_t used = 0;
        for (const char *at = available; *at;) {
                size_t n = strcspn(at, " \n");
                if (n > 0 && has_word(wanted, at, n) && !has_word(enabled, at, n) && used + n + 3 < sizeof(request))
                        used += (size_t) snprintf(request + used, sizeof(request) - used, "%s+%.*s", used ? " " : "", (int) n, at);
                at += n + (at[n] != '\0');
        }
        if (used == 0)
                return 0;
        int r = cgroup_file_write(directory, "cgroup.subtree_control", request);
        if (r == 0 || !strchr(request, ' '))
                return r;
        char *rest = request, *word;
        int done = 0;
        while ((word = strsep(&rest, " "))) {
                int one = cgroup_file_write(directory, "cgroup.subtree_control", word);
                if (one == 0)
                        done++;
                else
                        r = one;
        }
        return done > 0 ? 0 : r;
}

static bool has_all_controllers(const struct cgroup_hierarchy *hierarchy, const char *path) {
        _cleanup_close_ int fd = -1;
        char text[512];
        if (cgroup_directory_open(hierarchy, path, &fd, NULL) < 0 || cgroup_file_read(fd, "cgroup.controllers", text, sizeof(text)) < 0)
                return false;
        for (const char *word = hierarchy->controllers; *word;) {
                size_t n = strcspn(word, ",");
                if (has_word(wanted, word, n) && !has_word(text, word, n))
                        return false;
                word += n + (word[n] != '\0');
        }
        return true;
}

/*
 * A controller that some parent cannot hand down is no error here: only a limit that then lacks its file is one, and that is
 * told where the limit is written.
 */
int cgroup_v2_delegate(const struct cgroup_hierarchy *hierarchy, const char *path, struct berth_error *err) {
        if (!hierarchy->controllers[0] || has_all_controllers(hierarchy, path))
                return 0;
        _cleanup_close_ int parent = open(hierarchy->mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (parent < 0)
                return berth_error_set(err, errno, "open the cgroup hierarchy %s", hierarchy->mount);
        char name[CGROUP_PATH_MAX];
        for (const char *part = path; *part == '/';) {
                char available[512], enabled[512];
                if (cgroup_file_read(parent, "cgroup.controllers", available, sizeof(available)) >= 0 &&
                    cgroup_file_read(parent, "cgroup.subtree_control", enabled, sizeof(enabled)) >= 0)
                        (void) enable_all(parent, available, enabled);
                size_t n = strcspn(++part, "/");
                memcpy(name, part, n);
                name[n] = '\0';
                part += n;
                _cleanup_close_ int child = openat(parent, name, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
                if (child < 0)
                        return berth_error_set(err, errno, "open cgroup %.*s", (int) (part - path), path);
                int old = parent;
                parent = take_fd(&child);
                (void) close(old);
        }
        return 0;
}
