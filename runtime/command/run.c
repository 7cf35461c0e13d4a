/* SPDX-License-Identifier: Apache-2.0 */
#include "cleanup.h"
#include "foreground.h"
#include "launch.h"
#include "start-waiting.h"
#include "state-file.h"

/* Answers the exit status. */
static int run_attached(struct launch *launch, struct berth_error *err) {
        _cleanup_close_ int signals = -1;
        int status = 0;

        int r = foreground_prepare(&signals, err);
        if (r == 0)
                r = launch_create(launch, err);
        if (r < 0)
                return r;
        r = container_start(&launch->container, err);
        if (r == 0)
                r = foreground_wait(&launch->container.init, signals, &status, err);
        if (r < 0) {
                launch_undo(launch);
                return r;
        }
        launch->container.init.pid = 0; /* reaped */
        if (launch->keep)
                return status;
        r = container_release(&launch->container, err);
        int removed = state_directory_remove(launch->command, launch->id, launch->directory, r < 0 ? NULL : err);
        return r < 0 ? r : removed < 0 ? removed : status;
}

static int run_detached(struct launch *launch, struct berth_error *err) {
        _cleanup_state_ struct state state = {0};

        int r = launch_create(launch, err);
        if (r < 0)
                return r;
        r = state_read(launch->directory, launch->id, &state, err);
        if (r == 0)
                r = start_waiting(launch->command, launch->directory, &state, err);
        if (r < 0)
                launch_undo(launch);
        return r;
}

int command_run(const struct command *command, int argc, char **argv, struct berth_error *err) {
        struct launch launch = LAUNCH_NONE;
        int r = launch_arguments(&launch, command, "run", argc, argv, err);

        if (r != 0)
                return command_parsed(r);
        r = launch.detach ? run_detached(&launch, err) : run_attached(&launch, err);
        launch_close(&launch);
        return r < 0 ? 1 : r;
}
