/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"

/*
 * rtnetlink without processes. A socket belongs to the network namespace in which it was opened, for ever: the shim opens one
 * in the container's namespace and one in the host's, and needs no namespace change afterwards. All calls are requests with
 * NLM_F_ACK that wait for the kernel's answer.
 */

struct netlink_address {
        int family; /* AF_INET, AF_INET6 */
        uint8_t bytes[16];
        uint8_t prefix;
};

struct netlink_route {
        struct netlink_address to;  /* prefix 0: the default route */
        struct netlink_address via; /* family 0: on-link */
        char link[IFNAMSIZ];
};

#define NETLINK_LOOPBACK 1 /* its index: the kernel makes it first in every namespace */

int netlink_open(int *ret_sock, struct berth_error *err);

int netlink_link_index(int sock, const char *name, uint32_t *ret_index, struct berth_error *err); /* -ENODEV */
/* Whether the link of that index has this name and is up, on any socket, without the lock that all changes of networks take. */
bool netlink_link_is_up(int sock, uint32_t index, const char *name);
int netlink_link_up(int sock, uint32_t index, bool up, struct berth_error *err);
/* Before it goes up for the first time: the kernel gives it no IPv6 address by itself. Success where the kernel has no IPv6. */
int netlink_link_without_ipv6(int sock, uint32_t index, struct berth_error *err);
int netlink_link_delete(int sock, const char *name, struct berth_error *err); /* -ENODEV when it is gone already */
/*
 * A pair by its end in our namespace; `index` is its other end in `netns`, which has gone when this answers. What the kernel does
 * then for 20 to 50 ms is left to a child process, which the caller need only take in when it ends. -ENODEV as above.
 */
int netlink_pair_delete(int sock, const char *name, int netns, uint32_t index, struct berth_error *err);

/* Both ends at once: the near end `name` enslaved to `bridge` (0: none) and up, the far end `peer` born inside `peer_netns_fd`. */
int netlink_veth_create(int sock, const char *name, uint32_t bridge, const char *peer, int peer_netns_fd, const uint8_t peer_mac[6], uint32_t mtu,
                        struct berth_error *err);

/* A network namespace, and a socket of it. */
struct netlink_place {
        int netns, sock;
};

/* Moves a link to another namespace, under another name, with the addresses that somebody gave it. After a failure it is where it was. */
int netlink_link_move(const struct netlink_place *from, const char *name, const struct netlink_place *to, const char *new_name, bool up,
                      struct berth_error *err);

/* -EEXIST when a link of that name exists; *ret_index is set on success. */
int netlink_bridge_create(int sock, const char *name, uint32_t mtu, uint32_t *ret_index, struct berth_error *err);

int netlink_address_add(int sock, uint32_t index, const struct netlink_address *address,
                        struct berth_error *err); /* IPv6 without DAD; EEXIST is success */
int netlink_route_add(int sock, const struct netlink_route *route, struct berth_error *err);
int netlink_route_replace(int sock, const struct netlink_route *route, struct berth_error *err); /* of the same destination */
int netlink_default_route_delete(int sock, int family, struct berth_error *err);                 /* success when there is none */

/*
 * What is there. Each call of `each` lends its argument for that moment; a negative answer ends the list and is returned. -EAGAIN:
 * something changed meanwhile, so that an entry may be missing; begin anew.
 */
struct netlink_link {
        uint32_t index, master, mtu;
        char name[IFNAMSIZ], kind[32]; /* kind: "bridge", "veth", …; "" for hardware and loopback */
        bool up;
};
typedef int (*netlink_link_fn)(const struct netlink_link *link, void *data);
int netlink_links(int sock, netlink_link_fn each, void *data, struct berth_error *err);
int netlink_link_get(int sock, const char *name, struct netlink_link *ret, struct berth_error *err); /* -ENODEV */

typedef int (*netlink_address_fn)(uint32_t index, const struct netlink_address *address, void *data);
/* `index` 0: of all links. */
int netlink_addresses(int sock, uint32_t index, netlink_address_fn each, void *data, struct berth_error *err);
int netlink_address_delete(int sock, uint32_t index, const struct netlink_address *address, struct berth_error *err); /* -EADDRNOTAVAIL */

/* Unicast routes of the main table. `index` is the outgoing link's (0: several or none); route->link is left empty. */
typedef int (*netlink_route_fn)(uint32_t index, const struct netlink_route *route, void *data);
int netlink_routes(int sock, netlink_route_fn each, void *data, struct berth_error *err);

/* What leaves for a port of an address of the sandbox's own goes to another port of it. */
struct netlink_redirect {
        uint32_t address; /* network order */
        uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP */
        uint16_t from, to;
};
/* `sock`: NETLINK_NETFILTER, in the sandbox. All or none. */
int netlink_redirect(int sock, const struct netlink_redirect *redirects, size_t n, struct berth_error *err);

/* Makes a new network namespace for the calling (single-threaded!) process's use without leaving the process in it; loopback is up. */
int netns_create(int *ret_netns_fd, int *ret_netlink_sock, struct berth_error *err);
/* A socket of one that is there already; nothing is changed there. */
int netns_adopt(int netns, int *ret_netlink_sock, struct berth_error *err);
/* Of the calling thread, for the way back from another one. */
int netns_open_home(int *ret_fd, struct berth_error *err);
int netns_leave(int home, struct berth_error *err);

/* Parses "10.0.0.1/24", "fe80::1" (prefix 32/128). */
int netlink_address_parse(const char *text, struct netlink_address *ret, struct berth_error *err);
