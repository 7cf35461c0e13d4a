/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "container.h"

/* A pair of links: one end on a bridge of the host, the other in the sandbox. */
struct container_link {
        const char *host_name, *bridge, *name; /* bridge "": none */
        uint8_t mac[6];
        uint32_t mtu; /* 0: the kernel's default */
        const struct netlink_address *addresses;
        uint32_t n_addresses;
        const struct netlink_route *routes;
        uint32_t n_routes;
};

/* Adds a link to a sandbox that stands, also of a running container. On failure container_network_unlink takes away what was made. */
int container_network_link(struct container *container, const struct container_link *link, struct berth_error *err);
/* -ENOENT when the container has no such link. The link has gone when it answers; a child may live on for some 50 ms. */
int container_network_unlink(struct container *container, const char *host_name, struct berth_error *err);

/*
 * Sockets of the sandbox at 127.0.0.11, UDP and listening TCP on ports of the kernel's choice, to which port 53 of that address is
 * redirected; so a container may still serve DNS itself on all its addresses.
 */
int container_network_dns(const struct container *container, int *ret_udp, int *ret_tcp, struct berth_error *err);

/* Links of the sandbox: what the keeper's plan says, made from our side while the container's init prepares itself. */
/* Takes the namespace of the waiting process, which was made with it, as the sandbox. */
int container_network_adopt(struct container *container, struct berth_error *err);
int container_network_up(struct container *container, struct berth_error *err);
/* linux.netDevices: links of the host move into the sandbox. */
int container_network_take(struct container *container, struct berth_error *err);
/* Links that a container took whose maker has gone go back, as container_network_down does it. `up`: its taken_up. */
int container_network_recover(struct plan *plan, int netns, uint64_t up, struct berth_error *err);
int container_network_down(struct container *container, struct berth_error *err);
