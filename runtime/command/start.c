/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "cleanup.h"
#include "command.h"
#include "container.h"

int command_start(const struct command *command, int argc, char **argv, struct berth_error *err) {
        _cleanup_close_ int connection = -1;
        struct state state;

        if (argc != 2)
                return command_usage(err, "start ID");
        int r = state_read(command, argv[1], &state, err);
        if (r == 0 && !state_running(&state))
                r = berth_error_set(err, EINVAL, "container '%s' has ended", argv[1]);
        if (r == 0 && !state.waiting)
                r = berth_error_set(err, EALREADY, "container '%s' is running already", argv[1]);
        if (r == 0)
                r = state_connect(command, argv[1], &connection, err);
        if (r == 0)
                r = container_start_detached(connection, err);
        if (r == 0)
                r = state_started(command, argv[1], err);
        return r < 0 ? 1 : 0;
}
