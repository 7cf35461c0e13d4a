/* SPDX-License-Identifier: Apache-2.0 */
#include "oom.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "shim.h"

static void oom_ready(void *owner, uint32_t events) {
        struct shim *shim = owner;
        char discarded[4096]; /* an eventfd's number or inotify records: the counter alone tells the truth */
        (void) events;
        if (read(shim->oom.fd, discarded, sizeof(discarded)) <= 0 && errno != EAGAIN && errno != EINTR)
                oom_close(shim);
        oom_check(shim);
}

int oom_watch(struct shim *shim, struct berth_error *err) {
        shim->oom = (struct source){.fd = -1, .ready = oom_ready, .owner = shim};
        shim->oom_kills = 0;
        if (!shim->container.has_cgroup || !cgroup_hierarchy_of(&shim->container.layout, "memory"))
                return 0;
        int r = cgroup_oom_watch(&shim->container.layout, &shim->container.cgroup, &shim->oom.fd, err);
        if (r < 0)
                return r;
        r = loop_watch(&shim->loop, &shim->oom, EPOLLIN);
        return r < 0 ? berth_error_set(err, -r, "watch for lack of memory") : 0;
}

void oom_check(struct shim *shim) {
        uint64_t kills;
        struct berth_error err;
        if (!shim->container.has_cgroup || shim->released || !cgroup_hierarchy_of(&shim->container.layout, "memory"))
                return;
        if (cgroup_oom_kills(&shim->container.layout, &shim->container.cgroup, &kills, &err) < 0) {
                shim_report(shim, &err);
                return;
        }
        if (kills <= shim->oom_kills)
                return;
        shim->oom_kills = kills;
        server_tell_oom(shim);
}

void oom_close(struct shim *shim) {
        loop_close(&shim->loop, &shim->oom);
}
