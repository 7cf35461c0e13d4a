/* SPDX-License-Identifier: Apache-2.0 */
#include "ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "shim.h"

#define PORT_BACKLOG 512
#define PORT_PAUSE_MS 200

static socklen_t port_address_size(const struct sockaddr_in6 *host) {
        return host->sin6_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static int port_parse(const struct port_address *address, struct sockaddr_in6 *ret, struct berth_error *err) {
        struct sockaddr_in *old = (struct sockaddr_in *) (void *) ret;

        *ret = (struct sockaddr_in6){0};
        if (address->protocol != IPPROTO_TCP && address->protocol != IPPROTO_UDP)
                return berth_error_set(err, EPROTONOSUPPORT, "ports of protocol %u cannot be published", address->protocol);
        if (inet_pton(AF_INET, address->host, &old->sin_addr) == 1) {
                old->sin_family = AF_INET;
                old->sin_port = htons(address->host_port);
                return 0;
        }
        if (*address->host && inet_pton(AF_INET6, address->host, &ret->sin6_addr) != 1)
                return berth_error_set(err, EINVAL, "'%s' is not an address", address->host);
        ret->sin6_family = AF_INET6;
        ret->sin6_port = htons(address->host_port);
        return 0;
}

static struct port *port_find(struct shim *shim, uint8_t protocol, const struct sockaddr_in6 *host) {
        for (struct port *port = shim->ports; port; port = port->next)
                if (port->protocol == protocol && memcmp(&port->host, host, sizeof *host) == 0)
                        return port;
        return NULL;
}

static int port_bind(uint8_t protocol, const struct sockaddr_in6 *host, bool both_families, int *ret_fd) {
        int type = protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM, on = 1, only = !both_families;
        _cleanup_close_ int fd = socket(host->sin6_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0)
                return -errno;
        /* Connections of before that are still closing keep nobody from the port. */
        if (type == SOCK_STREAM && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
                return -errno;
        if (host->sin6_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) < 0)
                return -errno;
        if (bind(fd, (const struct sockaddr *) host, port_address_size(host)) < 0)
                return -errno;
        if (type == SOCK_STREAM && listen(fd, PORT_BACKLOG) < 0)
                return -errno;
        return give_fd(ret_fd, &fd);
}

/* A host without IPv6 has half of its addresses. */
static int port_open(const struct port *port, bool everywhere, int *ret_fd) {
        int r = port_bind(port->protocol, &port->host, everywhere, ret_fd);

        if (everywhere && (r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL)) {
                struct sockaddr_in6 host = {0};
                struct sockaddr_in *old = (struct sockaddr_in *) (void *) &host;
                old->sin_family = AF_INET;
                old->sin_port = port->host.sin6_port;
                r = port_bind(port->protocol, &host, false, ret_fd);
        }
        return r;
}

static void port_resume(void *owner) {
        struct port *port = owner;
        if (loop_watch(&port->shim->loop, &port->source, EPOLLIN) < 0)
                loop_arm(&port->shim->loop, &port->pause, PORT_PAUSE_MS);
}

static void port_ready(void *owner, uint32_t events) {
        struct port *port = owner;
        (void) events;
        if (port->protocol == IPPROTO_UDP) {
                flow_receive(port);
                return;
        }
        int client = accept4(port->source.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (client >= 0) {
                relay_open(port, client);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                loop_forget(&port->shim->loop, &port->source);
                loop_arm(&port->shim->loop, &port->pause, PORT_PAUSE_MS);
        }
}

static void port_close(struct port *port) {
        struct shim *shim = port->shim;
        flow_close_all(port);
        loop_disarm(&shim->loop, &port->pause);
        loop_disarm(&shim->loop, &port->expiry);
        loop_close(&shim->loop, &port->source);
        free(port);
}

int ports_publish(struct shim *shim, const struct port_address *address, const struct sockaddr_in *target, struct berth_error *err) {
        struct sockaddr_in6 host;
        int r = port_parse(address, &host, err);
        if (r < 0)
                return r;
        struct port *known = port_find(shim, address->protocol, &host);
        if (known) {
                known->target = *target;
                flow_close_all(known);
                return 0;
        }
        struct port *port = calloc(1, sizeof *port);
        if (!port)
                return berth_error_set(err, ENOMEM, "publish a port");
        port->shim = shim;
        port->protocol = address->protocol;
        port->host = host;
        port->target = *target;
        port->source = (struct source){.fd = -1, .ready = port_ready, .owner = port};
        port->pause = (struct timer){.fire = port_resume, .owner = port};
        r = port_open(port, *address->host == '\0', &port->source.fd);
        if (r == 0)
                r = loop_watch(&shim->loop, &port->source, EPOLLIN);
        if (r < 0) {
                port_close(port);
                return berth_error_set(err, -r, "take the port %s:%u", address->host, address->host_port);
        }
        port->next = shim->ports;
        shim->ports = port;
        return 0;
}

int ports_withdraw(struct shim *shim, const struct port_address *address, struct berth_error *err) {
        struct sockaddr_in6 host;
        int r = port_parse(address, &host, err);
        if (r < 0)
                return r;
        struct port *port = port_find(shim, address->protocol, &host);
        if (!port)
                return berth_error_set(err, ENOENT, "the port %s:%u is not published", address->host, address->host_port);
        struct port **link = &shim->ports;
        while (*link != port)
                link = &(*link)->next;
        *link = port->next;
        port_close(port);
        return 0;
}

void ports_release(struct shim *shim) {
        while (shim->ports) {
                struct port *port = shim->ports;
                shim->ports = port->next;
                port_close(port);
        }
        relay_close_all(shim);
}
