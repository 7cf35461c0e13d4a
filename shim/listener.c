/* SPDX-License-Identifier: Apache-2.0 */
#include "listener.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"
#include "peer.h"
#include "shim.h"

#define LISTENER_PAUSE_MS 200

static void listener_watch(void *owner) {
        struct shim *shim = owner;
        int r = loop_watch(&shim->loop, &shim->listener.source, EPOLLIN);
        if (r >= 0)
                return;
        struct berth_error err;
        (void) berth_error_set(&err, -r, "watch shim.sock");
        shim_report(shim, &err);
        loop_arm(&shim->loop, &shim->listener.pause, LISTENER_PAUSE_MS);
}

/* A connection that waits keeps the socket ready: without the means to take it we would go round in circles. */
static void listener_pause(struct shim *shim) {
        loop_forget(&shim->loop, &shim->listener.source);
        loop_arm(&shim->loop, &shim->listener.pause, LISTENER_PAUSE_MS);
}

static void listener_accept(void *owner, uint32_t events) {
        struct shim *shim = owner;
        (void) events;
        _cleanup_close_ int sock = accept4(shim->listener.source.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (sock < 0) {
                if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                        listener_pause(shim);
                return;
        }
        if (!peer_is_trusted(shim, sock))
                return;
        struct berth_error err;
        if (server_adopt(shim, sock, false, &err) < 0)
                shim_report(shim, &err);
        if (shim->server.daemon.fd == sock)
                (void) take_fd(&sock);
}

/* The path of a socket has 107 bytes at most, our directories may be longer: it is reached through the directory's descriptor. */
int listener_open(struct shim *shim, struct berth_error *err) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        (void) snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/shim.sock", shim->record.directory);
        _cleanup_close_ int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (sock < 0)
                return berth_error_set(err, errno, "create shim.sock");
        mode_t mask = umask(0177);
        int r = bind(sock, (const struct sockaddr *) &address, sizeof(address));
        int code = errno;
        (void) umask(mask);
        if (r < 0)
                return berth_error_set(err, code, "bind shim.sock");
        if (listen(sock, 16) < 0)
                return berth_error_set(err, errno, "listen on shim.sock");
        shim->listener = (struct listener){
                .source = {.fd = take_fd(&sock), .ready = listener_accept, .owner = shim},
                .pause = {.fire = listener_watch, .owner = shim},
        };
        r = loop_watch(&shim->loop, &shim->listener.source, EPOLLIN);
        return r < 0 ? berth_error_set(err, -r, "watch shim.sock") : 0;
}

void listener_close(struct shim *shim) {
        loop_disarm(&shim->loop, &shim->listener.pause);
        loop_close(&shim->loop, &shim->listener.source);
}
