/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* swap A B: exchanges the two names as fast as it can until standard input ends, and prints how often it did. */
int main(int argc, char **argv) {
        struct pollfd end = {.fd = STDIN_FILENO, .events = POLLIN};
        unsigned long swaps = 0;

        if (argc != 3)
                return 2;
        while (poll(&end, 1, 0) == 0)
                for (int i = 0; i < 64; i++)
                        swaps += syscall(SYS_renameat2, AT_FDCWD, argv[1], AT_FDCWD, argv[2], 2 /* RENAME_EXCHANGE */) == 0;
        (void) printf("%lu\n", swaps);
        return 0;
}
