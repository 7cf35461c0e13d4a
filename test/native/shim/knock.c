/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Says HELLO to the shim whose socket argv[1] names, and prints whether it answers. */
int main(int argc, char **argv) {
        static const unsigned char hello[] = {4, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0};
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        char answer[256];
        if (argc != 2 || strlen(argv[1]) >= sizeof(address.sun_path))
                return 2;
        strcpy(address.sun_path, argv[1]);
        int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (sock < 0 || connect(sock, (const struct sockaddr *) &address, sizeof(address)) < 0) {
                perror("connect");
                return 1;
        }
        ssize_t n = send(sock, hello, sizeof(hello), MSG_NOSIGNAL);
        n = n < 0 ? n : recv(sock, answer, sizeof(answer), 0);
        (void) puts(n > 0 ? "answered" : "turned away");
        return 0;
}
