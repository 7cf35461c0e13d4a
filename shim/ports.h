/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <netinet/in.h>

#include "loop.h"

struct shim;
struct relay;
struct flow;

/*
 * Published ports. Their sockets on the host keep everybody else from taking them, and pass on what no rule of the firewall
 * leads to the container: what comes from the host's loopback, or by IPv6.
 */
struct port {
        struct source source;
        struct timer pause; /* without descriptors for another connection */
        struct shim *shim;
        uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP */
        struct sockaddr_in6 host; /* or a sockaddr_in */
        struct sockaddr_in target;
        struct flow *flows;  /* UDP */
        struct timer expiry; /* armed while there are flows */
        struct port *next;
};

struct port_address {
        uint8_t protocol;
        const char *host; /* "": every address of both families */
        uint16_t host_port;
};

/* Takes the port, or leads one that is ours elsewhere. -EADDRINUSE: somebody else has it. */
int ports_publish(struct shim *shim, const struct port_address *address, const struct sockaddr_in *target, struct berth_error *err);
/* -ENOENT when it is not published. */
int ports_withdraw(struct shim *shim, const struct port_address *address, struct berth_error *err);
/* Every port and connection. */
void ports_release(struct shim *shim);

/* A connection that has come to a TCP port, passed on to its target; the descriptor is the relay's in any case. */
void relay_open(struct port *port, int client);
void relay_close_all(struct shim *shim);

/* Datagrams wait at a UDP port. */
void flow_receive(struct port *port);
void flow_close_all(struct port *port);
