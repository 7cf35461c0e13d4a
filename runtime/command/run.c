/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>

#include "cleanup.h"
#include "command.h"
#include "container.h"
#include "fd.h"
#include "plan-compile.h"
#include "process-identity.h"
#include "seccomp-compile.h"
#include "sys.h"

#define RUN_USAGE "run [--bundle DIRECTORY] [--pid-file FILE] ID"

struct run {
        const struct command *command;
        const char *id, *bundle, *pid_file;
        char path[PATH_MAX]; /* of the bundle, absolute */
        json_t *config;
        struct container container;
        struct termios saved; /* of our own terminal, while it is raw */
        bool raw;
};

static int run_arguments(struct run *run, int argc, char **argv) {
        run->bundle = ".";
        for (int i = 1; i < argc; i++) {
                const char **value = NULL;
                if (strcmp(argv[i], "--bundle") == 0 || strcmp(argv[i], "-b") == 0)
                        value = &run->bundle;
                else if (strcmp(argv[i], "--pid-file") == 0)
                        value = &run->pid_file;
                if (value && i + 1 < argc)
                        *value = argv[++i];
                else if (value || argv[i][0] == '-' || run->id)
                        return -EINVAL;
                else
                        run->id = argv[i];
        }
        return run->id ? 0 : -EINVAL;
}

/* config.json names what the daemon would say in the keeper document. */
static json_t *run_keeper(const struct run *run) {
        const char *root = "rootfs", *network = "host";
        char directory[PATH_MAX], path[2 * PATH_MAX];
        json_t *namespace;
        size_t index;

        (void) json_unpack(run->config, "{s:{s:s}}", "root", "path", &root);
        (void) snprintf(directory, sizeof directory, "%s/%s", run->command->root, run->id);
        (void) snprintf(path, sizeof path, "%s%s%s", root[0] == '/' ? "" : run->path, root[0] == '/' ? "" : "/", root);
        json_array_foreach(json_object_get(json_object_get(run->config, "linux"), "namespaces"), index, namespace) {
                const char *type = "", *by_path = "";
                (void) json_unpack(namespace, "{s:s, s?s}", "type", &type, "path", &by_path);
                if (strcmp(type, "network") == 0 && *by_path == '\0')
                        network = "none";
        }
        return json_pack("{s:s, s:s, s:{s:s}, s:{s:s, s:s}, s:{s:s}}", "id", run->id, "directory", directory, "log", "driver", "none", "rootfs",
                         "kind", "directory", "path", path, "network", "kind", network);
}

static int run_default_cgroup(struct run *run) {
        json_t *linux_part = json_object_get(run->config, "linux");
        char path[512];

        if (!json_is_object(linux_part) || json_object_get(linux_part, "cgroupsPath"))
                return 0;
        (void) snprintf(path, sizeof path, "/berth-runtime.%s", run->id);
        return json_object_set_new(linux_part, "cgroupsPath", json_string(path));
}

static int run_plan(struct run *run, struct plan **ret, struct berth_error *err) {
        static unsigned char filter[BPF_MAXINSNS * sizeof(struct sock_filter)];
        struct plan_sources sources = {0};
        json_t *seccomp = json_object_get(json_object_get(run->config, "linux"), "seccomp"), *keeper;
        _cleanup_close_ int fd = -1;

        if (run_default_cgroup(run) < 0)
                return berth_error_set(err, ENOMEM, "memory for config.json");
        if (json_is_object(seccomp)) {
                _cleanup_free_ char *profile = json_dumps(seccomp, JSON_COMPACT);
                if (!profile)
                        return berth_error_set(err, ENOMEM, "memory for the seccomp profile");
                int r = seccomp_compile(profile, strlen(profile), filter, sizeof filter, &sources.filter_size, err);
                if (r < 0)
                        return r;
                sources.filter = filter;
        }
        keeper = run_keeper(run);
        _cleanup_free_ char *keeper_text = keeper ? json_dumps(keeper, JSON_COMPACT) : NULL;
        _cleanup_free_ char *config_text = json_dumps(run->config, JSON_COMPACT);
        json_decref(keeper);
        if (!keeper_text || !config_text)
                return berth_error_set(err, ENOMEM, "memory for the plan");
        sources.config = config_text;
        sources.config_size = strlen(config_text);
        sources.keeper = keeper_text;
        sources.keeper_size = strlen(keeper_text);
        int r = plan_compile(&sources, &fd, err);
        return r < 0 ? r : plan_open(fd, ret, err);
}

static int run_record(struct run *run, int directory, struct plan *plan, struct berth_error *err) {
        const char *cgroup = plan_cgroup_path(plan);
        struct state state = {.pid = run->container.init.pid};
        time_t now = time(NULL);
        struct tm tm;
        char text[16];

        (void) snprintf(state.id, sizeof state.id, "%s", run->id);
        (void) snprintf(state.bundle, sizeof state.bundle, "%s", run->path);
        (void) snprintf(state.cgroup, sizeof state.cgroup, "%s", cgroup ? cgroup : "");
        if (gmtime_r(&now, &tm))
                (void) strftime(state.created, sizeof state.created, "%Y-%m-%dT%H:%M:%SZ", &tm);
        int r = process_start_time(state.pid, &state.start_time, err);
        if (r == 0)
                r = state_write(directory, &state, err);
        if (r < 0 || !run->pid_file)
                return r;

        _cleanup_close_ int fd = open(run->pid_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        int n = snprintf(text, sizeof text, "%d", (int) state.pid);
        if (fd < 0 || fd_write_all(fd, text, (size_t) n) < 0)
                return berth_error_set(err, errno, "write the pid to '%s'", run->pid_file);
        return 0;
}

static void run_resize(const struct run *run) {
        struct winsize size;
        if (run->container.init.console >= 0 && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
                (void) ioctl(run->container.init.console, TIOCSWINSZ, &size);
}

static void run_make_raw(struct run *run) {
        struct termios raw;

        if (run->container.init.console < 0 || tcgetattr(STDIN_FILENO, &run->saved) < 0)
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
                if (pid == run->container.init.pid) {
                        *ret_status = status;
                        ended = true;
                }
        return ended;
}

static int run_wait(struct run *run, int signals, struct berth_error *err) {
        int console = run->container.init.console, status = 0;
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
                        (void) sys_pidfd_send_signal(run->container.init.pidfd, (int) info.ssi_signo);
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

static int run_container(struct run *run, int directory, struct berth_error *err) {
        const struct process_io io = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
        _cleanup_close_ int signals = -1;
        struct plan *plan = NULL;

        int r = run_plan(run, &plan, err);
        if (r == 0)
                r = run_signals(&signals, err);
        if (r == 0)
                r = container_create(&run->container, plan, &io, err);
        if (r == 0)
                r = run_record(run, directory, plan, err);
        if (r == 0)
                r = container_start(&run->container, err);
        if (r == 0) {
                run_make_raw(run);
                r = run_wait(run, signals, err);
                if (run->raw)
                        (void) tcsetattr(STDIN_FILENO, TCSANOW, &run->saved);
        }
        int released = container_release(&run->container, r < 0 ? NULL : err);
        plan_close(plan);
        return r < 0 ? r : released < 0 ? released : r;
}

int command_run(const struct command *command, int argc, char **argv, struct berth_error *err) {
        struct run run = {.command = command, .container = CONTAINER_NONE};
        _cleanup_close_ int directory = -1;

        if (run_arguments(&run, argc, argv) < 0)
                return command_usage(err, RUN_USAGE);
        int r = config_read(run.bundle, run.path, &run.config, err);
        if (r < 0)
                return 1;
        r = state_make(command, run.id, &directory, err);
        if (r == 0) {
                r = run_container(&run, directory, err);
                int removed = state_remove(command, run.id, r < 0 ? NULL : err);
                if (r >= 0 && removed < 0)
                        r = removed;
        }
        json_decref(run.config);
        return r < 0 ? 1 : r;
}
