/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "cleanup.h"
#include "command.h"
#include "process-identity.h"
#include "sys.h"

static const struct {
        const char *name;
        int number;
} kill_names[] = {
        {"HUP", SIGHUP},   {"INT", SIGINT},   {"QUIT", SIGQUIT},   {"ABRT", SIGABRT}, {"KILL", SIGKILL}, {"USR1", SIGUSR1},
        {"USR2", SIGUSR2}, {"PIPE", SIGPIPE}, {"ALRM", SIGALRM},   {"TERM", SIGTERM}, {"CHLD", SIGCHLD}, {"CONT", SIGCONT},
        {"STOP", SIGSTOP}, {"TSTP", SIGTSTP}, {"WINCH", SIGWINCH}, {"IO", SIGIO},
};

/* "9", "KILL" or "SIGKILL"; 0 when it is none. */
static int kill_signal(const char *word) {
        char *end;
        long number = strtol(word, &end, 10);

        if (*word && *end == '\0')
                return number > 0 && number < NSIG ? (int) number : 0;
        if (strncmp(word, "SIG", 3) == 0)
                word += 3;
        for (size_t i = 0; i < sizeof kill_names / sizeof *kill_names; i++)
                if (strcmp(kill_names[i].name, word) == 0)
                        return kill_names[i].number;
        return 0;
}

static int kill_all(const struct state *state, int number, struct berth_error *err) {
        struct cgroup_layout layout;
        struct cgroup cgroup = {0};

        if (*state->cgroup == '\0')
                return berth_error_set(err, EINVAL, "container '%s' has no cgroup that knows its processes", state->id);
        (void) strncpy(cgroup.path, state->cgroup, sizeof cgroup.path - 1);
        int r = cgroup_detect(&layout, err);
        return r < 0 ? r : cgroup_signal_all(&layout, &cgroup, number, err);
}

int command_kill(const struct command *command, int argc, char **argv, struct berth_error *err) {
        _cleanup_close_ int pidfd = -1;
        struct state state;
        int number = SIGTERM;
        bool all = argc > 1 && (strcmp(argv[1], "--all") == 0 || strcmp(argv[1], "-a") == 0);

        argc -= all;
        argv += all;
        if (argc != 2 && argc != 3)
                return command_usage(err, "kill [--all] ID [SIGNAL]");
        if (argc == 3 && (number = kill_signal(argv[2])) == 0) {
                (void) berth_error_set(err, EINVAL, "unknown signal '%s'", argv[2]);
                return 1;
        }
        if (state_read(command, argv[1], &state, err) < 0)
                return 1;
        if (all)
                return kill_all(&state, number, err) < 0 ? 1 : 0;
        if (process_open_exact(state.pid, state.start_time, &pidfd, NULL) < 0 || sys_pidfd_send_signal(pidfd, number) < 0) {
                (void) berth_error_set(err, ESRCH, "container '%s' is not running", argv[1]);
                return 1;
        }
        return 0;
}
