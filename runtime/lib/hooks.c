/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "cleanup.h"
#include "executable.h"
#include "fd.h"
#include "sys.h"

#define HOOK_WORDS 256     /* bytes of the output's end that are kept */
#define HOOK_LATE_READS 32 /* of output that is still there when the hook has ended; what it left behind may go on for ever */

static const char *const hook_kinds[PLAN_HOOK_KINDS] = {"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"};

struct hook_run {
        pid_t pid;
        int pidfd;
        int output;  /* both streams of the hook */
        int failure; /* the errno of a failed execve comes here */
        char words[HOOK_WORDS];
        size_t n_words;
};

bool hooks_any(const struct plan_container *container, enum plan_hook_kind kind) {
        for (uint32_t i = 0; i < container->n_hooks; i++)
                if (container->hooks[i].kind == kind)
                        return true;
        return false;
}

/* In memory and not a pipe: who does not read it blocks nobody, whatever its size. */
static int hook_open_state(const struct plan_container *container, const char *status, pid_t pid, int *ret_fd, struct berth_error *err) {
        _cleanup_close_ int fd = memfd_create("berth-hook", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        char tail[96];

        if (fd < 0)
                return berth_error_set(err, errno, "make a memory file for the state");
        if (pid > 0)
                (void) snprintf(tail, sizeof tail, ",\"status\":\"%s\",\"pid\":%d}", status, (int) pid);
        else
                (void) snprintf(tail, sizeof tail, ",\"status\":\"%s\"}", status);
        int r = fd_write_all(fd, "{", 1);
        if (r == 0)
                r = fd_write_all(fd, container->state, strlen(container->state));
        if (r == 0)
                r = fd_write_all(fd, tail, strlen(tail));
        if (r < 0)
                return berth_error_set(err, -r, "write the state");
        if (lseek(fd, 0, SEEK_SET) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
                return berth_error_set(err, errno, "seal the state");
        return give_fd(ret_fd, &fd);
}

/* Leads a process group of its own, dies with the runtime, and starts with nothing of its descriptors and signals. */
static _Noreturn void hook_child(const struct plan_hook *hook, int state, int output, int failure) {
        enum { FAILURE = 3 };
        sigset_t none;
        int code;

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        (void) setpgid(0, 0);
        for (int sig = 1; sig < NSIG; sig++)
                (void) signal(sig, SIG_DFL);
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);

        /* Above their places first: each may stand in another's. */
        state = fcntl(state, F_DUPFD, FAILURE + 1);
        output = fcntl(output, F_DUPFD, FAILURE + 1);
        failure = fcntl(failure, F_DUPFD, FAILURE + 1);
        if (state >= 0 && output >= 0 && failure >= 0 && dup2(state, 0) == 0 && dup2(output, 1) == 1 && dup2(output, 2) == 2 &&
            dup3(failure, FAILURE, O_CLOEXEC) == FAILURE && sys_close_range(FAILURE + 1, ~0U, 0) == 0)
                (void) execve(hook->path, (char *const *) (uintptr_t) hook->argv, (char *const *) (uintptr_t) hook->envp);
        code = errno;
        (void) fd_write_all(FAILURE, &code, sizeof code);
        _exit(127);
}

static int hook_spawn(const struct plan_hook *hook, int state, struct hook_run *run, struct berth_error *err) {
        struct clone_args args = {.flags = CLONE_PIDFD, .pidfd = (uint64_t) (uintptr_t) &run->pidfd, .exit_signal = SIGCHLD};
        int output[2], failure[2];

        if (pipe2(output, O_CLOEXEC) < 0)
                return berth_error_set(err, errno, "make a pipe for its output");
        if (pipe2(failure, O_CLOEXEC) < 0) {
                int code = errno;
                (void) close(output[0]);
                (void) close(output[1]);
                return berth_error_set(err, code, "make a pipe for its errors");
        }
        run->pid = sys_clone3(&args);
        if (run->pid == 0)
                hook_child(hook, state, output[1], failure[1]);
        int code = errno;
        (void) close(output[1]);
        (void) close(failure[1]);
        run->output = output[0];
        run->failure = failure[0];
        if (run->pid < 0)
                return berth_error_set(err, code, "clone a process");
        return fcntl(run->output, F_SETFL, O_NONBLOCK) < 0 ? berth_error_set(err, errno, "set up its output") : 0;
}

/* Reads once; false when there is nothing (now, or for ever). */
static bool hook_read(struct hook_run *run, bool *ret_end) {
        char bytes[4096];
        ssize_t n = read(run->output, bytes, sizeof bytes);

        *ret_end = n == 0;
        if (n <= 0)
                return false;
        size_t fresh = (size_t) n > HOOK_WORDS ? HOOK_WORDS : (size_t) n, keep = HOOK_WORDS - fresh;
        keep = run->n_words > keep ? keep : run->n_words;
        memmove(run->words, run->words + run->n_words - keep, keep);
        memcpy(run->words + keep, bytes + (size_t) n - fresh, fresh);
        run->n_words = keep + fresh;
        return true;
}

static int64_t hook_now_ms(void) {
        struct timespec now = {0};
        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* 0: it has ended; -ETIMEDOUT: it has not. */
static int hook_await(struct hook_run *run, uint32_t timeout, struct berth_error *err) {
        struct pollfd fds[] = {{.fd = run->pidfd, .events = POLLIN}, {.fd = run->output, .events = POLLIN}};
        int64_t deadline = hook_now_ms() + (int64_t) timeout * 1000;
        bool end = false;

        for (;;) {
                int64_t left = timeout == 0 ? -1 : deadline - hook_now_ms();
                if (timeout > 0 && left <= 0)
                        return berth_error_set(err, ETIMEDOUT, "did not end within %u s and was killed", timeout);
                int n = poll(fds, 2, left > INT32_MAX ? INT32_MAX : (int) left);
                if (n < 0 && errno != EINTR)
                        return berth_error_set(err, errno, "wait for its end");
                if (n > 0 && fds[1].revents && !hook_read(run, &end) && end)
                        fds[1].fd = -1;
                if (n > 0 && fds[0].revents)
                        break;
        }
        for (int i = 0; i < HOOK_LATE_READS && hook_read(run, &end); i++)
                ;
        return 0;
}

/* The last line that says something, with nothing in it that could disturb a log. */
static const char *hook_last_words(struct hook_run *run, char *out) {
        size_t end = run->n_words, begin;

        while (end > 0 && (unsigned char) run->words[end - 1] <= ' ')
                end--;
        begin = end;
        while (begin > 0 && run->words[begin - 1] != '\n')
                begin--;
        size_t n = end - begin;
        for (size_t i = 0; i < n; i++) {
                char c = run->words[begin + i];
                out[i] = (char) ((unsigned char) c < ' ' || c == 127 ? ' ' : c);
        }
        out[n] = '\0';
        return out;
}

static int hook_judge(struct hook_run *run, const siginfo_t *info, struct berth_error *err) {
        char words[HOOK_WORDS + 1];
        int code = 0;

        if (read(run->failure, &code, sizeof code) == (ssize_t) sizeof code)
                return berth_error_set(err, code, "%s", executable_words(code));
        if (info->si_code == CLD_EXITED && info->si_status == 0)
                return 0;
        const char *said = hook_last_words(run, words), *colon = *said ? ": " : "";
        if (info->si_code == CLD_EXITED)
                return berth_error_set(err, ECANCELED, "exited with status %d%s%s", info->si_status, colon, said);
        return berth_error_set(err, ECANCELED, "was killed by signal %d%s%s", info->si_status, colon, said);
}

static int hook_run_one(const struct plan_hook *hook, int state, struct berth_error *err) {
        struct hook_run run = {.pid = -1, .pidfd = -1, .output = -1, .failure = -1};
        siginfo_t info = {0};

        int r = hook_spawn(hook, state, &run, err);
        if (r == 0)
                r = hook_await(&run, hook->timeout, err);
        if (run.pid > 0) {
                if (r < 0) {
                        (void) kill(-run.pid, SIGKILL);
                        (void) sys_pidfd_send_signal(run.pidfd, SIGKILL); /* it may have been too young to lead a group */
                }
                while (waitid((idtype_t) P_PIDFD, (id_t) run.pidfd, &info, WEXITED) < 0 && errno == EINTR)
                        ;
        }
        if (r == 0)
                r = hook_judge(&run, &info, err);
        cleanup_close(&run.pidfd);
        cleanup_close(&run.output);
        cleanup_close(&run.failure);
        return r;
}

static int hooks_run_kind(const struct plan_container *container, enum plan_hook_kind kind, const char *status, pid_t pid, bool all,
                          struct berth_error *err) {
        struct berth_error later;
        uint32_t number = 0;
        int first = 0;

        for (uint32_t i = 0; i < container->n_hooks; i++) {
                const struct plan_hook *hook = &container->hooks[i];
                struct berth_error *told = first < 0 ? &later : err;
                _cleanup_close_ int state = -1;

                if (hook->kind != kind)
                        continue;
                int r = hook_open_state(container, status, pid, &state, told);
                if (r == 0)
                        r = hook_run_one(hook, state, told);
                if (r < 0)
                        r = berth_error_prefix(told, "%s hook %u '%.128s'", hook_kinds[kind], number, hook->path);
                number++;
                if (r < 0 && first == 0)
                        first = r;
                if (first < 0 && !all)
                        break;
        }
        return first;
}

int hooks_run(const struct plan_container *container, enum plan_hook_kind kind, const char *status, pid_t pid, struct berth_error *err) {
        return hooks_run_kind(container, kind, status, pid, false, err);
}

int hooks_run_all(const struct plan_container *container, enum plan_hook_kind kind, const char *status, pid_t pid, struct berth_error *err) {
        return hooks_run_kind(container, kind, status, pid, true, err);
}
