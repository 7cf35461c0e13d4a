/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>

#include "cleanup.h"
#include "signal-name.h"
#include "state-file.h"
#include "sys.h"

/* Also for a container that has ended: what it left in its group is meant. */
static int kill_all(const struct state *state, int number, struct berth_error *err) {
        struct cgroup_layout layout = {0};
        struct cgroup cgroup;

        int r = state_cgroup(state, &layout, &cgroup, err);
        if (r == 0)
                r = cgroup_signal_all(&layout, &cgroup, number, err);
        return r == -ENOENT ? 0 : r;
}

static int kill_first(const struct state *state, int number, struct berth_error *err) {
        _cleanup_close_ int pidfd = -1;

        int r = state_open_process(state, &pidfd);
        if (r == -ESRCH)
                return berth_error_set(err, EINVAL, "container not running: '%s' has ended", state->id);
        if (r < 0)
                return berth_error_set(err, -r, "look at process %d of container '%s'", (int) state->pid, state->id);
        if (sys_pidfd_send_signal(pidfd, number) == 0)
                return number == SIGKILL ? state_thaw_killed(state, err) : 0;
        if (errno == ESRCH)
                return berth_error_set(err, EINVAL, "container not running: '%s' has ended", state->id);
        return berth_error_set(err, errno, "send signal %d to container '%s'", number, state->id);
}

int command_kill(const struct command *command, int argc, char **argv, struct berth_error *err) {
        bool all = false;
        const struct option options[] = {{"all", 'a', OPTION_FLAG, &all, "signal every process of the container", NULL}};
        const struct syntax syntax = {.verb = "kill", .arguments = "ID [SIGNAL]", .options = options, .n = 1, .min = 1, .max = 2};
        _cleanup_state_ struct state state = {0};
        struct arguments arguments;
        int number = SIGTERM;

        int r = options_parse(&syntax, argc, argv, &arguments, err);
        if (r != 0)
                return command_parsed(r);
        if (arguments.n == 2 && (number = signal_number(arguments.words[1])) == 0) {
                (void) berth_error_set(err, EINVAL, "unknown signal \"%.64s\"", arguments.words[1]);
                return 1;
        }
        r = state_look(command, arguments.words[0], &state, err);
        if (r == 0)
                r = all ? kill_all(&state, number, err) : kill_first(&state, number, err);
        return r < 0 ? 1 : 0;
}
