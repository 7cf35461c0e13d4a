/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "capabilities.h"
#include "cleanup.h"
#include "executable.h"
#include "hooks.h"
#include "lsm.h"
#include "process.h"
#include "rlimit.h"
#include "schedule.h"
#include "seccomp.h"
#include "sync.h"
#include "sys.h"

#define PROCESS_STDIO 3 /* descriptors that every process has; those that it keeps besides follow */
#define PROCESS_OWN (PROCESS_STDIO + 2)

/* A parent that died before this call is noticed when the channel ends instead of saying START. */
static int process_die_with_parent(const struct process_child *child, struct berth_error *err) {
        if (child->starter < 0 && !child->detached && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
                return berth_error_set(err, errno, "set the parent-death signal");
        return 0;
}

int process_child_protect(const struct process_child *child, struct berth_error *err) {
        int r = process_die_with_parent(child, err);
        if (r < 0)
                return r;
        /* Nobody inside may look at our memory or descriptors through /proc before execve makes the process theirs. */
        return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? berth_error_set(err, errno, "make the process undumpable") : 0;
}

int process_child_begin(const struct process_child *child, const struct plan_process *plan, struct berth_error *err) {
        sigset_t none;

        int r = process_child_protect(child, err);
        if (r < 0)
                return r;
        (void) sigemptyset(&none);
        if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
                return berth_error_set(err, errno, "unblock signals");
        if (setsid() < 0)
                return berth_error_set(err, errno, "make a session");
        (void) umask(0);
        return schedule_begin(plan, err);
}

/* What is ours is close-on-exec from birth, so nothing of it can stand where a caller has left a hole. */
static int process_check_preserved(const struct plan_process *plan, struct berth_error *err) {
        for (uint32_t i = 0; i < plan->n_preserved; i++) {
                int fd = PROCESS_STDIO + (int) i, flags = fcntl(fd, F_GETFD);
                if (flags < 0 || (flags & FD_CLOEXEC))
                        return berth_error_set(err, EBADF, "descriptor %d, which is to be preserved, is not open", fd);
        }
        return 0;
}

int process_child_descriptors(struct process_child *child, const struct plan_process *plan, const struct process_io *io, struct berth_error *err) {
        const int wanted[PROCESS_OWN] = {io->in, io->out, io->err, child->sync, child->starter};
        int high[PROCESS_OWN], null = -1, n = child->starter < 0 ? PROCESS_OWN - 1 : PROCESS_OWN, kept = (int) plan->n_preserved;

        int r = process_check_preserved(plan, err);
        if (r < 0)
                return r;
        /* First out of the way of their places, so that none is overwritten before it is copied. */
        for (int i = 0; i < n; i++) {
                int from = wanted[i];
                if (from < 0) {
                        if (null < 0)
                                null = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
                        from = null;
                }
                high[i] = fcntl(from, F_DUPFD_CLOEXEC, PROCESS_OWN + kept);
                if (high[i] < 0)
                        return berth_error_set(err, errno, "copy descriptor %d of the new process", i);
        }
        for (int i = 0; i < n; i++)
                if (dup3(high[i], i < PROCESS_STDIO ? i : i + kept, i < PROCESS_STDIO ? 0 : O_CLOEXEC) < 0)
                        return berth_error_set(err, errno, "place descriptor %d of the new process", i);
        child->sync = PROCESS_STDIO + kept;
        if (child->starter >= 0)
                child->starter = child->sync + 1;
        child->first_free = (unsigned) (n + kept);
        if (sys_close_range(child->first_free, ~0U, 0) < 0)
                return berth_error_set(err, errno, "close inherited descriptors");
        return 0;
}

/* The pipes were made by root; a process of another user must be able to open /dev/stdout again. */
static void process_give_stdio(const struct plan_process *plan) {
        if (plan->uid == 0 || plan->terminal)
                return;
        for (int fd = 0; fd < 3; fd++) {
                struct stat st;
                if (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)) && st.st_uid != plan->uid)
                        (void) fchown(fd, plan->uid, (gid_t) -1); /* a convenience; file systems may refuse it */
        }
}

static int process_chdir(const char *cwd, bool *ret_again, struct berth_error *err) {
        *ret_again = false;
        if (chdir(cwd) == 0)
                return 0;
        if (errno == EACCES || errno == EPERM) {
                *ret_again = true;
                return 0;
        }
        int code = errno;
        return berth_error_set(err, code, "chdir to cwd (\"%s\") set in config.json failed: %s", cwd, executable_words(code));
}

/* A directory descriptor of the host that found its way into the container shows itself so (CVE-2024-21626). */
static int process_check_cwd(const char *cwd, struct berth_error *err) {
        char path[PATH_MAX];
        long n = syscall(SYS_getcwd, path, sizeof path);

        if (n < 0 && errno != ENOENT)
                return berth_error_set(err, errno, "ask for the working directory");
        if (n < 0 || path[0] != '/')
                return berth_error_set(err, EACCES, "the working directory \"%s\" is outside of the container's root filesystem", cwd);
        return 0;
}

static int process_set_user(const struct plan_process *plan, struct berth_error *err) {
        if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
                return berth_error_set(err, errno, "keep capabilities over the change of user");
        if (syscall(SYS_setgroups, plan->n_groups, plan->groups) < 0)
                return berth_error_set(err, errno, "set %u additional groups", plan->n_groups);
        if (syscall(SYS_setresgid, plan->gid, plan->gid, plan->gid) < 0)
                return berth_error_set(err, errno, "set group %u", plan->gid);
        if (syscall(SYS_setresuid, plan->uid, plan->uid, plan->uid) < 0)
                return berth_error_set(err, errno, "set user %u", plan->uid);
        return 0;
}

/* What the process is to itself alone. */
static int process_set_attributes(const struct plan_process *plan, struct berth_error *err) {
        if (plan->has_personality && syscall(SYS_personality, plan->personality) < 0)
                return berth_error_set(err, errno, "set personality 0x%llx", (unsigned long long) plan->personality);
        int r = schedule_memory(plan, err);
        return r == 0 ? lsm_apply(plan, err) : r;
}

/* The keys of the host are in the one that it would have otherwise; kernels without keys have none to protect. */
static int process_join_keyring(struct berth_error *err) {
        if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0 || errno == ENOSYS)
                return 0;
        const char *limit = errno == EDQUOT ? " (its user's limit: kernel.keys.maxkeys, kernel.keys.maxbytes)" : "";
        return berth_error_set(err, errno, "join a new session keyring%s", limit);
}

static int process_load_filter(const struct process_child *child, const struct plan_process *plan, struct berth_error *err) {
        _cleanup_close_ int listener = -1;

        int r = seccomp_install(plan, &listener, err);
        /*
         * From here on a call may wait for the agent's answer, but for the one that brings the agent its listener (seccomp-compile.c). No copy
         * of the listener stays: while there is one, calls wait for an agent that has ended.
         */
        return r == 0 && listener >= 0 ? sync_send(child->sync, SYNC_LISTENER, listener, err) : r;
}

static bool process_loads_before_ready(const struct plan_process *plan) {
        return plan->no_new_privileges && plan->seccomp_listener;
}

int process_child_become(const struct process_child *child, const struct plan_process *plan, char *ret_path, struct berth_error *err) {
        bool chdir_again;

        /* Before the working directory, which an image may name as /proc/self/fd/N, and before anything of the image runs. */
        if (sys_close_range(child->first_free, ~0U, 0) < 0)
                return berth_error_set(err, errno, "close descriptors");
        int r = rlimit_apply(plan, err);
        if (r < 0)
                return r;
        process_give_stdio(plan);
        r = process_set_attributes(plan, err);
        if (r < 0)
                return r;
        r = plan->no_new_keyring ? 0 : process_join_keyring(err);
        if (r < 0)
                return r;
        r = process_chdir(plan->cwd, &chdir_again, err);
        if (r < 0)
                return r;

        if (plan->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return berth_error_set(err, errno, "set no_new_privs");
        /* Without no_new_privs the filter needs CAP_SYS_ADMIN, so it comes before capabilities go; with it, it comes last. */
        if (!plan->no_new_privileges) {
                r = process_load_filter(child, plan, err);
                if (r < 0)
                        return r;
        }

        struct capabilities own;
        r = capabilities_read(&own, err);
        if (r == 0)
                r = capabilities_drop_bounding(plan->capabilities[PLAN_BOUNDING], err);
        if (r == 0)
                r = process_set_user(plan, err);
        if (r == 0)
                r = capabilities_apply(plan, &own, err);
        if (r < 0)
                return r;

        if (chdir_again && chdir(plan->cwd) < 0) {
                int code = errno;
                return berth_error_set(err, code, "chdir to cwd (\"%s\") set in config.json failed: %s", plan->cwd, executable_words(code));
        }
        r = process_check_cwd(plan->cwd, err);
        if (r < 0)
                return r;
        (void) umask(plan->umask == PLAN_UNSET ? 0022 : plan->umask);

        /* The change of user cleared it (prctl(2)). */
        r = process_die_with_parent(child, err);
        if (r == 0)
                r = executable_find(plan, ret_path, err);
        /* The listener must reach the agent while the creator is there, so its filter is loaded before START. */
        return r == 0 && process_loads_before_ready(plan) ? process_load_filter(child, plan, err) : r;
}

_Noreturn void process_child_fail(int sock, const struct berth_error *err) {
        sync_fail(sock, err);
        _exit(1);
}

/* Until somebody connects and says START; who goes away without a word is not the one. */
static void process_await_starter(struct process_child *child) {
        (void) close(child->sync);
        for (;;) {
                child->sync = accept4(child->starter, NULL, NULL, SOCK_CLOEXEC);
                if (child->sync < 0 && errno != EINTR && errno != ECONNABORTED)
                        _exit(1);
                if (child->sync >= 0 && sync_receive(child->sync, NULL, NULL) == SYNC_START)
                        break;
                if (child->sync >= 0)
                        (void) close(child->sync);
        }
        (void) close(child->starter);
}

_Noreturn void process_child_execute(struct process_child *child, const struct plan_process *plan, const char *path) {
        struct berth_error err = {0};

        if (sync_send(child->sync, SYNC_READY, -1, &err) < 0)
                _exit(1); /* the parent is gone */
        if (child->starter >= 0)
                process_await_starter(child);
        else if (sync_receive(child->sync, NULL, &err) != SYNC_START)
                _exit(1); /* the parent is gone or gave up */
        if (child->hooks && hooks_run(child->hooks, PLAN_HOOK_START_CONTAINER, "created", getpid(), &err) < 0)
                process_child_fail(child->sync, &err);
        if (plan->no_new_privileges && !process_loads_before_ready(plan) && process_load_filter(child, plan, &err) < 0)
                process_child_fail(child->sync, &err);

        (void) execve(path, (char *const *) (uintptr_t) plan->argv, (char *const *) (uintptr_t) plan->envp);
        (void) executable_exec_error(errno, path, &err);
        process_child_fail(child->sync, &err);
}
