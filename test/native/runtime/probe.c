/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void probe_trapped(int sig) {
        static const char word[] = "trapped\n";
        (void) sig;
        _exit(write(1, word, sizeof word - 1) > 0 ? 0 : 1);
}

/* probe NUMBER [ARGUMENT…]: makes that system call inside a container and prints the errno, 0 on success, or that a signal came instead. */
int main(int argc, char **argv) {
        long args[7] = {0};

        (void) signal(SIGSYS, probe_trapped);
        for (int i = 1; i < argc && i <= 7; i++)
                args[i - 1] = (long) strtoull(argv[i], NULL, 0);
        long r = syscall(args[0], args[1], args[2], args[3], args[4], args[5], args[6]);
        (void) printf("%d\n", r < 0 ? errno : 0);
        return 0;
}
