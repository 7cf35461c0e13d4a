/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cleanup.h"
#include "memory.h"
#include "reaper.h"
#include "shim.h"

#define MAIN_CONTROL 3 /* the daemon's end is at the other side of a socketpair */
#define MAIN_TRIM_MS 1000

void shim_report(const struct shim *shim, const struct berth_error *err) {
        const struct keeper_plan *keeper = shim->plan ? plan_keeper(shim->plan) : NULL;
        const char *id = keeper && keeper->id ? keeper->id : "-";
        const char *reason = strerror(err->code);
        struct pollfd reader = {.fd = STDERR_FILENO, .events = POLLOUT};
        struct iovec parts[] = {
                {.iov_base = "berth-shim ", .iov_len = 11}, {.iov_base = (char *) id, .iov_len = strnlen(id, 12)},
                {.iov_base = ": ", .iov_len = 2},           {.iov_base = (char *) err->text, .iov_len = strlen(err->text)},
                {.iov_base = ": ", .iov_len = 2},           {.iov_base = (char *) reason, .iov_len = strlen(reason)},
                {.iov_base = "\n", .iov_len = 1},
        };
        /* A pipe that nobody empties has no room for it, and is not waited for. */
        if (poll(&reader, 1, 0) > 0 && reader.revents & POLLOUT)
                (void) !writev(STDERR_FILENO, parts, sizeof(parts) / sizeof(parts[0]));
}

static void main_trim(void *owner) {
        struct shim *shim = owner;
        /* The log's buffers and the chunk follow each other; a begun line waits among them. */
        char *end = (char *) (shim + 1), *start = log_is_empty(&shim->log) ? (char *) shim->log.lines : (char *) shim->chunk;
        memory_give_back(start, (size_t) (end - start));
        server_trim(&shim->server);
        memory_settle();
}

void shim_trim_later(struct shim *shim) {
        loop_arm(&shim->loop, &shim->trim, MAIN_TRIM_MS);
}

/* Outside every service's group, or stopping the daemon's service would stop its containers' keepers. Where that is not allowed the shim stays where
 * it is. */
static void main_join_cgroup(struct shim *shim) {
        struct cgroup group;
        struct berth_error err;
        struct cgroup_layout *layout = &shim->container.layout;
        if (cgroup_detect(layout, &err) < 0 || cgroup_create(layout, "/berth/shims", NULL, &group, &err) < 0 ||
            cgroup_attach(layout, &group, getpid(), false, &err) < 0)
                shim_report(shim, &err);
}

/* Lowering needs CAP_SYS_RESOURCE; without it the shim is as likely a victim as others, and init would die with it. */
static void main_protect_from_oom(void) {
        _cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
        if (fd >= 0)
                (void) !write(fd, "-999", 4);
}

static int main_open(struct shim *shim, struct berth_error *err) {
        shim->listener.source.fd = shim->server.daemon.fd = shim->children.fd = shim->oom.fd = shim->log.fd = shim->log.directory = -1;
        shim->record = (struct record){.directory = -1, .lock = -1};
        shim->container = CONTAINER_NONE;
        shim->trim = (struct timer){.fire = main_trim, .owner = shim};

        if (syscall(SYS_close_range, MAIN_CONTROL + 1, ~0U, 0) < 0)
                return berth_error_set(err, errno, "close inherited descriptors");
        if (prctl(PR_SET_NAME, "berth-shim") < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
                return berth_error_set(err, errno, "become a subreaper");
        if (chdir("/") < 0)
                return berth_error_set(err, errno, "change to '/'");
        int r = loop_open(&shim->loop, err);
        if (r == 0)
                r = reaper_open(shim, err);
        if (r == 0)
                r = server_adopt(shim, MAIN_CONTROL, true, err);
        return r;
}

static bool main_has_clients(const struct shim *shim) {
        if (shim->init.clients)
                return true;
        for (const struct task *task = shim->execs; task; task = task->next)
                if (task->clients)
                        return true;
        return false;
}

/* Without a daemon there is nobody to ask for the end, so that of the container is it. */
static bool main_is_over(struct shim *shim) {
        bool idle = shim->state == SHIM_STATE_EMPTY || shim->state == SHIM_STATE_STOPPED;
        if (!shim->ending && idle && !server_connected(shim)) {
                task_release_container(shim);
                listener_close(shim);
                record_remove_shim(&shim->record);
                shim->ending = true;
        }
        return shim->ending && !main_has_clients(shim);
}

int main(void) {
        static struct shim shim;
        struct berth_error err = {0};
        if (main_open(&shim, &err) < 0) {
                shim_report(&shim, &err);
                return 1;
        }
        main_join_cgroup(&shim);
        main_protect_from_oom();
        while (!main_is_over(&shim)) {
                if (loop_turn(&shim.loop, &err) < 0) {
                        shim_report(&shim, &err);
                        return 1;
                }
        }
        return 0;
}
