/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "netlink-internal.h"

struct list {
        union {
                netlink_link_fn link;
                netlink_address_fn address;
                netlink_route_fn route;
        } each;
        void *data;
        uint32_t index; /* old kernels do not filter by it */
};

static int dump(int sock, uint16_t type, const void *body, size_t size, netlink_message_fn each, struct list *list) {
        struct netlink_request request;
        netlink_begin(&request, type, NLM_F_DUMP, body, size);
        return netlink_call(sock, &request, each, list);
}

static bool parse_link(const struct nlmsghdr *message, struct netlink_link *ret) {
        const struct ifinfomsg *body = NLMSG_DATA(message);
        const struct rtattr *table[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1];
        if (message->nlmsg_type != RTM_NEWLINK || message->nlmsg_len < NLMSG_LENGTH(sizeof(*body)))
                return false;
        netlink_attributes(message, sizeof(*body), table, IFLA_MAX);
        netlink_attributes_of(table[IFLA_LINKINFO], info, IFLA_INFO_MAX);
        *ret = (struct netlink_link){
                .index = (uint32_t) body->ifi_index,
                .master = netlink_attribute_u32(table[IFLA_MASTER]),
                .mtu = netlink_attribute_u32(table[IFLA_MTU]),
                .up = body->ifi_flags & IFF_UP,
        };
        (void) snprintf(ret->name, sizeof(ret->name), "%s", netlink_attribute_text(table[IFLA_IFNAME]));
        (void) snprintf(ret->kind, sizeof(ret->kind), "%s", netlink_attribute_text(info[IFLA_INFO_KIND]));
        return true;
}

static int on_link(const struct nlmsghdr *message, void *data) {
        const struct list *list = data;
        struct netlink_link link;
        return parse_link(message, &link) ? list->each.link(&link, list->data) : 0;
}

static int take_link(const struct nlmsghdr *message, void *data) {
        (void) parse_link(message, data);
        return 0;
}

int netlink_link_get(int sock, const char *name, struct netlink_link *ret, struct berth_error *err) {
        struct netlink_request request;
        struct ifinfomsg body = {.ifi_family = AF_UNSPEC};
        struct netlink_link link = {.index = 0};
        netlink_begin(&request, RTM_GETLINK, 0, &body, sizeof(body));
        netlink_put_text(&request, IFLA_IFNAME, name);
        int r = netlink_call(sock, &request, take_link, &link);
        if (r == 0 && link.index == 0)
                r = -ENODEV;
        if (r < 0)
                return berth_error_set(err, -r, "find the network link %s", name);
        *ret = link;
        return 0;
}

int netlink_links(int sock, netlink_link_fn each, void *data, struct berth_error *err) {
        struct ifinfomsg body = {.ifi_family = AF_UNSPEC};
        struct list list = {.each.link = each, .data = data};
        int r = dump(sock, RTM_GETLINK, &body, sizeof(body), on_link, &list);
        return r < 0 ? berth_error_set(err, -r, "list the network links") : 0;
}

static void take_address(const struct rtattr *attribute, int family, uint8_t prefix, struct netlink_address *ret) {
        size_t size = family == AF_INET ? 4 : 16;
        *ret = (struct netlink_address){.family = family, .prefix = prefix};
        if (attribute && RTA_PAYLOAD(attribute) >= size)
                memcpy(ret->bytes, RTA_DATA(attribute), size);
}

static int on_address(const struct nlmsghdr *message, void *data) {
        const struct list *list = data;
        const struct ifaddrmsg *body = NLMSG_DATA(message);
        const struct rtattr *table[IFA_MAX + 1];
        if (message->nlmsg_type != RTM_NEWADDR || message->nlmsg_len < NLMSG_LENGTH(sizeof(*body)) ||
            (body->ifa_family != AF_INET && body->ifa_family != AF_INET6) || (list->index > 0 && list->index != body->ifa_index))
                return 0;
        netlink_attributes(message, sizeof(*body), table, IFA_MAX);
        struct netlink_address address;
        take_address(table[IFA_LOCAL] ? table[IFA_LOCAL] : table[IFA_ADDRESS], body->ifa_family, body->ifa_prefixlen, &address);
        return list->each.address(body->ifa_index, &address, list->data);
}

int netlink_addresses(int sock, uint32_t index, netlink_address_fn each, void *data, struct berth_error *err) {
        struct ifaddrmsg body = {.ifa_family = AF_UNSPEC, .ifa_index = index};
        struct list list = {.each.address = each, .data = data, .index = index};
        int r = dump(sock, RTM_GETADDR, &body, sizeof(body), on_address, &list);
        return r < 0 ? berth_error_set(err, -r, "list the network addresses") : 0;
}

static int on_route(const struct nlmsghdr *message, void *data) {
        const struct list *list = data;
        const struct rtmsg *body = NLMSG_DATA(message);
        const struct rtattr *table[RTA_MAX + 1];
        if (message->nlmsg_type != RTM_NEWROUTE || message->nlmsg_len < NLMSG_LENGTH(sizeof(*body)) || body->rtm_type != RTN_UNICAST ||
            (body->rtm_flags & RTM_F_CLONED) || (body->rtm_family != AF_INET && body->rtm_family != AF_INET6))
                return 0;
        netlink_attributes(message, sizeof(*body), table, RTA_MAX);
        uint32_t number = table[RTA_TABLE] ? netlink_attribute_u32(table[RTA_TABLE]) : body->rtm_table;
        if (number != RT_TABLE_MAIN)
                return 0;
        struct netlink_route route = {.link = ""};
        take_address(table[RTA_DST], body->rtm_family, body->rtm_dst_len, &route.to);
        if (table[RTA_GATEWAY])
                take_address(table[RTA_GATEWAY], body->rtm_family, body->rtm_family == AF_INET ? 32 : 128, &route.via);
        return list->each.route(netlink_attribute_u32(table[RTA_OIF]), &route, list->data);
}

int netlink_routes(int sock, netlink_route_fn each, void *data, struct berth_error *err) {
        struct rtmsg body = {.rtm_family = AF_UNSPEC};
        struct list list = {.each.route = each, .data = data};
        int r = dump(sock, RTM_GETROUTE, &body, sizeof(body), on_route, &list);
        return r < 0 ? berth_error_set(err, -r, "list the routes") : 0;
}
