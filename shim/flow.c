/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "ports.h"
#include "shim.h"

/* What one client sends to a UDP port, and the answers, which come to a socket of their own. */
struct flow {
        struct source source;
        struct port *port;
        struct sockaddr_in6 client; /* or a sockaddr_in */
        socklen_t client_size;
        int64_t used; /* s of CLOCK_MONOTONIC */
        struct flow *next;
};

#define FLOWS_MAX 256
#define FLOW_IDLE_S 90
#define FLOW_LOOK_MS 30000

static int64_t flow_now(void) {
        struct timespec now;
        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t) now.tv_sec;
}

static void flow_close(struct flow **link) {
        struct flow *flow = *link;
        *link = flow->next;
        loop_close(&flow->port->shim->loop, &flow->source);
        free(flow);
}

void flow_close_all(struct port *port) {
        while (port->flows)
                flow_close(&port->flows);
}

static void flow_expire(void *owner) {
        struct port *port = owner;
        int64_t oldest = flow_now() - FLOW_IDLE_S;

        for (struct flow **link = &port->flows; *link;)
                if ((*link)->used < oldest)
                        flow_close(link);
                else
                        link = &(*link)->next;
        if (port->flows)
                loop_arm(&port->shim->loop, &port->expiry, FLOW_LOOK_MS);
}

static void flow_ready(void *owner, uint32_t events) {
        struct flow *flow = owner;
        struct shim *shim = flow->port->shim;
        (void) events;
        ssize_t n = recv(flow->source.fd, shim->chunk, sizeof shim->chunk, MSG_DONTWAIT);

        shim_trim_later(shim);
        if (n < 0) /* nobody listens there: the client will find out, or try again */
                return;
        flow->used = flow_now();
        (void) sendto(flow->port->source.fd, shim->chunk, (size_t) n, MSG_DONTWAIT, (const struct sockaddr *) &flow->client, flow->client_size);
}

static struct flow *flow_open(struct port *port, const struct sockaddr_in6 *client, socklen_t client_size) {
        _cleanup_close_ int fd = -1;
        struct flow **last = &port->flows;
        unsigned n = 0;

        for (; *last; last = &(*last)->next, n++)
                if (n + 1 >= FLOWS_MAX && !(*last)->next)
                        break;
        if (*last) /* the one that was used least lately is at the end */
                flow_close(last);
        fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || connect(fd, (const struct sockaddr *) &port->target, sizeof port->target) < 0)
                return NULL;
        struct flow *flow = calloc(1, sizeof *flow);
        if (!flow)
                return NULL;
        *flow = (struct flow){.source = {.fd = take_fd(&fd), .ready = flow_ready, .owner = flow}, .port = port, .client_size = client_size};
        memcpy(&flow->client, client, client_size);
        if (loop_watch(&port->shim->loop, &flow->source, EPOLLIN) < 0) {
                loop_close(&port->shim->loop, &flow->source);
                free(flow);
                return NULL;
        }
        if (!port->flows) {
                port->expiry = (struct timer){.fire = flow_expire, .owner = port};
                loop_arm(&port->shim->loop, &port->expiry, FLOW_LOOK_MS);
        }
        return flow;
}

/* Found ones move to the front. */
static struct flow *flow_of(struct port *port, const struct sockaddr_in6 *client, socklen_t client_size) {
        struct flow *flow = NULL;
        struct flow **link = &port->flows;

        while (*link && ((*link)->client_size != client_size || memcmp(&(*link)->client, client, client_size) != 0))
                link = &(*link)->next;
        if (*link) {
                flow = *link;
                *link = flow->next;
        } else {
                flow = flow_open(port, client, client_size);
        }
        if (flow) {
                flow->next = port->flows;
                port->flows = flow;
        }
        return flow;
}

void flow_receive(struct port *port) {
        struct shim *shim = port->shim;
        struct sockaddr_in6 client = {0};
        socklen_t size = sizeof client;
        ssize_t n = recvfrom(port->source.fd, shim->chunk, sizeof shim->chunk, MSG_DONTWAIT, (struct sockaddr *) &client, &size);

        shim_trim_later(shim);
        if (n < 0 || size > sizeof client)
                return;
        struct flow *flow = flow_of(port, &client, size);
        if (!flow)
                return;
        flow->used = flow_now();
        (void) send(flow->source.fd, shim->chunk, (size_t) n, MSG_DONTWAIT | MSG_NOSIGNAL);
}
