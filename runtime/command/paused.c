/* SPDX-License-Identifier: Apache-2.0 */
#include "paused.h"

#include <errno.h>

#include "cleanup.h"

static int paused_check(const struct state *state, struct cgroup_layout *layout, bool pause, struct berth_error *err) {
        enum state_status status;

        int r = state_status(state, layout, &status, err);
        if (r < 0)
                return r;
        if (pause && (status == STATE_STOPPED || status == STATE_PAUSED))
                return berth_error_set(err, EINVAL, "container not running: '%s' is %s", state->id, state_status_word(status));
        if (!pause && status != STATE_PAUSED)
                return berth_error_set(err, EINVAL, "container not paused: '%s' is %s", state->id, state_status_word(status));
        return 0;
}

int paused_set(const struct command *command, const char *verb, bool pause, int argc, char **argv, struct berth_error *err) {
        _cleanup_state_ struct state state = {0};
        _cleanup_close_ int directory = -1;
        struct cgroup_layout layout = {0};
        struct cgroup cgroup;
        const char *id;

        int r = command_id_only(verb, argc, argv, &id, err);
        if (r != 0)
                return command_parsed(r);
        r = state_take(command, id, &directory, &state, err);
        if (r == 0)
                r = paused_check(&state, &layout, pause, err);
        if (r == 0)
                r = state_cgroup(&state, &layout, &cgroup, err);
        if (r == 0)
                r = pause ? cgroup_freeze(&layout, &cgroup, err) : cgroup_thaw(&layout, &cgroup, err);
        return r < 0 ? 1 : 0;
}
