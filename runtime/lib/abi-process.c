/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "../include/berth.h"
#include "cleanup.h"
#include "process-identity.h"
#include "sealed-executable.h"
#include "sys.h"

int berth_executable_open(const char *path, int *ret_fd, struct berth_error *err) {
        _cleanup_close_ int from = open(path, O_RDONLY | O_CLOEXEC);

        if (from < 0)
                return berth_error_set(err, errno, "open executable '%s'", path);
        return sealed_executable_make(from, ret_fd, err);
}

static int spawn_file_actions(posix_spawn_file_actions_t *actions, int control, int log_fd) {
        int r = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDWR, 0);

        if (r == 0)
                r = posix_spawn_file_actions_adddup2(actions, 0, 1);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(actions, log_fd >= 0 ? log_fd : 0, 2);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(actions, control, 3);
        if (r == 0)
                r = posix_spawn_file_actions_addclosefrom_np(actions, 4);
        return r;
}

static int spawn_attributes(posix_spawnattr_t *attributes) {
        sigset_t none, all;

        (void) sigemptyset(&none);
        (void) sigfillset(&all);
        int r = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        if (r == 0)
                r = posix_spawnattr_setsigmask(attributes, &none);
        if (r == 0)
                r = posix_spawnattr_setsigdefault(attributes, &all);
        return r;
}

int berth_shim_spawn(int executable, int control, int log_fd, const char *const *argv, int *ret_pid, struct berth_error *err) {
        char *const environment[] = {NULL};
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        char path[64];
        pid_t pid;

        /* Through our own entry: by the time of execve the child has closed its copy of the descriptor. */
        (void) snprintf(path, sizeof path, "/proc/%d/fd/%d", (int) getpid(), executable);

        int r = posix_spawn_file_actions_init(&actions);
        if (r != 0)
                return berth_error_set(err, r, "prepare a shim");
        r = posix_spawnattr_init(&attributes);
        if (r == 0) {
                r = spawn_file_actions(&actions, control, log_fd);
                if (r == 0)
                        r = spawn_attributes(&attributes);
                if (r == 0)
                        r = posix_spawn(&pid, path, &actions, &attributes, (char *const *) (uintptr_t) argv, environment);
                (void) posix_spawnattr_destroy(&attributes);
        }
        (void) posix_spawn_file_actions_destroy(&actions);
        if (r != 0)
                return berth_error_set(err, r, "start a shim");
        *ret_pid = pid;
        return 0;
}

int berth_reap(int pid, int *ret_status, struct berth_error *err) {
        int status = 0;
        pid_t r = waitpid(pid, &status, WNOHANG);

        if (r < 0)
                return berth_error_set(err, errno, "wait for process %d", pid);
        if (r == 0)
                return 0;
        *ret_status = status;
        return 1;
}

int berth_fetch_fd(int pid, uint64_t start_time, int remote_fd, int *ret_fd, struct berth_error *err) {
        _cleanup_close_ int pidfd = -1, fd = -1;
        int r = process_open_exact(pid, start_time, &pidfd, err);

        if (r < 0)
                return r;
        fd = sys_pidfd_getfd(pidfd, remote_fd);
        if (fd < 0)
                return berth_error_set(err, errno, "copy descriptor %d of process %d", remote_fd, pid);
        return give_fd(ret_fd, &fd);
}

int berth_signal(int pid, uint64_t start_time, int signal, struct berth_error *err) {
        _cleanup_close_ int pidfd = -1;
        int r = process_open_exact(pid, start_time, &pidfd, err);

        if (r < 0)
                return r;
        return sys_pidfd_send_signal(pidfd, signal) < 0 ? berth_error_set(err, errno, "send signal %d to process %d", signal, pid) : 0;
}

int berth_lock_test(const char *path, int *ret_pid, struct berth_error *err) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

        if (fd < 0)
                return berth_error_set(err, errno, "open lock '%s'", path);
        if (fcntl(fd, F_GETLK, &lock) < 0)
                return berth_error_set(err, errno, "test lock '%s'", path);
        if (lock.l_type == F_UNLCK)
                return 0;
        *ret_pid = lock.l_pid;
        return 1;
}

int berth_lock_take(const char *path, int *ret_fd, struct berth_error *err) {
        _cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

        if (fd < 0)
                return berth_error_set(err, errno, "open lock '%s'", path);
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return berth_error_set(err, errno, "take lock '%s'", path);
        return give_fd(ret_fd, &fd);
}
