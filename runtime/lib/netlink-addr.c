/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "netlink-internal.h"

static size_t address_size(int family) {
        return family == AF_INET ? 4 : 16;
}

/* The last address of an IPv4 subnet; /31 and /32 have none. */
static uint32_t broadcast_of(const struct netlink_address *address) {
        uint32_t value;
        memcpy(&value, address->bytes, sizeof(value));
        return address->prefix == 0 ? UINT32_MAX : value | htonl((1U << (32 - address->prefix)) - 1);
}

int netlink_address_add(int sock, uint32_t index, const struct netlink_address *address, struct berth_error *err) {
        if (address->family != AF_INET && address->family != AF_INET6)
                return berth_error_set(err, EAFNOSUPPORT, "add an address of family %d", address->family);
        struct netlink_request request;
        struct ifaddrmsg body = {.ifa_family = (uint8_t) address->family, .ifa_prefixlen = address->prefix, .ifa_index = index};
        if (address->family == AF_INET6)
                body.ifa_flags = IFA_F_NODAD;
        size_t size = address_size(address->family);
        netlink_begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));
        netlink_put(&request, IFA_LOCAL, address->bytes, size);
        netlink_put(&request, IFA_ADDRESS, address->bytes, size);
        if (address->family == AF_INET && address->prefix < 31)
                netlink_put_u32(&request, IFA_BROADCAST, broadcast_of(address));
        int r = netlink_call(sock, &request, NULL, NULL);
        if (r == 0 || r == -EEXIST)
                return 0;
        char text[INET6_ADDRSTRLEN] = "";
        (void) inet_ntop(address->family, address->bytes, text, sizeof(text));
        return berth_error_set(err, -r, "add the address %s/%u to network link %u", text, address->prefix, index);
}

int netlink_address_delete(int sock, uint32_t index, const struct netlink_address *address, struct berth_error *err) {
        struct netlink_request request;
        struct ifaddrmsg body = {.ifa_family = (uint8_t) address->family, .ifa_prefixlen = address->prefix, .ifa_index = index};
        netlink_begin(&request, RTM_DELADDR, 0, &body, sizeof(body));
        netlink_put(&request, IFA_LOCAL, address->bytes, address_size(address->family));
        int r = netlink_call(sock, &request, NULL, NULL);
        return r < 0 ? berth_error_set(err, -r, "delete an address of network link %u", index) : 0;
}

static int netlink_route_put(int sock, const struct netlink_route *route, uint16_t flags, struct berth_error *err) {
        uint32_t index = 0;
        int r = route->link[0] ? netlink_link_index(sock, route->link, &index, err) : 0;
        if (r < 0)
                return r;
        struct netlink_request request;
        struct rtmsg body = {
                .rtm_family = (uint8_t) route->to.family,
                .rtm_dst_len = route->to.prefix,
                .rtm_table = RT_TABLE_MAIN,
                .rtm_protocol = RTPROT_STATIC,
                .rtm_scope = route->via.family ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
                .rtm_type = RTN_UNICAST,
        };
        netlink_begin(&request, RTM_NEWROUTE, NLM_F_CREATE | flags, &body, sizeof(body));
        if (route->to.prefix > 0)
                netlink_put(&request, RTA_DST, route->to.bytes, address_size(route->to.family));
        if (route->via.family)
                netlink_put(&request, RTA_GATEWAY, route->via.bytes, address_size(route->via.family));
        if (index > 0)
                netlink_put_u32(&request, RTA_OIF, index);
        r = netlink_call(sock, &request, NULL, NULL);
        if (r == 0)
                return 0;
        char to[INET6_ADDRSTRLEN] = "";
        (void) inet_ntop(route->to.family, route->to.bytes, to, sizeof(to));
        return berth_error_set(err, -r, "add the route to %s/%u through %s", to, route->to.prefix, route->link);
}

int netlink_route_add(int sock, const struct netlink_route *route, struct berth_error *err) {
        return netlink_route_put(sock, route, NLM_F_EXCL, err);
}

int netlink_route_replace(int sock, const struct netlink_route *route, struct berth_error *err) {
        return netlink_route_put(sock, route, NLM_F_REPLACE, err);
}

int netlink_default_route_delete(int sock, int family, struct berth_error *err) {
        struct netlink_request request;
        struct rtmsg body = {.rtm_family = (uint8_t) family, .rtm_table = RT_TABLE_MAIN, .rtm_scope = RT_SCOPE_NOWHERE};
        netlink_begin(&request, RTM_DELROUTE, 0, &body, sizeof(body));
        int r = netlink_call(sock, &request, NULL, NULL);
        return r < 0 && r != -ESRCH ? berth_error_set(err, -r, "delete the default route") : 0;
}

int netlink_address_parse(const char *text, struct netlink_address *ret, struct berth_error *err) {
        char host[INET6_ADDRSTRLEN];
        const char *slash = strchr(text, '/');
        size_t length = slash ? (size_t) (slash - text) : strlen(text);
        struct netlink_address address = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};
        long widest = address.family == AF_INET ? 32 : 128, prefix = widest;
        if (length == 0 || length >= sizeof(host))
                return berth_error_set(err, EINVAL, "'%s' is not an IP address", text);
        memcpy(host, text, length);
        host[length] = '\0';
        if (inet_pton(address.family, host, address.bytes) != 1)
                return berth_error_set(err, EINVAL, "'%s' is not an IP address", text);
        if (slash) {
                char *end = NULL;
                prefix = strtol(slash + 1, &end, 10);
                if (slash[1] < '0' || slash[1] > '9' || *end || prefix < 0 || prefix > widest)
                        return berth_error_set(err, EINVAL, "'%s' has no prefix length of 0 to %ld", text, widest);
        }
        address.prefix = (uint8_t) prefix;
        *ret = address;
        return 0;
}
