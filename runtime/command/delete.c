/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "cgroup.h"
#include "cleanup.h"
#include "command.h"
#include "process-identity.h"
#include "sys.h"

#include <poll.h>

#define DELETE_WAIT_MS 10000

static int delete_kill(const struct state *state, struct berth_error *err) {
        _cleanup_close_ int pidfd = -1;

        if (process_open_exact(state->pid, state->start_time, &pidfd, NULL) < 0)
                return 0;
        (void) sys_pidfd_send_signal(pidfd, SIGKILL);
        struct pollfd ended = {.fd = pidfd, .events = POLLIN};
        return poll(&ended, 1, DELETE_WAIT_MS) == 1 ? 0 : berth_error_set(err, ETIMEDOUT, "container '%s' does not end", state->id);
}

static int delete_cgroup(const struct state *state, struct berth_error *err) {
        struct cgroup_layout layout;
        struct cgroup cgroup = {0};

        if (*state->cgroup == '\0')
                return 0;
        (void) strncpy(cgroup.path, state->cgroup, sizeof cgroup.path - 1);
        int r = cgroup_detect(&layout, err);
        if (r == 0)
                r = cgroup_signal_all(&layout, &cgroup, SIGKILL, err);
        return r == 0 ? cgroup_remove(&layout, &cgroup, err) : r;
}

/* For containers of `create`, and for what a killed `run` left; a `run` that ends by itself leaves nothing. */
int command_delete(const struct command *command, int argc, char **argv, struct berth_error *err) {
        bool force = argc == 3 && (strcmp(argv[1], "--force") == 0 || strcmp(argv[1], "-f") == 0);
        struct state state;

        if (argc != 2 && !force)
                return command_usage(err, "delete [--force] ID");
        const char *id = argv[argc - 1];
        int r = state_read(command, id, &state, err);
        if (r == 0 && !force && state_running(&state) && !state.waiting)
                r = berth_error_set(err, EBUSY, "container '%s' is running; kill it first, or delete --force", id);
        if (r == 0)
                r = delete_kill(&state, err);
        if (r == 0)
                r = delete_cgroup(&state, err);
        /* A `run` that was still waiting has removed its state by now. */
        if (r == 0)
                r = state_remove(command, id, err);
        if (r == -ENOENT && force) {
                *err = (struct berth_error){0};
                r = 0;
        }
        return r < 0 ? 1 : 0;
}
