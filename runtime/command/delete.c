/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "kept-plan.h"
#include "launch.h"
#include "log.h"
#include "state-file.h"
#include "sys.h"
#include "systemd-scope.h"

#define DELETE_WAIT_MS 10000

static int delete_check(const struct state *state, struct berth_error *err) {
        struct cgroup_layout layout = {0};
        enum state_status status;

        int r = state_status(state, &layout, &status, err);
        if (r < 0 || status == STATE_STOPPED || status == STATE_CREATED)
                return r;
        return berth_error_set(err, EINVAL, "cannot delete container '%s' that is not stopped: %s (kill it first, or delete --force)", state->id,
                               state_status_word(status));
}

static int delete_process(const struct state *state, struct berth_error *err) {
        _cleanup_close_ int pidfd = -1;

        int r = state_open_process(state, &pidfd);
        if (r == -ESRCH)
                return 0;
        if (r < 0)
                return berth_error_set(err, -r, "look at process %d of container '%s'", (int) state->pid, state->id);
        (void) sys_pidfd_send_signal(pidfd, SIGKILL);
        r = state_thaw_killed(state, err);
        if (r < 0)
                return r;
        struct pollfd ended = {.fd = pidfd, .events = POLLIN};
        return poll(&ended, 1, DELETE_WAIT_MS) == 1 ? 0 : berth_error_set(err, ETIMEDOUT, "container '%s' does not end", state->id);
}

/* Everything in the group is killed first, frozen or not. */
static int delete_cgroup(const char *path, struct berth_error *err) {
        struct cgroup_layout layout = {0};
        struct cgroup cgroup = {0};

        if (!path)
                return 0;
        (void) snprintf(cgroup.path, sizeof cgroup.path, "%s", path);
        int r = cgroup_detect(&layout, err);
        if (r == 0)
                r = cgroup_signal_all(&layout, &cgroup, SIGKILL, err);
        if (r == -ENOENT) {
                *err = (struct berth_error){0};
                r = 0;
        }
        return r == 0 ? cgroup_remove(&layout, &cgroup, err) : r;
}

/* What a killed creation left, or a state that nobody can read: the group is the one that the creation was to make. */
static int delete_debris(const char *id, int directory, struct berth_error *err) {
        char fallback[CGROUP_PATH_MAX], scope[CGROUP_PATH_MAX];
        json_t *config = NULL;

        (void) snprintf(fallback, sizeof fallback, LAUNCH_CGROUP_PREFIX "%s", id);
        (void) state_directory_read(directory, "config.json", &config, NULL);
        const char *path = json_string_value(json_object_get(json_object_get(config, "linux"), "cgroupsPath"));
        if (path && systemd_scope_named(path) && systemd_scope_path(path, scope, NULL) == 0)
                path = scope;
        int r = delete_cgroup(path && cgroup_path_check(path, NULL) == 0 ? path : fallback, err);
        json_decref(config);
        return r;
}

/* Of a container that was never started; held, it keeps the links in it alive. *ret_netns is -1 where there is nothing to return. */
static int delete_hold_links(const struct state *state, int *ret_netns, struct berth_error *err) {
        _cleanup_close_ int pidfd = -1, netns = -1;
        char path[64];

        if (!state->waiting || !state->took_links)
                return 0;
        int r = state_open_process(state, &pidfd);
        if (r < 0)
                return r == -ESRCH ? 0 : berth_error_set(err, -r, "look at process %d of container '%s'", (int) state->pid, state->id);
        (void) snprintf(path, sizeof path, "/proc/%d/ns/net", (int) state->pid);
        netns = open(path, O_RDONLY | O_CLOEXEC);
        if (netns >= 0 && sys_pidfd_send_signal(pidfd, 0) == 0)
                return give_fd(ret_netns, &netns);
        /* Killed, and on its way out: it has left its namespaces, and the links have gone with them. */
        if (errno == ENOENT || errno == ESRCH)
                return 0;
        return berth_error_set(err, errno, "open the network namespace of container '%s'", state->id);
}

static int delete_container(const struct command *command, int directory, const struct state *state, struct berth_error *err) {
        struct berth_error hook = {0}, links = {0};
        _cleanup_close_ int netns = -1;

        int r = delete_hold_links(state, &netns, err);
        if (r == 0)
                r = delete_process(state, err);
        if (r == 0 && netns >= 0 && kept_plan_return_links(command, directory, state, netns, &links) < 0)
                log_warning(command, links.text);
        if (r == 0)
                r = delete_cgroup(state->cgroup, err);
        if (r == 0 && state->hooked && kept_plan_hooks(command, directory, state, PLAN_HOOK_POSTSTOP, "stopped", 0, &hook) < 0)
                log_warning(command, hook.text);
        return r;
}

int command_delete(const struct command *command, int argc, char **argv, struct berth_error *err) {
        bool force = false;
        const struct option options[] = {{"force", 'f', OPTION_FLAG, &force, "kill the container first, and be content when there is none", NULL}};
        const struct syntax syntax = {.verb = "delete", .arguments = "ID", .options = options, .n = 1, .min = 1, .max = 1};
        _cleanup_state_ struct state state = {0};
        _cleanup_close_ int directory = -1;
        struct arguments arguments;

        int r = options_parse(&syntax, argc, argv, &arguments, err);
        if (r != 0)
                return command_parsed(r);
        const char *id = arguments.words[0];
        r = state_directory_open_locked(command, id, &directory, err);
        if (r == -ENOENT && force) {
                *err = (struct berth_error){0};
                return 0;
        }
        if (r < 0)
                return 1;
        r = state_read(directory, id, &state, err);
        if (r < 0 && force) {
                *err = (struct berth_error){0};
                r = delete_debris(id, directory, err);
        } else if (r == 0) {
                r = force ? 0 : delete_check(&state, err);
                if (r == 0)
                        r = delete_container(command, directory, &state, err);
        }
        if (r == 0)
                r = state_directory_remove(command, id, directory, err);
        return r < 0 ? 1 : 0;
}
