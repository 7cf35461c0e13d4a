/* SPDX-License-Identifier: Apache-2.0 */
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "console-socket.h"
#include "home.h"
#include "launch-plan.h"
#include "launch-record.h"
#include "plan-internal.h"
#include "preserved-fds.h"
#include "systemd-scope.h"

int launch_arguments(struct launch *launch, const struct command *command, const char *verb, int argc, char **argv, struct berth_error *err) {
        bool run = strcmp(verb, "run") == 0, no_subreaper = false;
        const struct option options[] = {
                {"bundle", 'b', OPTION_TEXT, &launch->bundle, "the bundle (.)", "DIRECTORY"},
                {"config", 'f', OPTION_TEXT, &launch->config, "another name for the bundle's config.json", "FILE"},
                {"console-socket", 0, OPTION_TEXT, &launch->console_socket, "who gets the master of the terminal", "SOCKET"},
                {"pid-file", 0, OPTION_TEXT, &launch->pid_file, "where the pid is written", "FILE"},
                {"no-pivot", 0, OPTION_FLAG, &launch->no_pivot, "move the root instead of pivot_root, for an initial ramdisk", NULL},
                {"no-new-keyring", 0, OPTION_FLAG, &launch->no_new_keyring, "keep the caller's session keyring", NULL},
                {"preserve-fds", 0, OPTION_NUMBER, &launch->preserve_fds, "how many descriptors from 3 on the container gets", "N"},
                {"no-subreaper", 0, OPTION_FLAG, &no_subreaper, "orphans go to the host's init, as they always do", NULL},
                {"detach", 'd', OPTION_FLAG, &launch->detach, "leave the container running", NULL},
                {"keep", 0, OPTION_FLAG, &launch->keep, "keep the state when the container has ended", NULL},
        };
        const struct syntax syntax = {
                .verb = verb, .arguments = "ID", .options = options, .n = sizeof options / sizeof *options - (run ? 0 : 2), .min = 1, .max = 1};
        struct arguments arguments;

        int r = options_parse(&syntax, argc, argv, &arguments, err);
        if (r != 0)
                return r;
        launch->command = command;
        launch->id = arguments.words[0];
        launch->detach = launch->detach || !run;
        return 0;
}

static int launch_check_terminal(const struct launch *launch, struct berth_error *err) {
        bool terminal = json_is_true(json_object_get(json_object_get(launch->document, "process"), "terminal"));

        if (terminal && launch->detach && !launch->console_socket)
                return berth_error_set(err, EINVAL, "process.terminal needs a console socket (--console-socket) when the container is detached");
        if (launch->console_socket && (!terminal || !launch->detach))
                return berth_error_set(err, EINVAL, "--console-socket needs process.terminal and a detached container");
        return 0;
}

/* The path is kept when it is one of the bundle; `config.json` is written to the state as it stands there. */
static int launch_read(struct launch *launch, struct berth_error *err) {
        struct config_text text = {0};

        if (!realpath(launch->bundle, launch->path))
                return berth_error_set(err, errno, "bundle '%s'", launch->bundle);
        _cleanup_close_ int bundle = open(launch->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (bundle < 0)
                return berth_error_set(err, errno, "bundle '%s'", launch->bundle);
        int r = config_file_read(bundle, launch->config, &text, &launch->document, err);
        _cleanup_free_ char *owned = text.text;
        if (r < 0)
                return berth_error_prefix(err, "bundle '%s'", launch->path);
        r = launch_check_terminal(launch, err);
        if (r == 0)
                r = state_directory_make(launch->command, launch->id, &launch->directory, err);
        if (r == 0)
                r = state_directory_write(launch->directory, "config.json", text.text, text.size, err);
        return r;
}

/* What is said on the command line and not in config.json. */
static int launch_amend(struct launch *launch, struct berth_error *err) {
        struct plan *plan = launch->plan;
        bool systemd = launch->command->systemd_cgroup;

        if (!plan->container.cgroup_path) {
                (void) snprintf(launch->cgroup, sizeof launch->cgroup, systemd ? LAUNCH_SCOPE_PREFIX "%s" : LAUNCH_CGROUP_PREFIX "%s", launch->id);
                plan->container.cgroup_path = launch->cgroup;
        }
        if (systemd_scope_named(plan->container.cgroup_path) != systemd)
                return berth_error_set(err, EINVAL, "linux.cgroupsPath: '%s' is %s", plan->container.cgroup_path,
                                       systemd ? "not slice:prefix:name, which --systemd-cgroup needs" : "systemd's; it needs --systemd-cgroup");
        plan->container.no_pivot = launch->no_pivot;
        plan->process.no_new_keyring = launch->no_new_keyring;
        plan->process.n_preserved = (uint32_t) launch->preserve_fds;
        return 0;
}

static int launch_home(struct launch *launch, struct berth_error *err) {
        const char *root = json_string_value(json_object_get(json_object_get(launch->document, "root"), "path"));
        json_t *process = json_object_get(launch->document, "process");
        _cleanup_close_ int bundle = -1, fd = -1;

        if (!home_is_missing(process))
                return 0;
        bundle = open(launch->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (bundle >= 0)
                fd = openat(bundle, root ? root : "rootfs", O_PATH | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? 0 : home_add(process, fd, err); /* a root that is not there is refused with its step */
}

static int launch_make(struct launch *launch, struct berth_error *err) {
        const struct process_io io = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};

        int r = preserved_fds_announce(launch->document, &launch->preserve_fds, err);
        if (r == 0)
                r = launch_home(launch, err);
        if (r == 0)
                r = launch_plan(launch->command, launch->id, launch->path, launch->document, &launch->plan, err);
        if (r < 0)
                return r;
        r = launch_amend(launch, err);
        if (r == 0 && launch->detach)
                r = state_directory_listen(launch->directory, &launch->container.starter, err);
        if (r == 0)
                r = container_create(&launch->container, launch->plan, &io, err);
        if (r < 0)
                return r;
        if (launch->console_socket)
                r = console_socket_send(launch->console_socket, launch->container.init.console, err);
        if (r == 0)
                r = launch_record(launch, err);
        if (r < 0)
                (void) container_release(&launch->container, NULL);
        return r;
}

int launch_create(struct launch *launch, struct berth_error *err) {
        int r = launch_read(launch, err);

        if (r == 0)
                r = launch_make(launch, err);
        if (r < 0 && launch->directory >= 0)
                (void) state_directory_remove(launch->command, launch->id, launch->directory, NULL);
        if (r == 0)
                state_directory_unlock(launch->directory);
        return r;
}

void launch_undo(struct launch *launch) {
        (void) container_release(&launch->container, NULL);
        (void) state_directory_remove(launch->command, launch->id, launch->directory, NULL);
}

void launch_close(struct launch *launch) {
        cleanup_close(&launch->container.starter);
        container_forget(&launch->container);
        plan_close(launch->plan);
        json_decref(launch->document);
        cleanup_close(&launch->directory);
        *launch = LAUNCH_NONE;
}
