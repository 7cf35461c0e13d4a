/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* probe NUMBER [ARGUMENT…]: makes that system call inside a container and prints the errno, 0 on success. */
int main(int argc, char **argv) {
        long args[7] = {0};

        for (int i = 1; i < argc && i <= 7; i++)
                args[i - 1] = (long) strtoull(argv[i], NULL, 0);
        long r = syscall(args[0], args[1], args[2], args[3], args[4], args[5], args[6]);
        (void) printf("%d\n", r < 0 ? errno : 0);
        return 0;
}
