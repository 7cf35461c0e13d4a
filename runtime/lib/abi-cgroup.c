/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "../include/berth.h"
#include "abi-answer.h"
#include "cgroup.h"
#include "spec-limits.h"

static int group_of(const char *path, struct cgroup_layout *layout, struct cgroup *cgroup, struct berth_error *err) {
        int length = snprintf(cgroup->path, sizeof(cgroup->path), "%s", path);
        if (length < 0 || (size_t) length >= sizeof(cgroup->path))
                return berth_error_set(err, ENAMETOOLONG, "the cgroup path is too long");
        cgroup->made = 0;
        return cgroup_detect(layout, err);
}

int berth_cgroup_kill(const char *path, struct berth_error *err) {
        struct cgroup_layout layout;
        struct cgroup cgroup;
        int r = group_of(path, &layout, &cgroup, err);
        if (r == 0)
                r = cgroup_signal_all(&layout, &cgroup, SIGKILL, err);
        return r == -ENOENT ? 0 : r;
}

int berth_cgroup_remove(const char *path, struct berth_error *err) {
        struct cgroup_layout layout;
        struct cgroup cgroup;
        int r = group_of(path, &layout, &cgroup, err);
        return r < 0 ? r : cgroup_remove(&layout, &cgroup, err);
}

int berth_cgroup_update(const char *path, const char *resources, size_t size, struct berth_error *err) {
        struct spec_limits *limits = NULL;
        struct cgroup_layout layout;
        struct cgroup cgroup;
        int r = group_of(path, &layout, &cgroup, err);
        if (r == 0)
                r = spec_limits_open(resources, size, &limits, err);
        if (r == 0)
                r = cgroup_update(&layout, &cgroup, spec_limits_get(limits), err);
        spec_limits_close(limits);
        return r;
}

int berth_cgroup_layout(char *json_out, size_t capacity, size_t *ret_size, struct berth_error *err) {
        static const char *const names[] = {"blkio", "cpu", "cpuacct", "cpuset", "devices", "freezer", "hugetlb", "io", "memory", "pids", "rdma"};
        struct cgroup_layout layout;
        int r = cgroup_detect(&layout, err);
        if (r < 0)
                return r;
        /* Of a host with both, the version is that of the hierarchy that limits memory: what a container sees most. */
        const struct cgroup_hierarchy *memory = cgroup_hierarchy_of(&layout, "memory");
        bool unified = memory ? memory->unified : layout.n == 1 && layout.unified_index == 0;
        struct answer answer = {.out = json_out, .capacity = capacity};
        answer_put(&answer, "{\"version\":%d,\"controllers\":{", unified ? 2 : 1);
        const char *separator = "";
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                const struct cgroup_hierarchy *hierarchy = cgroup_hierarchy_of(&layout, names[i]);
                if (!hierarchy)
                        continue;
                answer_put(&answer, "%s\"%s\":%d", separator, names[i], hierarchy->unified ? 2 : 1);
                separator = ",";
        }
        answer_put(&answer, "},\"hierarchies\":[");
        for (uint32_t i = 0; i < layout.n; i++) {
                struct cgroup_hierarchy *hierarchy = &layout.hierarchy[i];
                answer_put(&answer, "%s{\"mount\":", i ? "," : "");
                answer_text(&answer, hierarchy->mount);
                answer_put(&answer, ",\"controllers\":[");
                char *rest = hierarchy->controllers, *word;
                separator = "";
                while ((word = strsep(&rest, ",")))
                        if (*word) {
                                answer_put(&answer, "%s", separator);
                                answer_text(&answer, word);
                                separator = ",";
                        }
                answer_put(&answer, "],\"unified\":%s}", hierarchy->unified ? "true" : "false");
        }
        answer_put(&answer, "]}");
        return answer_end(&answer, ret_size, err);
}
