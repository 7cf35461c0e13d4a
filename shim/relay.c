/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "ports.h"
#include "shim.h"

/* Connections between two sockets. Bytes are held only where one end does not take them, and then the other is not read. */
struct end {
        struct source source;
        struct relay *relay;
        struct end *other;
        uint8_t *held; /* what this end has not taken yet */
        size_t at, size;
        bool finished; /* nothing more comes from it */
};

struct relay {
        struct shim *shim;
        struct end client, target;
        bool connecting;
        struct relay *next;
};

#define RELAYS_MAX 1000

static void relay_close(struct relay *relay) {
        struct shim *shim = relay->shim;
        struct relay **link = &shim->relays;
        while (*link != relay)
                link = &(*link)->next;
        *link = relay->next;
        shim->n_relays--;
        loop_close(&shim->loop, &relay->client.source);
        loop_close(&shim->loop, &relay->target.source);
        free(relay->client.held);
        free(relay->target.held);
        free(relay);
}

static int end_watch(struct end *end) {
        const struct relay *relay = end->relay;
        uint32_t events = 0;

        if (relay->connecting)
                return loop_watch(&relay->shim->loop, &end->source, end == &relay->target ? EPOLLOUT : 0);
        if (!end->finished && !end->other->held)
                events |= EPOLLIN;
        if (end->held)
                events |= EPOLLOUT;
        /* Hang-up is reported always: who is not waited for must not wake us again and again. */
        if (events == 0) {
                loop_forget(&relay->shim->loop, &end->source);
                return 0;
        }
        return loop_watch(&relay->shim->loop, &end->source, events);
}

/* Sends what is left. 1: all of it is through, 0: not yet. */
static int end_flush(struct end *end) {
        while (end->at < end->size) {
                ssize_t n = send(end->source.fd, end->held + end->at, end->size - end->at, MSG_NOSIGNAL | MSG_DONTWAIT);
                if (n < 0)
                        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
                end->at += (size_t) n;
        }
        free(end->held);
        end->held = NULL;
        end->at = end->size = 0;
        return 1;
}

static int end_give(struct end *end, const uint8_t *bytes, size_t size) {
        ssize_t n = send(end->source.fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
                return -errno;
        size_t done = n > 0 ? (size_t) n : 0;
        if (done == size)
                return 0;
        end->held = malloc(size - done);
        if (!end->held)
                return -ENOMEM;
        end->size = size - done;
        memcpy(end->held, bytes + done, end->size);
        return 0;
}

static int end_read(struct end *end) {
        struct shim *shim = end->relay->shim;
        ssize_t n = recv(end->source.fd, shim->chunk, sizeof shim->chunk, MSG_DONTWAIT);

        shim_trim_later(shim);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        if (n > 0)
                return end_give(end->other, shim->chunk, (size_t) n);
        end->finished = true;
        return 0;
}

/* The end of one direction is told once everything before it is through. */
static int end_pass_finish(struct end *end) {
        if (!end->other->finished || end->held)
                return 0;
        return shutdown(end->source.fd, SHUT_WR) < 0 && errno != ENOTCONN ? -errno : 0;
}

static int relay_connected(struct relay *relay) {
        int code = 0;
        socklen_t size = sizeof code;

        if (getsockopt(relay->target.source.fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0)
                return -errno;
        if (code != 0)
                return -code;
        relay->connecting = false;
        return 0;
}

static void end_ready(void *owner, uint32_t events) {
        struct end *end = owner;
        struct relay *relay = end->relay;
        int r = relay->connecting ? (end == &relay->target ? relay_connected(relay) : -ECONNRESET) : 0;

        if (r == 0 && events & EPOLLOUT && end->held)
                r = end_flush(end);
        if (r >= 0 && events & (EPOLLIN | EPOLLHUP | EPOLLERR) && !relay->connecting && !end->finished && !end->other->held)
                r = end_read(end);
        if (r >= 0)
                r = end_pass_finish(end->other);
        if (r >= 0)
                r = end_pass_finish(end);
        bool over = relay->client.finished && relay->target.finished && !relay->client.held && !relay->target.held;
        if (r >= 0 && !over)
                r = end_watch(&relay->client);
        if (r >= 0 && !over)
                r = end_watch(&relay->target);
        if (r < 0 || over)
                relay_close(relay);
}

void relay_open(struct port *port, int client) {
        struct shim *shim = port->shim;
        _cleanup_close_ int from = client;
        _cleanup_close_ int to = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (to < 0 || shim->n_relays >= RELAYS_MAX)
                return;
        if (connect(to, (const struct sockaddr *) &port->target, sizeof port->target) < 0 && errno != EINPROGRESS)
                return;
        struct relay *relay = calloc(1, sizeof *relay);
        if (!relay)
                return;
        relay->shim = shim;
        relay->connecting = true;
        relay->client = (struct end){.source = {.fd = take_fd(&from), .ready = end_ready, .owner = &relay->client},
                                     .relay = relay,
                                     .other = &relay->target};
        relay->target = (struct end){.source = {.fd = take_fd(&to), .ready = end_ready, .owner = &relay->target},
                                     .relay = relay,
                                     .other = &relay->client};
        relay->next = shim->relays;
        shim->relays = relay;
        shim->n_relays++;
        if (end_watch(&relay->client) < 0 || end_watch(&relay->target) < 0)
                relay_close(relay);
}

void relay_close_all(struct shim *shim) {
        while (shim->relays)
                relay_close(shim->relays);
}
