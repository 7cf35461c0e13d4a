/* SPDX-License-Identifier: Apache-2.0 */
#include "start-waiting.h"

#include "cleanup.h"
#include "container.h"
#include "kept-plan.h"
#include "sys.h"

#include <signal.h>

static int start_hooks(const struct command *command, int directory, const struct state *state, struct berth_error *err) {
        _cleanup_close_ int pidfd = -1;

        if (!state->hooked)
                return 0;
        int r = kept_plan_hooks(command, directory, state, PLAN_HOOK_POSTSTART, "running", state->pid, err);
        if (r < 0 && state_open_process(state, &pidfd) == 0)
                (void) sys_pidfd_send_signal(pidfd, SIGKILL);
        return r;
}

int start_waiting(const struct command *command, int directory, const struct state *state, struct berth_error *err) {
        _cleanup_close_ int connection = -1;

        int r = state_directory_connect(directory, state->id, &connection, err);
        if (r == 0)
                r = container_start_detached(connection, err);
        if (r == 0)
                r = state_directory_started(directory, err);
        /* A hook may well ask for the container's state, or change it. */
        state_directory_unlock(directory);
        return r == 0 ? start_hooks(command, directory, state, err) : r;
}
