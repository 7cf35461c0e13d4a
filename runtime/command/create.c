/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cleanup.h"
#include "command.h"
#include "fd.h"
#include "launch.h"

#define CREATE_USAGE "create --bundle DIRECTORY [--pid-file FILE] [--console-socket SOCKET] ID"

/* The caller keeps the terminal: it gets the pty's master over its own socket (runc's convention, which every caller follows). */
static int create_send_console(const struct launch *launch, struct berth_error *err) {
        static const char name[] = "console";
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int console = launch->container.init.console;

        if (console < 0)
                return 0;
        if (strlen(launch->console_socket) >= sizeof address.sun_path)
                return berth_error_set(err, ENAMETOOLONG, "console socket '%s'", launch->console_socket);
        (void) strcpy(address.sun_path, launch->console_socket);
        _cleanup_close_ int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (sock < 0 || connect(sock, (struct sockaddr *) &address, sizeof address) < 0)
                return berth_error_set(err, errno, "connect to console socket '%s': %s", launch->console_socket, strerror(errno));
        ssize_t n = fd_send(sock, name, sizeof name - 1, &console, 1, 0);
        return n < 0 ? berth_error_set(err, (int) -n, "send the terminal to '%s'", launch->console_socket) : 0;
}

static int create_container(struct launch *launch, struct berth_error *err) {
        const struct process_io io = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
        struct plan *plan = NULL;

        int r = launch_plan(launch, &plan, err);
        if (r == 0 && plan_terminal(plan) != (launch->console_socket != NULL))
                r = berth_error_set(err, EINVAL, "process.terminal and --console-socket go together");
        if (r == 0)
                r = state_listen(launch->directory, &launch->container.starter, err);
        if (r == 0)
                r = container_create(&launch->container, plan, &io, err);
        if (r == 0) {
                r = create_send_console(launch, err);
                if (r == 0)
                        r = launch_record(launch, plan, err);
                if (r < 0)
                        (void) container_release(&launch->container, NULL);
        }
        cleanup_close(&launch->container.starter);
        container_forget(&launch->container);
        plan_close(plan);
        return r;
}

int command_create(const struct command *command, int argc, char **argv, struct berth_error *err) {
        struct launch launch = LAUNCH_NONE;

        if (launch_arguments(&launch, command, argc, argv, true) < 0)
                return command_usage(err, CREATE_USAGE);
        int r = launch_open(&launch, err);
        if (r == 0) {
                r = create_container(&launch, err);
                if (r < 0)
                        (void) state_remove(command, launch.id, NULL);
        }
        launch_close(&launch);
        return r < 0 ? 1 : 0;
}
