/* SPDX-License-Identifier: Apache-2.0 */
#include "preserved-fds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "plan.h"

static int preserved_fds_listen(json_t *config, int64_t *ret, struct berth_error *err) {
        const char *word = getenv("LISTEN_FDS");
        char text[32], *end;

        if (!word)
                return 0;
        long n = strtol(word, &end, 10);
        if (end == word || *end || n < 0 || n > PLAN_PRESERVED_MAX)
                return berth_error_set(err, EINVAL, "LISTEN_FDS=%.32s is not a number of descriptors", word);
        if (n == 0)
                return 0;
        json_t *process = json_object_get(config, "process"), *env = json_object_get(process, "env");
        if (!json_is_array(env)) {
                env = json_array();
                if (json_object_set_new(process, "env", env) < 0)
                        return 0; /* what is not a process is refused with its place */
        }
        (void) snprintf(text, sizeof text, "LISTEN_FDS=%ld", n);
        if (json_array_append_new(env, json_string(text)) < 0 || json_array_append_new(env, json_string("LISTEN_PID=1")) < 0)
                return berth_error_set(err, ENOMEM, "memory for the environment");
        *ret = n;
        return 0;
}

int preserved_fds_check(int64_t n, struct berth_error *err) {
        if (n < 0 || n > PLAN_PRESERVED_MAX)
                return berth_error_set(err, EINVAL, "%lld preserved descriptors are not between 0 and %d", (long long) n, PLAN_PRESERVED_MAX);
        /* Our own are close-on-exec from birth; those of the caller that came with us are not. */
        for (int fd = 3; fd < 3 + n; fd++) {
                int flags = fcntl(fd, F_GETFD);
                if (flags < 0 || (flags & FD_CLOEXEC))
                        return berth_error_set(err, EINVAL, "preserved descriptor %d of 3 to %lld is not open", fd, (long long) n + 2);
        }
        return 0;
}

int preserved_fds_announce(json_t *config, int64_t *n, struct berth_error *err) {
        int64_t listening = 0;

        int r = preserved_fds_listen(config, &listening, err);
        if (r < 0)
                return r;
        *n += listening;
        return preserved_fds_check(*n, err);
}
