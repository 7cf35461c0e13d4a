/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hooks.h"

/*
 * Runs hooks as the runtime does: driver one|all [TIMEOUT PATH ARGUMENT… [-e ENTRY]… --]…
 * Prints "ANSWER CODE TEXT"; then whether a child or a descriptor was left ("left …").
 */

#define DRIVER_STRINGS 64

static int driver_count_descriptors(void) {
        int n = 0;
        for (int fd = 0; fd < 256; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

int main(int argc, char **argv) {
        static const char *strings[DRIVER_STRINGS];
        struct plan_hook hooks[8];
        struct plan_container container = {.hooks = hooks, .state = "\"ociVersion\":\"1.2.0\",\"id\":\"box\",\"bundle\":\"/b\""};
        struct berth_error err = {0};
        size_t used = 0;
        sigset_t blocked;

        for (int i = 2; i + 1 < argc; i++) {
                struct plan_hook *hook = &hooks[container.n_hooks++];
                *hook = (struct plan_hook){.kind = PLAN_HOOK_CREATE_RUNTIME, .timeout = (uint32_t) atoi(argv[i]), .path = argv[i + 1]};
                hook->argv = &strings[used];
                for (i += 2; i < argc && strcmp(argv[i], "--") != 0 && strcmp(argv[i], "-e") != 0; i++)
                        strings[used++] = argv[i];
                used++;
                hook->envp = &strings[used];
                for (; i < argc && strcmp(argv[i], "--") != 0; i += 2)
                        strings[used++] = argv[i + 1];
                used++;
        }

        /* What a hook must not inherit. */
        (void) dup2(1, 9);
        (void) signal(SIGPIPE, SIG_IGN);
        (void) sigfillset(&blocked);
        (void) sigprocmask(SIG_BLOCK, &blocked, NULL);

        int before = driver_count_descriptors();
        int r = strcmp(argv[1], "all") == 0 ? hooks_run_all(&container, PLAN_HOOK_CREATE_RUNTIME, "creating", 42, &err)
                                            : hooks_run(&container, PLAN_HOOK_CREATE_RUNTIME, "creating", 42, &err);
        printf("%d %d %s\n", r, err.code, err.text);
        if (hooks_run(&container, PLAN_HOOK_POSTSTOP, "stopped", 0, &err) != 0)
                printf("a hook of another kind was run\n");
        printf("left %d descriptors, %s\n", driver_count_descriptors() - before,
               waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD ? "no child" : "a child");
        return 0;
}
