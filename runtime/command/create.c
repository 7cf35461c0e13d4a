/* SPDX-License-Identifier: Apache-2.0 */
#include "launch.h"

int command_create(const struct command *command, int argc, char **argv, struct berth_error *err) {
        struct launch launch = LAUNCH_NONE;
        int r = launch_arguments(&launch, command, "create", argc, argv, err);

        if (r != 0)
                return command_parsed(r);
        r = launch_create(&launch, err);
        launch_close(&launch);
        return r < 0 ? 1 : 0;
}
