/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "cleanup.h"
#include "start-waiting.h"

static int start_check(const struct state *state, struct berth_error *err) {
        struct cgroup_layout layout = {0};
        enum state_status status;

        int r = state_status(state, &layout, &status, err);
        if (r < 0 || status == STATE_CREATED)
                return r;
        if (status == STATE_STOPPED)
                return berth_error_set(err, EINVAL, "cannot start a container that has stopped: '%s'", state->id);
        return berth_error_set(err, EINVAL, "cannot start an already running container: '%s' is %s", state->id, state_status_word(status));
}

int command_start(const struct command *command, int argc, char **argv, struct berth_error *err) {
        _cleanup_state_ struct state state = {0};
        _cleanup_close_ int directory = -1;
        const char *id;

        int r = command_id_only("start", argc, argv, &id, err);
        if (r != 0)
                return command_parsed(r);
        r = state_take(command, id, &directory, &state, err);
        if (r == 0)
                r = start_check(&state, err);
        if (r == 0)
                r = start_waiting(command, directory, &state, err);
        return r < 0 ? 1 : 0;
}
