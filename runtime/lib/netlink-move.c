/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/if_addr.h>
#include <string.h>
#include <sys/socket.h>

#include "netlink-internal.h"

#define MOVE_ADDRESSES_MAX 64

struct moved_address {
        struct ifaddrmsg body;
        uint8_t local[16], peer[16], broadcast[4];
        bool has_broadcast;
};

struct moved_addresses {
        uint32_t index, n;
        struct moved_address list[MOVE_ADDRESSES_MAX];
};

/* Those that somebody gave it, to be reached from elsewhere; all others come and go with the link's state. */
static bool is_kept(const struct ifaddrmsg *body, const struct rtattr *flags) {
        uint32_t all = flags ? netlink_attribute_u32(flags) : body->ifa_flags;
        return (body->ifa_family == AF_INET || body->ifa_family == AF_INET6) && body->ifa_scope == RT_SCOPE_UNIVERSE && all & IFA_F_PERMANENT;
}

static int keep_address(const struct nlmsghdr *message, void *data) {
        struct moved_addresses *kept = data;
        const struct ifaddrmsg *body = NLMSG_DATA(message);
        const struct rtattr *table[IFA_MAX + 1];

        if (message->nlmsg_type != RTM_NEWADDR || message->nlmsg_len < NLMSG_LENGTH(sizeof *body) || body->ifa_index != kept->index)
                return 0;
        netlink_attributes(message, sizeof *body, table, IFA_MAX);
        if (!is_kept(body, table[IFA_FLAGS]))
                return 0;
        if (kept->n == MOVE_ADDRESSES_MAX)
                return -E2BIG;
        struct moved_address *address = &kept->list[kept->n];
        const struct rtattr *peer = table[IFA_ADDRESS], *local = table[IFA_LOCAL] ? table[IFA_LOCAL] : peer, *broadcast = table[IFA_BROADCAST];
        size_t size = body->ifa_family == AF_INET ? 4 : 16;
        if (!peer || RTA_PAYLOAD(peer) < size || RTA_PAYLOAD(local) < size)
                return -EBADMSG;
        *address = (struct moved_address){.body = *body, .has_broadcast = broadcast && RTA_PAYLOAD(broadcast) == 4};
        memcpy(address->peer, RTA_DATA(peer), size);
        memcpy(address->local, RTA_DATA(local), size);
        if (address->has_broadcast)
                memcpy(address->broadcast, RTA_DATA(broadcast), 4);
        kept->n++;
        return 0;
}

static int read_addresses(int sock, uint32_t index, struct moved_addresses *ret) {
        struct ifaddrmsg body = {.ifa_family = AF_UNSPEC, .ifa_index = index};
        struct netlink_request request;
        int r;

        do {
                *ret = (struct moved_addresses){.index = index};
                netlink_begin(&request, RTM_GETADDR, NLM_F_DUMP, &body, sizeof body);
                r = netlink_call(sock, &request, keep_address, ret);
        } while (r == -EAGAIN);
        return r;
}

static int write_address(int sock, uint32_t index, const struct moved_address *address) {
        struct ifaddrmsg body = address->body;
        struct netlink_request request;
        size_t size = body.ifa_family == AF_INET ? 4 : 16;

        body.ifa_index = index;
        body.ifa_flags = body.ifa_family == AF_INET6 ? IFA_F_NODAD : 0;
        netlink_begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof body);
        netlink_put(&request, IFA_LOCAL, address->local, size);
        netlink_put(&request, IFA_ADDRESS, address->peer, size);
        if (address->has_broadcast)
                netlink_put(&request, IFA_BROADCAST, address->broadcast, sizeof address->broadcast);
        int r = netlink_call(sock, &request, NULL, NULL);
        return r == -EEXIST ? 0 : r;
}

static int move_link(int sock, uint32_t index, int netns, const char *name) {
        struct ifinfomsg body = {.ifi_index = (int) index};
        struct netlink_request request;

        netlink_begin(&request, RTM_NEWLINK, 0, &body, sizeof body);
        netlink_put_u32(&request, IFLA_NET_NS_FD, (uint32_t) netns);
        netlink_put_text(&request, IFLA_IFNAME, name);
        return netlink_call(sock, &request, NULL, NULL);
}

static int settle_link(int sock, const char *name, const struct moved_addresses *addresses, bool up, uint32_t *ret_index, struct berth_error *err) {
        int r = netlink_link_index(sock, name, ret_index, err);

        for (uint32_t i = 0; r == 0 && i < addresses->n; i++) {
                r = write_address(sock, *ret_index, &addresses->list[i]);
                if (r < 0)
                        r = berth_error_set(err, -r, "give the network link %s its addresses", name);
        }
        return r == 0 && up ? netlink_link_up(sock, *ret_index, true, err) : r;
}

int netlink_link_move(const struct netlink_place *from, const char *name, const struct netlink_place *to, const char *new_name, bool up,
                      struct berth_error *err) {
        struct moved_addresses addresses;
        struct netlink_link link;
        uint32_t index = 0;

        int r = netlink_link_get(from->sock, name, &link, err);
        if (r < 0)
                return r;
        /* The kernel would move the link and then fail to rename it. */
        if (netlink_link_index(to->sock, new_name, &index, NULL) == 0)
                return berth_error_set(err, EEXIST, "move the network link %s: there is a %s already", name, new_name);
        r = read_addresses(from->sock, link.index, &addresses);
        if (r < 0)
                return berth_error_set(err, -r, "read the addresses of the network link %s", name);
        r = move_link(from->sock, link.index, to->netns, new_name);
        if (r < 0)
                return berth_error_set(err, -r, "move the network link %s to the other network namespace as %s", name, new_name);
        r = settle_link(to->sock, new_name, &addresses, up, &index, err);
        if (r < 0 && index > 0 && move_link(to->sock, index, from->netns, name) == 0)
                (void) settle_link(from->sock, name, &addresses, link.up, &index, NULL);
        return r;
}
