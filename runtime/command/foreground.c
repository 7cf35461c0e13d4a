/* SPDX-License-Identifier: Apache-2.0 */
#include "foreground.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "sys.h"

#define RELAY_WRITE_MAX 4096 /* what poll promises room for */
#define RELAY_ROUNDS_MAX 1024

/* Bytes on their way; while there are any, nothing more is read, so a slow reader slows the writer and nothing else. */
struct relay {
        int from; /* -1: ended */
        int to;   /* -1: gone; what comes is dropped */
        size_t at, n;
        char bytes[16384];
};

struct foreground {
        const struct process *process;
        struct relay output, input; /* from the terminal, to the terminal */
        struct termios saved;
        bool raw;
};

static void foreground_resize(const struct process *process) {
        struct winsize size;
        if (process->console >= 0 && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
                (void) ioctl(process->console, TIOCSWINSZ, &size);
}

static void foreground_make_raw(struct foreground *foreground) {
        if (foreground->process->console < 0 || tcgetattr(STDIN_FILENO, &foreground->saved) < 0)
                return;
        struct termios raw = foreground->saved;
        cfmakeraw(&raw);
        foreground->raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
        foreground_resize(foreground->process);
}

static struct pollfd relay_interest(const struct relay *relay) {
        if (relay->from < 0)
                return (struct pollfd){.fd = -1};
        return relay->n > 0 ? (struct pollfd){.fd = relay->to, .events = POLLOUT} : (struct pollfd){.fd = relay->from, .events = POLLIN};
}

/* An end that hung up is never looked at again: it would be ready for ever. */
static void relay_move(struct relay *relay) {
        ssize_t n;

        if (relay->n == 0) {
                n = read(relay->from, relay->bytes, sizeof relay->bytes);
                relay->at = 0;
                relay->n = n > 0 && relay->to >= 0 ? (size_t) n : 0;
        } else {
                n = write(relay->to, relay->bytes + relay->at, relay->n < RELAY_WRITE_MAX ? relay->n : RELAY_WRITE_MAX);
                relay->at += n > 0 ? (size_t) n : 0;
                relay->n -= n > 0 ? (size_t) n : 0;
        }
        if (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)))
                return;
        if (relay->n == 0) {
                relay->from = -1;
        } else {
                relay->to = -1;
                relay->n = 0;
        }
}

/* True when the process was reaped. Whatever else ended is reaped too. */
static bool foreground_reap(const struct process *process, int *ret_status) {
        bool ended = false;
        int status;
        pid_t pid;

        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
                if (pid == process->pid) {
                        *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
                        ended = true;
                }
        return ended;
}

/* What the terminal still holds; bounded, since who keeps it open may write for ever. */
static void foreground_drain(struct relay *output) {
        for (int round = 0; output->from >= 0 && round < RELAY_ROUNDS_MAX; round++) {
                struct pollfd fd = relay_interest(output);
                if (output->to < 0 || (output->n == 0 && poll(&fd, 1, 0) <= 0))
                        break;
                relay_move(output);
        }
}

static int foreground_loop(struct foreground *foreground, int signals, int *ret_status, struct berth_error *err) {
        struct signalfd_siginfo info;

        (void) signal(SIGPIPE, SIG_IGN);
        for (;;) {
                struct pollfd fds[3] = {{.fd = signals, .events = POLLIN}, relay_interest(&foreground->output), relay_interest(&foreground->input)};
                if (poll(fds, 3, -1) < 0 && errno != EINTR)
                        return berth_error_set(err, errno, "wait for the process");
                if (fds[1].fd >= 0 && fds[1].revents)
                        relay_move(&foreground->output);
                if (fds[2].fd >= 0 && fds[2].revents)
                        relay_move(&foreground->input);
                if (!(fds[0].revents & POLLIN) || read(signals, &info, sizeof info) != sizeof info)
                        continue;
                if (info.ssi_signo == SIGWINCH && foreground->process->console >= 0)
                        foreground_resize(foreground->process);
                else if (info.ssi_signo != SIGCHLD)
                        (void) sys_pidfd_send_signal(foreground->process->pidfd, (int) info.ssi_signo);
                else if (foreground_reap(foreground->process, ret_status))
                        return 0;
        }
}

int foreground_prepare(int *ret_signals, struct berth_error *err) {
        static const int own[] = {SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP, SIGTTIN, SIGTTOU, SIGPIPE, SIGURG};
        sigset_t set;

        (void) sigfillset(&set);
        for (size_t i = 0; i < sizeof own / sizeof *own; i++)
                (void) sigdelset(&set, own[i]);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return berth_error_set(err, errno, "block signals");
        *ret_signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        return *ret_signals < 0 ? berth_error_set(err, errno, "watch signals") : 0;
}

int foreground_wait(const struct process *process, int signals, int *ret_status, struct berth_error *err) {
        struct foreground foreground = {
                .process = process,
                .output = {.from = process->console, .to = STDOUT_FILENO},
                .input = {.from = process->console >= 0 ? STDIN_FILENO : -1, .to = process->console},
        };

        foreground_make_raw(&foreground);
        int r = foreground_loop(&foreground, signals, ret_status, err);
        if (r == 0)
                foreground_drain(&foreground.output);
        if (foreground.raw)
                (void) tcsetattr(STDIN_FILENO, TCSANOW, &foreground.saved);
        return r;
}
