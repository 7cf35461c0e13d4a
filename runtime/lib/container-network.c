/* SPDX-License-Identifier: Apache-2.0 */
#include "container-network.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "plan-internal.h"

static int container_network_configure(int sock, const struct container_link *link, uint32_t *ret_index, struct berth_error *err) {
        uint32_t index;
        int r = netlink_link_index(sock, link->name, &index, err);
        bool has_ipv6 = false;

        if (r == 0)
                *ret_index = index;

        for (uint32_t i = 0; i < link->n_addresses; i++)
                has_ipv6 = has_ipv6 || link->addresses[i].family == AF_INET6;
        /* A link-local address that nobody asked for would be a way to the host around rules that know IPv4 alone. */
        if (r == 0 && !has_ipv6)
                r = netlink_link_without_ipv6(sock, index, err);
        for (uint32_t i = 0; r == 0 && i < link->n_addresses; i++)
                r = netlink_address_add(sock, index, &link->addresses[i], err);
        if (r == 0)
                r = netlink_link_up(sock, index, true, err);
        for (uint32_t i = 0; r == 0 && i < link->n_routes; i++)
                r = netlink_route_add(sock, &link->routes[i], err);
        return r;
}

/* A link of that name is what an earlier run of the same container left to the kernel to remove, or could not remove itself. */
static int container_network_veth(struct container *container, const struct container_link *link, struct berth_error *err) {
        uint32_t bridge = 0;
        int r = *link->bridge ? netlink_link_index(container->host_netlink, link->bridge, &bridge, err) : 0;

        for (bool again = false; r == 0; again = true) {
                r = netlink_veth_create(container->host_netlink, link->host_name, bridge, link->name, container->netns, link->mac, link->mtu, err);
                if (r != -EEXIST || again)
                        break;
                r = netlink_link_delete(container->host_netlink, link->host_name, err);
                if (r == -ENODEV)
                        r = 0;
        }
        return r;
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
        if (r == 0)
                r = netlink_link_up(container->netlink, NETLINK_LOOPBACK, true, err);
        return r < 0 ? r : give_fd(&container->netns, &netns);
}

int container_network_link(struct container *container, const struct container_link *link, struct berth_error *err) {
        if (strlen(link->host_name) >= IFNAMSIZ || strlen(link->name) >= IFNAMSIZ)
                return berth_error_set(err, ENAMETOOLONG, "link names '%s', '%s'", link->host_name, link->name);
        if (container->n_links == CONTAINER_LINKS_MAX)
                return berth_error_set(err, EMLINK, "a container has at most %d links", CONTAINER_LINKS_MAX);

        int r = container->host_netlink < 0 ? netlink_open(&container->host_netlink, err) : 0;
        if (r == 0)
                r = container_network_veth(container, link, err);
        if (r < 0)
                return berth_error_prefix(err, "connect the container to '%s'", link->bridge);
        uint32_t *index = &container->links[container->n_links].index;
        *index = 0;
        (void) strcpy(container->links[container->n_links++].host_name, link->host_name);

        r = container_network_configure(container->netlink, link, index, err);
        return r < 0 ? berth_error_prefix(err, "configure '%s' of the container", link->name) : 0;
}

int container_network_unlink(struct container *container, const char *host_name, struct berth_error *err) {
        for (uint32_t i = 0; i < container->n_links; i++) {
                if (strcmp(container->links[i].host_name, host_name) != 0)
                        continue;
                int r = netlink_pair_delete(container->host_netlink, host_name, container->netns, container->links[i].index, err);
                if (r < 0 && r != -ENODEV)
                        return r;
                memmove(&container->links[i], &container->links[i + 1], (container->n_links - i - 1) * sizeof container->links[0]);
                container->n_links--;
                return 0;
        }
        return berth_error_set(err, ENOENT, "the container has no link '%s'", host_name);
}

int container_network_up(struct container *container, struct berth_error *err) {
        const struct keeper_plan *keeper = plan_keeper(container->plan);

        if (!keeper || keeper->network != PLAN_NETWORK_VETH)
                return 0;
        struct container_link link = {
                .host_name = keeper->host_link,
                .bridge = keeper->bridge,
                .name = keeper->link,
                .mtu = keeper->mtu,
                .addresses = keeper->addresses,
                .n_addresses = keeper->n_addresses,
                .routes = keeper->routes,
                .n_routes = keeper->n_routes,
        };
        memcpy(link.mac, keeper->mac, sizeof link.mac);
        return container_network_link(container, &link, err);
}

/* A namespace that is joined by its path is another's: nothing but the links is changed there. */
static int container_network_join(struct container *container, struct berth_error *err) {
        const struct plan_namespace *network = plan_namespace_of(&container->plan->container, CLONE_NEWNET);
        _cleanup_close_ int netns = network ? open(network->path, O_RDONLY | O_CLOEXEC) : -1;

        if (netns < 0)
                return berth_error_set(err, network ? errno : EINVAL, "open the container's network namespace");
        int r = netns_adopt(netns, &container->netlink, err);
        return r < 0 ? r : give_fd(&container->netns, &netns);
}

int container_network_take(struct container *container, struct berth_error *err) {
        const struct plan_container *plan = &container->plan->container;
        int r = 0;

        if (plan->n_net_devices == 0)
                return 0;
        if (plan->n_net_devices > PLAN_NET_DEVICES_MAX)
                return berth_error_set(err, E2BIG, "more than %d network devices", PLAN_NET_DEVICES_MAX);
        if (container->netns < 0)
                r = container_network_join(container, err);
        if (r == 0 && container->host_netlink < 0)
                r = netlink_open(&container->host_netlink, err);
        _cleanup_close_ int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        if (r == 0 && home < 0)
                r = berth_error_set(err, errno, "open our own network namespace");
        const struct netlink_place host = {.netns = home, .sock = container->host_netlink};
        const struct netlink_place sandbox = {.netns = container->netns, .sock = container->netlink};
        for (uint32_t i = 0; r == 0 && i < plan->n_net_devices; i++) {
                struct netlink_link link;
                r = netlink_link_get(host.sock, plan->net_devices[i].key, &link, err);
                if (r == 0)
                        r = netlink_link_move(&host, plan->net_devices[i].key, &sandbox, plan->net_devices[i].value, true, err);
                if (r < 0)
                        break;
                container->taken_up |= (uint64_t) link.up << i;
                container->n_taken++;
        }
        return r;
}

/* The kernel would remove them with the namespace. */
static int container_network_return(struct container *container, struct berth_error *err) {
        struct berth_error later;
        int first = 0;

        if (container->n_taken == 0)
                return 0;
        _cleanup_close_ int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        const struct netlink_place host = {.netns = home, .sock = container->host_netlink};
        const struct netlink_place sandbox = {.netns = container->netns, .sock = container->netlink};
        for (uint32_t i = 0; i < container->n_taken; i++) {
                const struct plan_pair *device = &container->plan->container.net_devices[i];
                int r = netlink_link_move(&sandbox, device->value, &host, device->key, container->taken_up >> i & 1, first ? &later : err);
                if (r < 0 && first == 0)
                        first = r;
        }
        container->n_taken = 0;
        container->taken_up = 0;
        return first;
}

int container_network_recover(struct plan *plan, int netns, uint64_t up, struct berth_error *err) {
        _cleanup_close_ int inside = -1, outside = -1;

        int r = netns_adopt(netns, &inside, err);
        if (r == 0)
                r = netlink_open(&outside, err);
        if (r < 0)
                return r;
        struct container container = CONTAINER_NONE;
        container.plan = plan;
        container.netns = netns;
        container.netlink = inside;
        container.host_netlink = outside;
        container.n_taken = plan->container.n_net_devices;
        container.taken_up = up;
        return container_network_return(&container, err);
}

int container_network_down(struct container *container, struct berth_error *err) {
        int r = container_network_return(container, err), first = r;

        while (container->n_links > 0) {
                /*
                 * Deleting it would wait 20 to 50 ms for the kernel. Down it carries nothing any more, and both ends go, soon and without
                 * anybody waiting, with the namespace, which nobody holds once the descriptors are closed.
                 */
                uint32_t index = 0;
                struct berth_error later, *told = first ? &later : err;
                r = netlink_link_index(container->host_netlink, container->links[--container->n_links].host_name, &index, told);
                if (r == 0)
                        r = netlink_link_up(container->host_netlink, index, false, told);
                if (r < 0 && r != -ENODEV && first == 0) /* ENODEV: it went with the namespace */
                        first = r;
        }
        cleanup_close(&container->host_netlink);
        cleanup_close(&container->netlink);
        cleanup_close(&container->netns);
        container->host_netlink = container->netlink = container->netns = -1;
        return first;
}
