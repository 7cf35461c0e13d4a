/* SPDX-License-Identifier: Apache-2.0 */
#include "console-socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"
#include "fd.h"

/* Paths have more room than addresses: a long one is reached through its directory. */
static int console_socket_address(const char *path, struct sockaddr_un *ret, int *ret_directory) {
        const char *slash = strrchr(path, '/');
        char directory[PATH_MAX];

        *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
        if (strlen(path) < sizeof ret->sun_path) {
                (void) strcpy(ret->sun_path, path);
                return 0;
        }
        if (!slash || slash == path || (size_t) (slash - path) >= sizeof directory)
                return -ENAMETOOLONG;
        (void) snprintf(directory, sizeof directory, "%.*s", (int) (slash - path), path);
        *ret_directory = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (*ret_directory < 0)
                return -errno;
        int n = snprintf(ret->sun_path, sizeof ret->sun_path, "/proc/self/fd/%d/%s", *ret_directory, slash + 1);
        return n < (int) sizeof ret->sun_path ? 0 : -ENAMETOOLONG;
}

int console_socket_send(const char *path, int master, struct berth_error *err) {
        static const char name[] = "/dev/ptmx";
        _cleanup_close_ int directory = -1;
        struct sockaddr_un address;

        int r = console_socket_address(path, &address, &directory);
        if (r < 0)
                return berth_error_set(err, -r, "console socket '%s'", path);
        _cleanup_close_ int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (sock < 0 || connect(sock, (struct sockaddr *) &address, sizeof address) < 0)
                return berth_error_set(err, errno, "connect to console socket '%s'", path);
        ssize_t n = fd_send(sock, name, sizeof name - 1, &master, 1, 0);
        return n < 0 ? berth_error_set(err, (int) -n, "send the terminal to '%s'", path) : 0;
}
