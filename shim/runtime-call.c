/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime-call.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "container-network.h"
#include "fd.h"
#include "process.h"
#include "rootfs.h"
#include "runtime-spawn.h"
#include "shim.h"
#include "sys.h"

#define RUNTIME_PID_FILE "runtime.pid"
#define RUNTIME_CONSOLE "console.sock"

bool runtime_call_is_used(const struct shim *shim) {
        const struct keeper_plan *keeper = shim->plan ? plan_keeper(shim->plan) : NULL;
        return keeper && keeper->runtime;
}

static int runtime_simple(struct shim *shim, const char *verb, const char *option, struct berth_error *err) {
        const struct keeper_plan *keeper = plan_keeper(shim->plan);
        struct runtime_command command;
        int r = runtime_command_open(&command, keeper, verb, err);
        if (r == 0) {
                if (option)
                        runtime_command_add(&command, option);
                runtime_command_add(&command, keeper->id);
                r = runtime_command_run(&command, NULL, err);
        }
        runtime_command_close(&command);
        return r;
}

/* ---- what the bundle names ---- */

static int runtime_make_mounts_own(struct shim *shim, struct berth_error *err) {
        if (shim->runtime.own_mounts)
                return 0;
        if (unshare(CLONE_NEWNS) < 0)
                return berth_error_set(err, errno, "make a mount namespace for the runtime");
        shim->runtime.own_mounts = true;
        return rootfs_isolate(err);
}

static int runtime_mount_root(struct shim *shim, struct berth_error *err) {
        const struct keeper_plan *keeper = plan_keeper(shim->plan);
        _cleanup_close_ int root = -1;
        if (keeper->rootfs != PLAN_ROOTFS_OVERLAY)
                return 0;
        int r = runtime_make_mounts_own(shim, err);
        if (r == 0)
                r = rootfs_open(shim->plan, -1, &root, err);
        if (r < 0)
                return r;
        if (sys_move_mount(root, "", AT_FDCWD, keeper->rootfs_path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return berth_error_set(err, errno, "mount the root filesystem on '%s'", keeper->rootfs_path);
        shim->runtime.root_mounted = true;
        return 0;
}

static int runtime_bind_netns(struct shim *shim, struct berth_error *err) {
        const struct keeper_plan *keeper = plan_keeper(shim->plan);
        char path[PATH_MAX], source[64];
        if (keeper->network == PLAN_NETWORK_HOST)
                return 0;
        int r = runtime_make_mounts_own(shim, err);
        if (r < 0)
                return r;
        if (snprintf(path, sizeof(path), "%s/netns", keeper->bundle) >= (int) sizeof(path))
                return berth_error_set(err, ENAMETOOLONG, "bundle '%s'", keeper->bundle);
        (void) snprintf(source, sizeof(source), "/proc/self/fd/%d", shim->container.netns);
        if (sys_mount(source, path, NULL, MS_BIND, NULL) < 0)
                return berth_error_set(err, errno, "bind the network namespace to '%s'", path);
        shim->runtime.netns_bound = true;
        return 0;
}

/* Only where the path of the plan is the runtime's too; with systemd's cgroups there is none, and the runtime alone knows them. */
static void runtime_find_cgroup(struct shim *shim) {
        struct container *container = &shim->container;
        const char *path = plan_cgroup_path(shim->plan);
        char directory[CGROUP_PATH_MAX * 2];
        struct stat status;
        if (!path || path[0] != '/' || strlen(path) >= sizeof(container->cgroup.path))
                return;
        for (uint32_t i = 0; i < container->layout.n; i++) {
                (void) snprintf(directory, sizeof(directory), "%s%s", container->layout.hierarchy[i].mount, path);
                if (stat(directory, &status) == 0)
                        container->has_cgroup = true;
        }
        container->cgroup = (struct cgroup){0};
        strcpy(container->cgroup.path, path);
}

/* ---- the process ---- */

static void runtime_clear(const struct shim *shim) {
        (void) unlinkat(shim->record.directory, RUNTIME_PID_FILE, 0);
        (void) unlinkat(shim->record.directory, RUNTIME_CONSOLE, 0);
}

static int runtime_listen(const struct shim *shim, int *ret_sock, struct berth_error *err) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        (void) snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" RUNTIME_CONSOLE, shim->record.directory);
        _cleanup_close_ int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (sock < 0 || bind(sock, (const struct sockaddr *) &address, sizeof(address)) < 0 || listen(sock, 1) < 0)
                return berth_error_set(err, errno, "listen for the terminal on " RUNTIME_CONSOLE);
        return give_fd(ret_sock, &sock);
}

/* The runtime has ended: what it sent is there. */
static int runtime_take_console(int listener, int *ret_console, struct berth_error *err) {
        char path[PATH_MAX];
        _cleanup_close_ int sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), console = -1;
        if (sock < 0 || fd_receive(sock, path, sizeof(path), &console, MSG_DONTWAIT) < 0 || console < 0)
                return berth_error_set(err, EPROTO, "the runtime sent no terminal");
        if (!isatty(console))
                return berth_error_set(err, ENOTTY, "what the runtime sent is not a terminal");
        return give_fd(ret_console, &console);
}

/* The process is a child of ours by now, as its parent has ended: the number cannot be another's. */
static int runtime_take_process(const struct shim *shim, struct process *ret, struct berth_error *err) {
        char text[32];
        _cleanup_close_ int fd = openat(shim->record.directory, RUNTIME_PID_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
        if (n <= 0)
                return berth_error_set(err, n < 0 ? errno : EPROTO, "read what process the runtime made");
        text[n] = '\0';
        long pid = strtol(text, NULL, 10);
        siginfo_t info;
        if (pid <= 1 || pid > INT_MAX || waitid(P_PID, (id_t) pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
                return berth_error_set(err, EPROTO, "process %ld that the runtime made is not a child of its shim", pid);
        ret->pid = (pid_t) pid;
        ret->pidfd = sys_pidfd_open((pid_t) pid);
        return ret->pidfd < 0 ? berth_error_set(err, errno, "open process %ld", pid) : 0;
}

/* Runs a verb that makes a process; `command` lacks its last argument. */
static int runtime_make(struct shim *shim, struct runtime_command *command, bool terminal, const struct process_io *io, struct process *ret,
                        struct berth_error *err) {
        char pid_path[RUNTIME_PATH_MAX], console_path[RUNTIME_PATH_MAX];
        _cleanup_close_ int listener = -1;
        struct process process = PROCESS_NONE;
        int own = (int) getpid(), directory = shim->record.directory;

        runtime_clear(shim);
        (void) snprintf(pid_path, sizeof(pid_path), "/proc/%d/fd/%d/" RUNTIME_PID_FILE, own, directory);
        (void) snprintf(console_path, sizeof(console_path), "/proc/%d/fd/%d/" RUNTIME_CONSOLE, own, directory);
        runtime_command_add(command, "--pid-file");
        runtime_command_add(command, pid_path);
        int r = terminal ? runtime_listen(shim, &listener, err) : 0;
        if (r == 0 && terminal) {
                runtime_command_add(command, "--console-socket");
                runtime_command_add(command, console_path);
        }
        runtime_command_add(command, plan_keeper(shim->plan)->id);
        if (r == 0)
                r = runtime_command_run(command, terminal ? NULL : io, err);
        if (r == 0)
                r = runtime_take_process(shim, &process, err);
        if (r == 0 && terminal)
                r = runtime_take_console(listener, &process.console, err);
        runtime_clear(shim);
        if (r < 0) {
                (void) process_abandon(&process, NULL);
                return r;
        }
        *ret = process;
        return 0;
}

static int runtime_open_root(struct container *container, struct berth_error *err) {
        char path[64];
        (void) snprintf(path, sizeof(path), "/proc/%d/root", (int) container->init.pid);
        container->rootfs = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return container->rootfs < 0 ? berth_error_set(err, errno, "open the container's root") : 0;
}

static int runtime_create(struct shim *shim, const struct process_io *io, struct berth_error *err) {
        const struct keeper_plan *keeper = plan_keeper(shim->plan);
        struct runtime_command command;
        int r = runtime_command_open(&command, keeper, "create", err);
        if (r == 0) {
                runtime_command_add(&command, "--bundle");
                runtime_command_add(&command, keeper->bundle);
                r = runtime_make(shim, &command, plan_terminal(shim->plan), io, &shim->container.init, err);
                shim->runtime.made = r == 0;
        }
        runtime_command_close(&command);
        if (r < 0) { /* most runtimes leave nothing then; what one that had to be killed leaves may be in the cgroup */
                (void) runtime_simple(shim, "delete", "--force", NULL);
                runtime_find_cgroup(shim);
        }
        return r;
}

int runtime_call_create(struct shim *shim, const struct process_io *io, struct berth_error *err) {
        struct container *container = &shim->container;
        bool own_network = plan_keeper(shim->plan)->network != PLAN_NETWORK_HOST;
        container->plan = shim->plan;
        int r = container_prepare(container, own_network, err);
        if (r == 0)
                r = container_network_up(container, err);
        if (r == 0)
                r = runtime_mount_root(shim, err);
        if (r == 0)
                r = runtime_bind_netns(shim, err);
        if (r == 0)
                r = runtime_create(shim, io, err);
        if (r == 0)
                runtime_find_cgroup(shim);
        return r == 0 ? runtime_open_root(container, err) : r;
}

int runtime_call_start(struct shim *shim, struct berth_error *err) {
        return runtime_simple(shim, "start", NULL, err);
}

int runtime_call_freeze(struct shim *shim, bool freeze, struct berth_error *err) {
        return runtime_simple(shim, freeze ? "pause" : "resume", NULL, err);
}

int runtime_call_exec(struct shim *shim, struct task *task, struct berth_error *err) {
        const struct keeper_plan *keeper = plan_keeper(shim->plan);
        const struct process_io io = {.in = task->ends.in, .out = task->ends.out, .err = task->ends.err};
        struct runtime_command command;
        char process[PATH_MAX];
        if (strchr(task->id, '/') || snprintf(process, sizeof(process), "%s/exec-%s.json", keeper->bundle, task->id) >= (int) sizeof(process))
                return berth_error_set(err, EINVAL, "exec '%s' cannot be the name of a file", task->id);
        int r = runtime_command_open(&command, keeper, "exec", err);
        if (r == 0) {
                runtime_command_add(&command, "--detach");
                runtime_command_add(&command, "--process");
                runtime_command_add(&command, process);
                r = runtime_make(shim, &command, task->terminal, &io, &task->own, err);
        }
        runtime_command_close(&command);
        (void) unlink(process);
        return r;
}

/* ---- the end ---- */

static int runtime_unmount(struct shim *shim, struct berth_error *err) {
        const struct keeper_plan *keeper = plan_keeper(shim->plan);
        char path[PATH_MAX];
        int r = 0;
        (void) snprintf(path, sizeof(path), "%s/netns", keeper->bundle);
        if (shim->runtime.netns_bound && sys_umount2(path, MNT_DETACH) < 0)
                r = berth_error_set(err, errno, "unmount '%s'", path);
        if (shim->runtime.root_mounted && sys_umount2(keeper->rootfs_path, MNT_DETACH) < 0 && r == 0)
                r = berth_error_set(err, errno, "unmount '%s'", keeper->rootfs_path);
        shim->runtime.netns_bound = shim->runtime.root_mounted = false;
        return r;
}

int runtime_call_release(struct shim *shim, struct berth_error *err) {
        struct berth_error later;
        int r = shim->runtime.made ? runtime_simple(shim, "delete", "--force", err) : 0;
        if (r == 0) /* it went with the container */
                shim->container.has_cgroup = false;
        shim->runtime.made = false;
        int unmounted = runtime_unmount(shim, r < 0 ? &later : err);
        return r < 0 ? r : unmounted;
}
