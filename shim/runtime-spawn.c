/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime-spawn.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "cleanup.h"
#include "runtime-log.h"
#include "sys.h"

#define RUNTIME_TIMEOUT_MS 20000
#define RUNTIME_LOG_MAX 8192 /* of its end */

int runtime_command_open(struct runtime_command *command, const struct keeper_plan *keeper, const char *verb, struct berth_error *err) {
        *command = (struct runtime_command){.verb = verb, .log = memfd_create("runtime-log", MFD_CLOEXEC)};
        if (command->log < 0)
                return berth_error_set(err, errno, "make a memory file for the log of runtime '%s'", keeper->runtime);
        if (keeper->n_runtime_options > RUNTIME_ARGUMENTS_MAX / 2)
                return berth_error_set(err, E2BIG, "runtime '%s' is given more than %d options", keeper->runtime, RUNTIME_ARGUMENTS_MAX / 2);
        (void) snprintf(command->log_path, sizeof(command->log_path), "/proc/%d/fd/%d", (int) getpid(), command->log);
        runtime_command_add(command, keeper->runtime);
        for (uint32_t i = 0; i < keeper->n_runtime_options; i++)
                runtime_command_add(command, keeper->runtime_options[i]);
        const char *const own[] = {"--root", keeper->runtime_root, "--log", command->log_path, "--log-format", "json", verb};
        for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
                runtime_command_add(command, own[i]);
        return 0;
}

void runtime_command_add(struct runtime_command *command, const char *argument) {
        if (command->n + 1 < RUNTIME_ARGUMENTS_MAX)
                command->argv[command->n++] = argument;
}

void runtime_command_close(struct runtime_command *command) {
        cleanup_close(&command->log);
        command->log = -1;
}

static int runtime_actions(posix_spawn_file_actions_t *actions, const struct process_io *io) {
        const int from[] = {io ? io->in : -1, io ? io->out : -1, io ? io->err : -1};
        int r = 0;
        for (int fd = 0; r == 0 && fd < 3; fd++)
                r = from[fd] < 0 ? posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_RDWR, 0)
                                 : posix_spawn_file_actions_adddup2(actions, from[fd], fd);
        return r;
}

static int runtime_attributes(posix_spawnattr_t *attributes) {
        sigset_t none;
        sigemptyset(&none);
        int r = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
        return r == 0 ? posix_spawnattr_setsigmask(attributes, &none) : r;
}

static int runtime_spawn(const struct runtime_command *command, const struct process_io *io, pid_t *ret_pid) {
        static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        char *environment[] = {path, NULL};
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;

        int r = posix_spawn_file_actions_init(&actions);
        if (r != 0)
                return r;
        r = posix_spawnattr_init(&attributes);
        if (r == 0)
                r = runtime_actions(&actions, io);
        if (r == 0)
                r = runtime_attributes(&attributes);
        if (r == 0)
                r = posix_spawn(ret_pid, command->argv[0], &actions, &attributes, (char *const *) (uintptr_t) command->argv, environment);
        (void) posix_spawn_file_actions_destroy(&actions);
        return r;
}

static int64_t runtime_now(void) {
        struct timespec now;
        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Signals interrupt poll(2), though they do nothing to us. */
static bool runtime_ends_in_time(int pidfd) {
        int64_t deadline = runtime_now() + RUNTIME_TIMEOUT_MS;
        for (;;) {
                struct pollfd ended = {.fd = pidfd, .events = POLLIN};
                int64_t left = deadline - runtime_now();
                int n = left <= 0 ? 0 : poll(&ended, 1, (int) left);
                if (n >= 0 || errno != EINTR)
                        return n > 0;
        }
}

static int runtime_complain(const struct runtime_command *command, int status, struct berth_error *err) {
        char log[RUNTIME_LOG_MAX], message[400];
        off_t end = lseek(command->log, 0, SEEK_END);
        ssize_t n = pread(command->log, log, sizeof(log), end > (off_t) sizeof(log) ? end - (off_t) sizeof(log) : 0);
        runtime_log_last_error(log, n > 0 ? (size_t) n : 0, message, sizeof(message));
        if (message[0])
                return berth_error_set(err, EIO, "runtime '%s': %s", command->argv[0], message);
        return berth_error_set(err, EIO, "runtime '%s': %s ended with %s %d", command->argv[0], command->verb,
                               WIFSIGNALED(status) ? "signal" : "code", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

int runtime_command_run(struct runtime_command *command, const struct process_io *io, struct berth_error *err) {
        pid_t pid = 0;
        int status = 0;
        int r = runtime_spawn(command, io, &pid);
        if (r != 0)
                return berth_error_set(err, r, "runtime '%s': %s", command->argv[0], strerror(r));
        _cleanup_close_ int pidfd = sys_pidfd_open(pid);
        bool ended = pidfd >= 0 && runtime_ends_in_time(pidfd);
        if (!ended)
                (void) kill(-pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                continue;
        if (!ended)
                return berth_error_set(err, ETIMEDOUT, "runtime '%s': %s did not end within %d s", command->argv[0], command->verb,
                                       RUNTIME_TIMEOUT_MS / 1000);
        return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : runtime_complain(command, status, err);
}
