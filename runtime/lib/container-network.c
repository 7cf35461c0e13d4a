/* SPDX-License-Identifier: Apache-2.0 */
#include "container-network.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"

static int container_network_configure(int sock, const struct keeper_plan *keeper, struct berth_error *err) {
        uint32_t index;
        int r = netlink_link_index(sock, keeper->link, &index, err);
        bool has_ipv6 = false;

        for (uint32_t i = 0; i < keeper->n_addresses; i++)
                has_ipv6 = has_ipv6 || keeper->addresses[i].family == AF_INET6;
        /* A link-local address that nobody asked for would be a way to the host around rules that know IPv4 alone. */
        if (r == 0 && !has_ipv6)
                r = netlink_link_without_ipv6(sock, index, err);
        for (uint32_t i = 0; r == 0 && i < keeper->n_addresses; i++)
                r = netlink_address_add(sock, index, &keeper->addresses[i], err);
        if (r == 0)
                r = netlink_link_up(sock, index, true, err);
        for (uint32_t i = 0; r == 0 && i < keeper->n_routes; i++)
                r = netlink_route_add(sock, &keeper->routes[i], err);
        return r;
}

/* A link of that name is what an earlier run of the same container left to the kernel to remove, or could not remove itself. */
static int container_network_link(struct container *container, uint32_t bridge, struct berth_error *err) {
        const struct keeper_plan *keeper = plan_keeper(container->plan);

        for (bool again = false;; again = true) {
                int r = netlink_veth_create(container->host_netlink, keeper->host_link, bridge, keeper->link, container->netns, keeper->mac,
                                            keeper->mtu, err);
                if (r != -EEXIST || again)
                        return r;
                r = netlink_link_delete(container->host_netlink, keeper->host_link, err);
                if (r < 0 && r != -ENODEV)
                        return r;
        }
}

int container_network_adopt(struct container *container, struct berth_error *err) {
        _cleanup_close_ int netns = -1;
        char path[48];

        (void) snprintf(path, sizeof path, "/proc/%d/ns/net", (int) container->init.pid);
        netns = open(path, O_RDONLY | O_CLOEXEC);
        if (netns < 0)
                return berth_error_set(err, errno, "open the container's network namespace");
        /* One that was prepared belongs to the host's users. */
        cleanup_close(&container->netlink);
        cleanup_close(&container->netns);
        container->netlink = container->netns = -1;
        int r = netns_adopt(netns, &container->netlink, err);
        return r < 0 ? r : give_fd(&container->netns, &netns);
}

int container_network_up(struct container *container, struct berth_error *err) {
        const struct keeper_plan *keeper = plan_keeper(container->plan);
        uint32_t bridge = 0;

        if (!keeper || keeper->network != PLAN_NETWORK_VETH)
                return 0;
        if (strlen(keeper->host_link) >= IFNAMSIZ || strlen(keeper->link) >= IFNAMSIZ)
                return berth_error_set(err, ENAMETOOLONG, "link names '%s', '%s'", keeper->host_link, keeper->link);

        int r = container->host_netlink < 0 ? netlink_open(&container->host_netlink, err) : 0;
        if (r == 0 && *keeper->bridge)
                r = netlink_link_index(container->host_netlink, keeper->bridge, &bridge, err);
        if (r == 0)
                r = container_network_link(container, bridge, err);
        if (r < 0)
                return berth_error_prefix(err, "connect the container to '%s'", keeper->bridge);
        (void) strcpy(container->host_link, keeper->host_link);

        r = container_network_configure(container->netlink, keeper, err);
        return r < 0 ? berth_error_prefix(err, "configure '%s' of the container", keeper->link) : 0;
}

int container_network_down(struct container *container, struct berth_error *err) {
        int r = 0;

        if (*container->host_link) {
                /*
                 * Deleting it would wait 20 to 50 ms for the kernel. Down it carries nothing any more, and both ends go, soon and without
                 * anybody waiting, with the namespace, which nobody holds once the descriptors are closed.
                 */
                uint32_t index = 0;
                r = netlink_link_index(container->host_netlink, container->host_link, &index, err);
                if (r == 0)
                        r = netlink_link_up(container->host_netlink, index, false, err);
                if (r == -ENODEV) /* it went with the namespace */
                        r = 0;
                *container->host_link = '\0';
        }
        cleanup_close(&container->host_netlink);
        cleanup_close(&container->netlink);
        cleanup_close(&container->netns);
        container->host_netlink = container->netlink = container->netns = -1;
        return r;
}
