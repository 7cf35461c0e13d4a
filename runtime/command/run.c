/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>

#include "cleanup.h"
#include "fd.h"
#include "launch.h"
#include "sys.h"

#define RUN_USAGE "run [--bundle DIRECTORY] [--pid-file FILE] ID"

struct run {
        struct launch launch;
        struct termios saved; /* of our own terminal, while it is raw */
        bool raw;
};

static void run_resize(const struct run *run) {
        struct winsize size;
        if (run->launch.container.init.console >= 0 && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
                (void) ioctl(run->launch.container.init.console, TIOCSWINSZ, &size);
}

static void run_make_raw(struct run *run) {
        struct termios raw;

        if (run->launch.container.init.console < 0 || tcgetattr(STDIN_FILENO, &run->saved) < 0)
                return;
        raw = run->saved;
        cfmakeraw(&raw);
        run->raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
        run_resize(run);
}

/* Moves what one end has to the other; false when there will be no more. */
static bool run_pump(int from, int to) {
        char bytes[16384];
        ssize_t n = read(from, bytes, sizeof bytes);

        if (n < 0)
                return errno == EINTR || errno == EAGAIN;
        return n > 0 && fd_write_all(to, bytes, (size_t) n) == 0;
}

/* True when init was reaped; its status is in *ret_status. Whatever else ended is reaped too. */
static bool run_reap(const struct run *run, int *ret_status) {
        bool ended = false;
        int status;
        pid_t pid;

        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
                if (pid == run->launch.container.init.pid) {
                        *ret_status = status;
                        ended = true;
                }
        return ended;
}

static int run_wait(struct run *run, int signals, struct berth_error *err) {
        int console = run->launch.container.init.console, status = 0;
        struct pollfd fds[3] = {
                {.fd = signals, .events = POLLIN}, {.fd = console, .events = POLLIN}, {.fd = console >= 0 ? STDIN_FILENO : -1, .events = POLLIN}};
        struct signalfd_siginfo info;

        for (;;) {
                if (poll(fds, 3, -1) < 0 && errno != EINTR)
                        return berth_error_set(err, errno, "wait for the container");
                if (fds[1].revents && !run_pump(console, STDOUT_FILENO))
                        fds[1].fd = -1; /* hung up: looking again would only spin */
                if (fds[2].revents && !run_pump(STDIN_FILENO, console))
                        fds[2].fd = -1;
                if (!(fds[0].revents & POLLIN) || read(signals, &info, sizeof info) != sizeof info)
                        continue;
                if (info.ssi_signo == SIGWINCH)
                        run_resize(run);
                else if (info.ssi_signo != SIGCHLD)
                        (void) sys_pidfd_send_signal(run->launch.container.init.pidfd, (int) info.ssi_signo);
                else if (run_reap(run, &status))
                        break;
        }
        while (fds[1].fd >= 0 && poll(&fds[1], 1, 0) > 0 && run_pump(console, STDOUT_FILENO))
                ;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run_signals(int *ret_fd, struct berth_error *err) {
        static const int forwarded[] = {SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT};
        sigset_t set;

        (void) sigemptyset(&set);
        for (size_t i = 0; i < sizeof forwarded / sizeof *forwarded; i++)
                (void) sigaddset(&set, forwarded[i]);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return berth_error_set(err, errno, "block signals");
        *ret_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        return *ret_fd < 0 ? berth_error_set(err, errno, "watch signals") : 0;
}

static int run_container(struct run *run, struct berth_error *err) {
        const struct process_io io = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
        _cleanup_close_ int signals = -1;
        struct plan *plan = NULL;

        int r = launch_plan(&run->launch, &plan, err);
        if (r == 0)
                r = run_signals(&signals, err);
        if (r == 0)
                r = container_create(&run->launch.container, plan, &io, err);
        if (r == 0)
                r = launch_record(&run->launch, plan, err);
        if (r == 0)
                r = container_start(&run->launch.container, err);
        if (r == 0) {
                run_make_raw(run);
                r = run_wait(run, signals, err);
                if (run->raw)
                        (void) tcsetattr(STDIN_FILENO, TCSANOW, &run->saved);
        }
        int released = container_release(&run->launch.container, r < 0 ? NULL : err);
        plan_close(plan);
        return r < 0 ? r : released < 0 ? released : r;
}

int command_run(const struct command *command, int argc, char **argv, struct berth_error *err) {
        struct run run = {.launch = LAUNCH_NONE};

        if (launch_arguments(&run.launch, command, argc, argv, false) < 0)
                return command_usage(err, RUN_USAGE);
        int r = launch_open(&run.launch, err);
        if (r == 0) {
                r = run_container(&run, err);
                int removed = state_remove(command, run.launch.id, r < 0 ? NULL : err);
                if (r >= 0 && removed < 0)
                        r = removed;
        }
        launch_close(&run.launch);
        return r < 0 ? 1 : r;
}
