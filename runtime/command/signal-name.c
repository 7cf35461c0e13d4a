/* SPDX-License-Identifier: Apache-2.0 */
#include "signal-name.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* As the kernel numbers them: C libraries keep the first real-time signals for themselves. */
#define SIGNAL_RTMIN 34
#define SIGNAL_MAX 64

static const struct {
        const char *name;
        int number;
} signal_names[] = {
        {"HUP", SIGHUP},       {"INT", SIGINT},     {"QUIT", SIGQUIT},     {"ILL", SIGILL},   {"TRAP", SIGTRAP}, {"ABRT", SIGABRT}, {"IOT", SIGIOT},
        {"BUS", SIGBUS},       {"FPE", SIGFPE},     {"KILL", SIGKILL},     {"USR1", SIGUSR1}, {"SEGV", SIGSEGV}, {"USR2", SIGUSR2}, {"PIPE", SIGPIPE},
        {"ALRM", SIGALRM},     {"TERM", SIGTERM},   {"STKFLT", SIGSTKFLT}, {"CHLD", SIGCHLD}, {"CLD", SIGCHLD},  {"CONT", SIGCONT}, {"STOP", SIGSTOP},
        {"TSTP", SIGTSTP},     {"TTIN", SIGTTIN},   {"TTOU", SIGTTOU},     {"URG", SIGURG},   {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ}, {"PROF", SIGPROF},
        {"VTALRM", SIGVTALRM}, {"WINCH", SIGWINCH}, {"IO", SIGIO},         {"POLL", SIGPOLL}, {"PWR", SIGPWR},   {"SYS", SIGSYS},
};

static int signal_real_time(const char *word) {
        int first = strncasecmp(word, "RTMIN", 5) == 0 ? SIGNAL_RTMIN : strncasecmp(word, "RTMAX", 5) == 0 ? SIGNAL_MAX : 0;
        char *end = (char *) (word + 5);
        long offset = 0;

        if (first == 0)
                return 0;
        if (*end == (first == SIGNAL_MAX ? '-' : '+'))
                offset = strtol(end, &end, 10);
        return *end == '\0' && first + offset >= SIGNAL_RTMIN && first + offset <= SIGNAL_MAX ? (int) (first + offset) : 0;
}

int signal_number(const char *word) {
        char *end;
        long number = strtol(word, &end, 10);

        if (*word && *end == '\0')
                return number > 0 && number <= SIGNAL_MAX ? (int) number : 0;
        if (strncasecmp(word, "SIG", 3) == 0)
                word += 3;
        for (size_t i = 0; i < sizeof signal_names / sizeof *signal_names; i++)
                if (strcasecmp(signal_names[i].name, word) == 0)
                        return signal_names[i].number;
        return signal_real_time(word);
}
