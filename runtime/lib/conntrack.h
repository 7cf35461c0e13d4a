/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../include/berth.h"
#include "nft.h"

/* A flow that the kernel knows (IPv4, with ports); addresses and ports in network order. */
struct conntrack_flow {
        uint8_t protocol;
        struct {
                uint32_t source, destination;
                uint16_t source_port, destination_port;
        } original, reply;
        const struct rtattr *tuple, *id, *zone; /* lent by the message; `id` and `zone` may be NULL */
};

/* False: the message is of no such flow. */
bool conntrack_read(const struct nlmsghdr *message, struct conntrack_flow *ret);

/*
 * Forgets flows that go by these ports of the host: those that were led to the container, and datagrams that would go on past a
 * port that leads there from now on. A client that goes on sending makes a new flow by the rules as they are.
 */
int conntrack_forget(const struct berth_firewall_port *ports, size_t n, struct berth_error *err);
