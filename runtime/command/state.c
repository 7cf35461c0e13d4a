/* SPDX-License-Identifier: Apache-2.0 */
#include "state-file.h"

int command_state(const struct command *command, int argc, char **argv, struct berth_error *err) {
        _cleanup_state_ struct state state = {0};
        struct cgroup_layout layout = {0};
        enum state_status status;
        const char *id;

        int r = command_id_only("state", argc, argv, &id, err);
        if (r != 0)
                return command_parsed(r);
        r = state_look(command, id, &state, err);
        if (r == 0)
                r = state_status(&state, &layout, &status, err);
        if (r < 0)
                return 1;
        json_t *value = state_to_json(&state, status, "");
        r = command_print(value, JSON_INDENT(2), err);
        json_decref(value);
        return r < 0 ? 1 : 0;
}
