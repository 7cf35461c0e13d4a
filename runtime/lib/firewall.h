/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../include/berth.h"
#include "nft.h"

/*
 * Our table in the family inet: everything of ours in the host's firewall. Rules are the same for any number of bridges and ports,
 * which are elements of its sets and maps.
 */

struct firewall_change {
        const char *table;
        const struct berth_firewall_bridge *bridges;
        const struct berth_firewall_port *ports;
        size_t n_bridges, n_ports;
};

/*
 * Replaces the table, whatever stood there, in one transaction. Where the kernel can (6.9), it belongs to the socket: nobody else
 * changes or flushes it while the socket is open, and it stays, as everybody's, when it is closed. 1: it is owned, 0: it is not.
 */
int firewall_write(int sock, const struct firewall_change *contents, bool drop_others, struct berth_error *err);
int firewall_remove(int sock, const char *table, struct berth_error *err); /* success when there is none */
/* Elements of a table that stands. -ENOENT: one that is taken away is not there; nothing is changed then. */
int firewall_change(int sock, const struct firewall_change *change, bool add, struct berth_error *err);

/* 1: there is such a table in the family inet, 0: there is none. */
int firewall_has_table(const char *name, struct berth_error *err);

/* A base chain of anybody's, as far as forwarded traffic is concerned. */
struct firewall_chain {
        uint8_t family;
        bool forwards, drops; /* hook and policy */
        const char *table, *name;
};
/* What a message of the kernel tells of a chain; false: nothing, or it is none. Texts live as long as the message. */
bool firewall_chain_read(const struct nlmsghdr *message, struct firewall_chain *ret);
typedef int (*firewall_chain_fn)(const struct firewall_chain *chain, void *data);
int firewall_chains(firewall_chain_fn each, void *data, struct berth_error *err);
