/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Runs a command, looks at every system call of it and its children up to their execve, and lets one of them fail:
 *   inject --report FILE [--below DIRECTORY [--program NAME]] [--fail PROCESS NAME K ERRNO] [--attach PID]... [--] [COMMAND...]
 * PROCESS counts from 0, the command, in the order in which processes appear (attached ones come after the command); K counts the
 * calls of that name in that process from 1. Without a command the attached ones are looked at until standard input ends.
 *
 * The report, a line each: "attached"; "call PROCESS K NAME WHAT"; "failed PROCESS K NAME WHAT"; "exit CODE"; "left PID" for each
 * descendant that lives on; "hung" when the command had to be killed.
 *
 * With --below DIRECTORY only calls count whose path or descriptor leads there, and those that make descriptors or processes; PROCESS is 0
 * for all of them, and K counts over all processes, since threads share such work in no order. With an ERRNO of 0 the process dies at the call.
 *
 * With --program NAME besides, children that become this program are looked at to their end, at all of their calls: of the first whose first
 * argument is --overlay, PROCESS is overlay.1.0, of what it forks overlay.1.1 and so on.
 */

#define TRACEES_MAX 256
#define KINDS_MAX 512
#define RUNS_MAX 64
#define LIMIT_SECONDS 20

/* One that became the program, and its children. */
struct run {
        char title[64];
        unsigned seats;
};

struct tracee {
        pid_t pid; /* -1: it has ended */
        int index;
        bool counted; /* the first execve has been made */
        bool seized;
        const struct run *run;
        unsigned seat;
        int pending; /* errno that the call it is in is to give */
        unsigned seen[KINDS_MAX];
#if defined(__x86_64__)
        unsigned long long first; /* argument of the call that was skipped */
#endif
};

struct injector {
        const char *below;
        const char *program;
        struct run runs[RUNS_MAX];
        size_t n_runs;
        unsigned seen[KINDS_MAX]; /* below it */
        FILE *report;
        struct tracee tracees[TRACEES_MAX];
        size_t n;
        pid_t command;
        int fail_errno;
        const char *fail_process, *fail_name;
        unsigned fail_k;
};

static volatile sig_atomic_t expired;

static void inject_expire(int signal) {
        (void) signal;
        expired = 1;
}

/* Its arrival ends a wait. */
static void inject_wake(int signal) {
        (void) signal;
}

static _Noreturn void inject_die(const char *what) {
        perror(what);
        exit(125);
}

static ssize_t inject_read_proc(pid_t pid, const char *file, char *text, size_t size) {
        char path[64];

        (void) snprintf(path, sizeof path, "/proc/%d/%s", (int) pid, file);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd >= 0 ? read(fd, text, size - 1) : -1;
        if (fd >= 0)
                (void) close(fd);
        text[n > 0 ? n : 0] = '\0';
        return n;
}

/* A child may be seen before its parent's word of it. */
static void inject_seat(struct injector *in, struct tracee *tracee) {
        char text[2048];
        int parent;

        (void) inject_read_proc(tracee->pid, "status", text, sizeof text);
        const char *line = strstr(text, "\nPPid:");
        if (!line || sscanf(line, "\nPPid: %d", &parent) != 1)
                return;
        for (size_t i = 0; i < in->n; i++)
                if (in->tracees[i].pid == parent && in->tracees[i].run) {
                        tracee->run = in->tracees[i].run;
                        tracee->seat = ++in->runs[tracee->run - in->runs].seats;
                }
}

/* Whether it has become the program. */
static bool inject_begin_run(struct injector *in, struct tracee *tracee) {
        char text[512], title[40];
        unsigned before = 0;

        ssize_t n = inject_read_proc(tracee->pid, "cmdline", text, sizeof text);
        size_t used = strlen(text);
        const char *slash = strrchr(text, '/'), *job = n > 0 && used < (size_t) n ? text + used + 1 : "";
        if (strcmp(slash ? slash + 1 : text, in->program) != 0)
                return false;
        if (in->n_runs == RUNS_MAX)
                inject_die("too many runs");
        int length = snprintf(title, sizeof title, "%.30s.", job + strspn(job, "-"));
        for (size_t i = 0; i < in->n_runs; i++)
                before += strncmp(in->runs[i].title, title, (size_t) length) == 0;
        struct run *run = &in->runs[in->n_runs++];
        (void) snprintf(run->title, sizeof run->title, "%s%u", title, before + 1);
        tracee->run = run;
        tracee->seat = 0;
        return true;
}

static void inject_name_process(const struct injector *in, const struct tracee *tracee, char *text, size_t size) {
        if (tracee->run)
                (void) snprintf(text, size, "%s.%u", tracee->run->title, tracee->seat);
        else
                (void) snprintf(text, size, "%d", in->below ? 0 : tracee->index);
}

static struct tracee *inject_find(struct injector *in, pid_t pid, bool make) {
        for (size_t i = 0; i < in->n; i++)
                if (in->tracees[i].pid == pid)
                        return &in->tracees[i];
        if (!make)
                return NULL;
        size_t place = 0;
        while (place < in->n && !(in->below && in->tracees[place].pid < 0))
                place++;
        if (place == TRACEES_MAX)
                inject_die("too many processes");
        in->n = place == in->n ? in->n + 1 : in->n;
        in->tracees[place] = (struct tracee){.pid = pid, .index = (int) place, .counted = true};
        if (in->program)
                inject_seat(in, &in->tracees[place]);
        return &in->tracees[place];
}

/* Which argument is a path or another text; -1: none. */
static int inject_text_argument(const char *name) {
        static const struct {
                const char *name;
                int argument;
        } known[] = {
                {"open", 0},     {"openat", 1},     {"openat2", 1},     {"mkdir", 0},         {"mkdirat", 1},      {"unlink", 0},
                {"unlinkat", 1}, {"mknodat", 1},    {"symlinkat", 2},   {"rename", 0},        {"renameat", 1},     {"renameat2", 1},
                {"stat", 0},     {"lstat", 0},      {"newfstatat", 1},  {"execve", 0},        {"execveat", 1},     {"chdir", 0},
                {"readlink", 0}, {"readlinkat", 1}, {"rmdir", 0},       {"move_mount", 3},    {"open_tree", 1},    {"mount_setattr", 1},
                {"fsopen", 0},   {"fsconfig", 2},   {"sethostname", 0}, {"setdomainname", 0}, {"memfd_create", 0}, {"umount2", 0},
                {"access", 0},   {"faccessat", 1},  {"faccessat2", 1},  {"statfs", 0},        {"mount", 1},        {"chown", 0},
                {"fchownat", 1}, {"chmod", 0},      {"fchmodat", 1},    {"link", 0},          {"linkat", 1},       {"write", 1},
                {"statx", 1},    {"utimensat", 1},
        };

        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
                if (strcmp(known[i].name, name) == 0)
                        return known[i].argument;
        return -1;
}

/* What a descriptor leads to; numbers that differ from run to run are left out. */
static bool inject_descriptor(const struct tracee *tracee, const char *name, uint64_t fd, char *text, size_t size) {
        static const char *const known[] = {"read",       "readv",    "pread64", "fstat",   "fcntl",     "fstatfs",    "close",  "ioctl",
                                            "getdents64", "sendfile", "recvmsg", "sendmsg", "recvfrom",  "sendto",     "fchmod", "fchown",
                                            "ftruncate",  "bind",     "listen",  "connect", "accept4",   "setsockopt", "setns",  "writev",
                                            "pwrite64",   "pwritev",  "preadv",  "fsync",   "fdatasync", "fallocate",  "lseek"};
        char path[64];

        for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
                if (strcmp(known[i], name) != 0)
                        continue;
                (void) snprintf(path, sizeof path, "/proc/%d/fd/%d", (int) tracee->pid, (int) fd);
                ssize_t n = readlink(path, text, size - 1);
                text[n > 0 ? n : 0] = '\0';
                char *bracket = strstr(text, ":[");
                if (bracket)
                        *bracket = '\0';
                return n > 0;
        }
        return false;
}

static void inject_describe(const struct injector *in, const struct tracee *tracee, const char *verb, const char *name, unsigned k,
                            const uint64_t *args) {
        int argument = inject_text_argument(name);
        char text[320] = "";
        /* Of a file, where it is tells more than what is written to it. */
        const char *like = in->below && strcmp(name, "write") == 0 ? "read" : name;

        if (inject_descriptor(tracee, like, args[0], text, in->below ? sizeof text - 24 : 72)) {
                size_t used = strlen(text);
                if (args[1] < 100000)
                        (void) snprintf(text + used, sizeof text - used, ", %d", (int) args[1]);
        } else if (argument >= 0) {
                size_t size = in->below ? sizeof text - 1 : 95;
                struct iovec own = {text, size}, other = {(void *) (uintptr_t) args[argument], size};
                ssize_t n = process_vm_readv(tracee->pid, &own, 1, &other, 1, 0);
                text[n > 0 ? n : 0] = '\0';
                if (strcmp(name, "write") == 0 && args[2] < sizeof text)
                        text[args[2]] = '\0';
                for (char *c = text; *c; c++)
                        if (*c < ' ' || *c > '~')
                                *c = '.';
        } else {
                (void) snprintf(text, sizeof text, "%lld, %lld, %lld", (long long) (int) args[0], (long long) (int) args[1],
                                (long long) (int) args[2]);
        }
        char process[64];
        inject_name_process(in, tracee, process, sizeof process);
        fprintf(in->report, "%s %s %u %s %s\n", verb, process, k, name, text);
}

/* By a read from nowhere: number -1 would be for the process's seccomp filter to judge. */
static void inject_skip_call(struct tracee *tracee) {
        pid_t pid = tracee->pid;
#if defined(__x86_64__)
        struct user_regs_struct regs;
        if (ptrace(PTRACE_GETREGS, pid, 0, &regs) < 0)
                inject_die("read the registers");
        tracee->first = regs.rdi;
        regs.orig_rax = SYS_read;
        regs.rdi = ~0ULL;
        if (ptrace(PTRACE_SETREGS, pid, 0, &regs) < 0)
                inject_die("skip a call");
#else
        int none = -1;
        struct iovec part = {&none, sizeof none};
        if (ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &part) < 0)
                inject_die("skip a call");
#endif
}

static void inject_answer(const struct tracee *tracee, int code) {
        pid_t pid = tracee->pid;
#if defined(__x86_64__)
        struct user_regs_struct regs;
        if (ptrace(PTRACE_GETREGS, pid, 0, &regs) < 0)
                inject_die("read the registers");
        regs.rax = (unsigned long long) -(long long) code;
        regs.rdi = tracee->first;
        if (ptrace(PTRACE_SETREGS, pid, 0, &regs) < 0)
                inject_die("answer a call");
#else
        struct user_regs_struct regs;
        struct iovec part = {&regs, sizeof regs};
        if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &part) < 0)
                inject_die("read the registers");
        regs.regs[0] = (unsigned long long) -(long long) code;
        if (ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &part) < 0)
                inject_die("answer a call");
#endif
}

static bool inject_makes_descriptor(const char *name) {
        static const char *const known[] = {"pipe2", "socketpair", "socket", "clone", "clone3", "vfork", "fork"};

        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
                if (strcmp(known[i], name) == 0)
                        return true;
        return false;
}

/* Whether a call is about something below the directory. */
static bool inject_is_below(const struct injector *in, const struct tracee *tracee, const char *name, const uint64_t *args) {
        char text[512] = "";
        int argument = inject_text_argument(name);

        if (inject_makes_descriptor(name))
                return true;
        if (argument >= 0 && strcmp(name, "write") != 0) {
                struct iovec own = {text, sizeof text - 1};
                /* A string may end shortly before memory that is not there. */
                for (size_t size = sizeof text - 1; size >= 32; size /= 2) {
                        own.iov_len = size;
                        struct iovec part = {(void *) (uintptr_t) args[argument], size};
                        ssize_t n = process_vm_readv(tracee->pid, &own, 1, &part, 1, 0);
                        text[n > 0 ? n : 0] = '\0';
                        if (n > 0)
                                break;
                }
                if (text[0] != '\0')
                        return strncmp(text, in->below, strlen(in->below)) == 0;
        }
        if (!inject_descriptor(tracee, strcmp(name, "write") == 0 || strcmp(name, "statx") == 0 ? "read" : name, args[0], text, sizeof text))
                return false;
        return strncmp(text, in->below, strlen(in->below)) == 0;
}

static void inject_fail(const struct injector *in, struct tracee *tracee) {
        if (in->fail_errno == 0) {
                (void) kill(tracee->pid, SIGKILL);
                return;
        }
        inject_skip_call(tracee);
        tracee->pending = in->fail_errno;
}

static void inject_call(struct injector *in, struct tracee *tracee) {
        struct __ptrace_syscall_info info;

        if (ptrace(PTRACE_GET_SYSCALL_INFO, tracee->pid, sizeof info, &info) < 0)
                return; /* it was killed meanwhile */
        if (info.op == PTRACE_SYSCALL_INFO_EXIT && tracee->pending) {
                inject_answer(tracee, tracee->pending);
                tracee->pending = 0;
        }
        if (info.op != PTRACE_SYSCALL_INFO_ENTRY || !tracee->counted || info.entry.nr >= KINDS_MAX)
                return;
        char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int) info.entry.nr);
        char number[32];
        (void) snprintf(number, sizeof number, "call_%d", (int) info.entry.nr);
        const char *shown = name ? name : number;
        uint64_t args[6];
        memcpy(args, (const void *) info.entry.args, sizeof args);
        bool shared = in->below && !tracee->run;
        if (shared && !inject_is_below(in, tracee, shown, args)) {
                free(name);
                return;
        }
        unsigned k = shared ? ++in->seen[info.entry.nr] : ++tracee->seen[info.entry.nr];
        char process[64];
        inject_name_process(in, tracee, process, sizeof process);
        inject_describe(in, tracee, "call", shown, k, args);
        if (in->fail_name && strcmp(process, in->fail_process) == 0 && k == in->fail_k && strcmp(shown, in->fail_name) == 0) {
                inject_describe(in, tracee, "failed", shown, k, args);
                inject_fail(in, tracee);
        }
        free(name);
}

static void inject_stopped(struct injector *in, struct tracee *tracee, int status) {
        int signal = WSTOPSIG(status), event = status >> 16, pass = 0;
        pid_t pid = tracee->pid;

        if (signal == (SIGTRAP | 0x80)) {
                inject_call(in, tracee);
        } else if (event == PTRACE_EVENT_EXEC && in->program && inject_begin_run(in, tracee)) {
                memset(tracee->seen, 0, sizeof tracee->seen);
        } else if (event == PTRACE_EVENT_EXEC) {
                if (tracee->index > 0 || (in->command == 0 && tracee->index == 0)) {
                        (void) ptrace(PTRACE_DETACH, pid, 0, 0); /* from here on it is the container's program */
                        if (in->below)
                                tracee->pid = -1;
                        return;
                }
                tracee->counted = true;
        } else if (event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK) {
                unsigned long child = 0;
                if (ptrace(PTRACE_GETEVENTMSG, pid, 0, &child) == 0)
                        (void) inject_find(in, (pid_t) child, true);
        } else if (event == PTRACE_EVENT_STOP) {
                if (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU) {
                        (void) ptrace(PTRACE_LISTEN, pid, 0, 0);
                        return;
                }
        } else {
                pass = signal;
        }
        (void) ptrace(PTRACE_SYSCALL, pid, 0, pass);
}

static void inject_seize(struct injector *in, pid_t pid, bool counted) {
        const unsigned long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;
        struct tracee *tracee = inject_find(in, pid, true);

        if (!tracee || ptrace(PTRACE_SEIZE, pid, 0, options) < 0)
                inject_die("trace a process");
        if (ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0)
                inject_die("stop a process");
        tracee->counted = counted;
        tracee->seized = true;
}

/* A process that runs already stops before anything else begins, so that the call in which it waits is always seen to begin, once. */
static void inject_attach(struct injector *in, pid_t pid) {
        int status;

        inject_seize(in, pid, true);
        if (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status))
                inject_stopped(in, inject_find(in, pid, true), status);
}

/* Answers where the byte goes that lets the command begin. */
static int inject_spawn(struct injector *in, char **command) {
        int gate[2];
        char byte;

        if (pipe2(gate, O_CLOEXEC) < 0)
                inject_die("pipe");
        in->command = fork();
        if (in->command == 0) {
                if (read(gate[0], &byte, 1) == 1)
                        (void) execv(command[0], command);
                _exit(127);
        }
        inject_seize(in, in->command, false);
        (void) close(gate[0]);
        return gate[1];
}

static void inject_begin(int gate) {
        if (write(gate, "", 1) != 1)
                inject_die("start the command");
        (void) close(gate);
}

static void inject_kill_all(const struct injector *in) {
        for (size_t i = 0; i < in->n; i++)
                if (in->tracees[i].pid > 0)
                        (void) kill(in->tracees[i].pid, SIGKILL);
}

/* Until the command ends, or standard input when there is none.   Answers the command's exit status. */
static int inject_watch(struct injector *in) {
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
        sigset_t children, none;
        int status;

        (void) sigemptyset(&none);
        (void) sigemptyset(&children);
        (void) sigaddset(&children, SIGCHLD);
        if (!in->command)
                (void) sigprocmask(SIG_BLOCK, &children, NULL);
        for (;;) {
                /* With a command every wait blocks; without one, whoever closes standard input must be noticed too. */
                pid_t pid = waitpid(-1, &status, __WALL | (in->command ? 0 : WNOHANG));
                if (pid == 0) {
                        if (ppoll(&input, 1, NULL, &none) > 0)
                                return 0;
                        continue;
                }
                if (pid < 0) {
                        if (errno == ECHILD && !in->command && poll(&input, 1, -1) > 0)
                                return 0;
                        if (expired) {
                                fprintf(in->report, "hung\n");
                                expired = 0;
                                inject_kill_all(in);
                        }
                        if (errno == ECHILD)
                                return 127;
                        continue;
                }
                struct tracee *tracee = inject_find(in, pid, true);
                if (WIFSTOPPED(status) && tracee)
                        inject_stopped(in, tracee, status);
                else if (pid == in->command)
                        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
                if (!WIFSTOPPED(status) && tracee)
                        tracee->pid = -1;
        }
}

/* What the command left comes to us. Those that are being killed have a moment to end. */
static void inject_report_left(struct injector *in) {
        char file[64], text[4096] = "";
        int status;

        (void) snprintf(file, sizeof file, "task/%d/children", (int) getpid());
        for (int tries = 0; tries < 200; tries++) {
                pid_t pid;
                while ((pid = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
                        struct tracee *tracee = inject_find(in, pid, true);
                        if (WIFSTOPPED(status) && tracee)
                                inject_stopped(in, tracee, status);
                }
                if (inject_read_proc(getpid(), file, text, sizeof text) <= 0)
                        return;
                (void) usleep(500);
        }
        for (char *word = strtok(text, " \n"); word; word = strtok(NULL, " \n"))
                fprintf(in->report, "left %s\n", word);
}

int main(int argc, char **argv) {
        static struct injector in;
        pid_t attach[64];
        size_t n_attach = 0;
        int i = 1;

        for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
                if (strcmp(argv[i], "--report") == 0 && i + 1 < argc) {
                        in.report = fopen(argv[++i], "we");
                } else if (strcmp(argv[i], "--attach") == 0 && i + 1 < argc && n_attach < 64) {
                        attach[n_attach++] = (pid_t) atoi(argv[++i]);
                } else if (strcmp(argv[i], "--below") == 0 && i + 1 < argc) {
                        in.below = argv[++i];
                } else if (strcmp(argv[i], "--program") == 0 && i + 1 < argc) {
                        in.program = argv[++i];
                } else if (strcmp(argv[i], "--fail") == 0 && i + 4 < argc) {
                        in.fail_process = argv[i + 1];
                        in.fail_name = argv[i + 2];
                        in.fail_k = (unsigned) atoi(argv[i + 3]);
                        in.fail_errno = atoi(argv[i + 4]);
                        i += 4;
                } else {
                        return 2;
                }
        }
        if (!in.report || (i + 1 >= argc && n_attach == 0))
                return 2;
        setlinebuf(in.report);
        (void) prctl(PR_SET_CHILD_SUBREAPER, 1);
        const struct sigaction expire = {.sa_handler = inject_expire}; /* without SA_RESTART */
        (void) sigaction(SIGALRM, &expire, NULL);
        const struct sigaction child = {.sa_handler = inject_wake};
        (void) sigaction(SIGCHLD, &child, NULL);
        (void) alarm(LIMIT_SECONDS);
        int gate = i + 1 < argc ? inject_spawn(&in, argv + i + 1) : -1;
        for (size_t j = 0; j < n_attach; j++)
                inject_attach(&in, attach[j]);
        if (gate >= 0)
                inject_begin(gate);
        fprintf(in.report, "attached\n");
        int status = inject_watch(&in);
        if (in.command) {
                fprintf(in.report, "exit %d\n", status);
                inject_report_left(&in);
        }
        return status;
}
