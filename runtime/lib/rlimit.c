/* SPDX-License-Identifier: Apache-2.0 */
#include "rlimit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"

static int rlimit_set(const struct plan_rlimit *wanted, struct berth_error *err) {
        struct rlimit limit = {.rlim_cur = wanted->soft, .rlim_max = wanted->hard}, own;

        if (setrlimit((int) wanted->resource, &limit) == 0)
                return 0;
        if (errno != EPERM || getrlimit((int) wanted->resource, &own) < 0)
                return berth_error_set(err, errno, "set resource limit %u", wanted->resource);

        if (limit.rlim_max > own.rlim_max)
                limit.rlim_max = own.rlim_max;
        if (limit.rlim_cur > limit.rlim_max)
                limit.rlim_cur = limit.rlim_max;
        if (setrlimit((int) wanted->resource, &limit) < 0)
                return berth_error_set(err, errno, "set resource limit %u", wanted->resource);
        return 0;
}

int rlimit_apply(const struct plan_process *plan, struct berth_error *err) {
        for (uint32_t i = 0; i < plan->n_rlimits; i++) {
                int r = rlimit_set(&plan->rlimits[i], err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int rlimit_raise(pid_t pid, const struct plan_process *plan, struct berth_error *err) {
        for (uint32_t i = 0; i < plan->n_rlimits; i++) {
                const struct plan_rlimit *wanted = &plan->rlimits[i];
                const struct rlimit limit = {.rlim_cur = wanted->soft, .rlim_max = wanted->hard};
                if (prlimit(pid, (int) wanted->resource, &limit, NULL) < 0 && errno != EPERM)
                        return berth_error_set(err, errno, "set resource limit %u", wanted->resource);
        }
        return 0;
}

int rlimit_apply_oom_score(pid_t pid, const struct plan_process *plan, struct berth_error *err) {
        char path[64], text[16];

        if (!plan->has_oom_score)
                return 0;
        (void) snprintf(path, sizeof path, "/proc/%d/oom_score_adj", (int) pid);
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return berth_error_set(err, errno, "open oom_score_adj");
        int n = snprintf(text, sizeof text, "%d", plan->oom_score);
        if (write(fd, text, (size_t) n) < 0 && errno != EACCES && errno != EPERM)
                return berth_error_set(err, errno, "set oom_score_adj to %d", plan->oom_score);
        return 0;
}
