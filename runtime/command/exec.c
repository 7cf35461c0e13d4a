/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "console-socket.h"
#include "exec-process.h"
#include "foreground.h"
#include "home.h"
#include "launch-plan.h"
#include "launch-record.h"
#include "plan-internal.h"
#include "preserved-fds.h"
#include "process.h"
#include "state-file.h"

#define EXEC_FAILED 255 /* as runc, whose callers tell a failure from the process's own exit code by it */

struct exec {
        const struct command *command;
        struct exec_request request;
        const char *id, *pid_file, *console_socket, *cgroup;
        bool detach, ignore_paused;
        int64_t preserve_fds;

        struct state state;
        json_t *process;
        struct plan *plan;
        struct plan *whole; /* of the container, when an agent is told of it; else NULL */
        struct container container;
        struct process running;
};

static int exec_check_terminal(const struct exec *exec, struct berth_error *err) {
        bool terminal = json_is_true(json_object_get(exec->process, "terminal"));

        if (terminal && exec->detach && !exec->console_socket)
                return berth_error_set(err, EINVAL, "exec: a terminal needs a console socket (--console-socket) when the process is detached");
        if (exec->console_socket && !terminal)
                return berth_error_set(err, EINVAL, "exec: --console-socket needs a terminal (--tty, or the process's)");
        return 0;
}

static int exec_check_status(struct exec *exec, struct berth_error *err) {
        enum state_status status;

        int r = state_status(&exec->state, &exec->container.layout, &status, err);
        if (r < 0)
                return r;
        if (status == STATE_STOPPED)
                return berth_error_set(err, EINVAL, "cannot exec in a stopped container: '%s'", exec->id);
        if (status == STATE_PAUSED && !exec->ignore_paused)
                return berth_error_set(err, EINVAL, "cannot exec in a paused container (use --ignore-paused to override): '%s'", exec->id);
        return 0;
}

/* The container as its keeper would know it. */
static int exec_find(struct exec *exec, struct berth_error *err) {
        struct container *container = &exec->container;
        char path[64];

        container->init.pid = exec->state.pid;
        if (state_open_process(&exec->state, &container->init.pidfd) < 0)
                return berth_error_set(err, EINVAL, "cannot exec in a stopped container: '%s'", exec->id);
        (void) snprintf(path, sizeof path, "/proc/%d/root", (int) exec->state.pid);
        container->rootfs = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (container->rootfs < 0)
                return berth_error_set(err, errno, "open the root of container '%s'", exec->id);
        container->has_cgroup = exec->state.cgroup != NULL;
        if (container->has_cgroup)
                return state_cgroup(&exec->state, &container->layout, &container->cgroup, err);
        return 0;
}

static int exec_read(struct exec *exec, struct berth_error *err) {
        _cleanup_close_ int directory = -1;
        json_t *config = NULL;

        int r = state_directory_open(exec->command, exec->id, &directory, err);
        if (r == 0)
                r = state_read(directory, exec->id, &exec->state, err);
        if (r == 0)
                r = exec_check_status(exec, err);
        if (r == 0)
                r = exec_find(exec, err);
        if (r == 0)
                r = state_directory_read(directory, "config.json", &config, err);
        if (r == 0)
                r = exec_process_make(&exec->request, config, &exec->process, err);
        if (r == 0)
                r = home_add(exec->process, exec->container.rootfs, err);
        if (r == 0)
                r = exec_check_terminal(exec, err);
        if (r == 0)
                r = preserved_fds_check(exec->preserve_fds, err);
        if (r == 0)
                r = launch_plan_exec(exec->process, &exec->plan, err);
        if (r == 0 && exec->plan->process.seccomp_listener)
                r = launch_plan(exec->command, exec->id, exec->state.bundle, config, &exec->whole, err);
        exec->container.plan = exec->whole;
        json_decref(config);
        if (r == 0)
                exec->plan->process.n_preserved = (uint32_t) exec->preserve_fds;
        return r;
}

static int exec_start(struct exec *exec, struct berth_error *err) {
        const struct process_io io = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
        const struct exec_options options = {.cgroup = exec->cgroup, .detached = exec->detach};

        int r = container_exec(&exec->container, exec->plan, &options, &io, &exec->running, err);
        if (r < 0)
                return r;
        if (exec->console_socket)
                r = console_socket_send(exec->console_socket, exec->running.console, err);
        if (r == 0 && exec->pid_file)
                r = launch_record_pid(exec->pid_file, exec->running.pid, err);
        if (r == 0)
                return process_start(&exec->running, err);
        (void) process_abandon(&exec->running, NULL);
        return r;
}

static int exec_run(struct exec *exec, struct berth_error *err) {
        _cleanup_close_ int signals = -1;
        int status = 0;

        int r = exec_read(exec, err);
        if (r == 0 && !exec->detach)
                r = foreground_prepare(&signals, err);
        if (r == 0)
                r = exec_start(exec, err);
        if (r == 0 && exec->console_socket) {
                (void) close(exec->running.console);
                exec->running.console = -1;
        }
        if (r == 0 && !exec->detach)
                r = foreground_wait(&exec->running, signals, &status, err);
        return r < 0 ? r : status;
}

/* runc also knows "CONTROLLER:PATH"; the same path in every hierarchy is what there is here. */
static int exec_check_cgroup(const struct exec *exec, struct berth_error *err) {
        const char *colon = exec->cgroup ? strchr(exec->cgroup, ':') : NULL;

        if (colon && !memchr(exec->cgroup, '/', (size_t) (colon - exec->cgroup)))
                return berth_error_set(err, EINVAL, "exec: --cgroup '%.128s': a path for one controller is not supported", exec->cgroup);
        return 0;
}

static int exec_arguments(struct exec *exec, int argc, char **argv, struct berth_error *err) {
        struct exec_request *request = &exec->request;
        const struct option options[] = {
                {"process", 'p', OPTION_TEXT, &request->process, "the whole process object", "FILE"},
                {"tty", 't', OPTION_FLAG, &request->terminal, "with a terminal", NULL},
                {"user", 'u', OPTION_TEXT, &request->user, "as this user", "UID[:GID]"},
                {"additional-gids", 'g', OPTION_LIST, &request->groups, "with this group too; may be repeated", "GID"},
                {"cwd", 0, OPTION_TEXT, &request->cwd, "in this directory", "PATH"},
                {"env", 'e', OPTION_LIST, &request->env, "with this variable too; may be repeated", "NAME=VALUE"},
                {"cap", 'c', OPTION_LIST, &request->capabilities, "with this capability too; may be repeated", "NAME"},
                {"no-new-privs", 0, OPTION_FLAG, &request->no_new_privileges, "programs give no further privileges", NULL},
                {"apparmor", 0, OPTION_TEXT, &request->apparmor, "under this AppArmor profile", "PROFILE"},
                {"process-label", 0, OPTION_TEXT, &request->label, "with this SELinux label", "LABEL"},
                {"pid-file", 0, OPTION_TEXT, &exec->pid_file, "where the pid is written", "FILE"},
                {"console-socket", 0, OPTION_TEXT, &exec->console_socket, "who gets the master of the terminal", "SOCKET"},
                {"detach", 'd', OPTION_FLAG, &exec->detach, "leave the process running", NULL},
                {"cgroup", 0, OPTION_TEXT, &exec->cgroup, "in a group below the container's, which exists", "PATH"},
                {"preserve-fds", 0, OPTION_NUMBER, &exec->preserve_fds, "how many descriptors from 3 on the process gets", "N"},
                {"ignore-paused", 0, OPTION_FLAG, &exec->ignore_paused, "also in a paused container", NULL},
        };
        const struct syntax syntax = {.verb = "exec",
                                      .arguments = "ID PROGRAM [ARGUMENT]...",
                                      .options = options,
                                      .n = sizeof options / sizeof *options,
                                      .in_order = true,
                                      .min = 1,
                                      .max = -1};
        struct arguments arguments;

        int r = options_parse(&syntax, argc, argv, &arguments, err);
        if (r != 0)
                return r;
        exec->id = arguments.words[0];
        request->arguments = arguments.words + 1;
        return exec_check_cgroup(exec, err);
}

static void exec_close(struct exec *exec) {
        option_list_free(&exec->request.env);
        option_list_free(&exec->request.capabilities);
        option_list_free(&exec->request.groups);
        process_close(&exec->running);
        container_forget(&exec->container);
        plan_close(exec->plan);
        plan_close(exec->whole);
        json_decref(exec->process);
        state_close(&exec->state);
}

int command_exec(const struct command *command, int argc, char **argv, struct berth_error *err) {
        struct exec exec = {.command = command, .container = CONTAINER_NONE, .running = PROCESS_NONE};
        int r = exec_arguments(&exec, argc, argv, err);

        if (r == 0)
                r = exec_run(&exec, err);
        else if (r > 0)
                r = 0;
        exec_close(&exec);
        return r < 0 ? EXEC_FAILED : r;
}
