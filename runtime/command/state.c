/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

int command_state(const struct command *command, int argc, char **argv, struct berth_error *err) {
        struct state state;

        if (argc != 2)
                return command_usage(err, "state ID");
        if (state_read(command, argv[1], &state, err) < 0)
                return 1;
        json_t *value = state_json(&state);
        int r = command_print(value, err);
        json_decref(value);
        return r < 0 ? 1 : 0;
}
