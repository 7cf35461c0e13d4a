/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "netlink-internal.h"

static int check_name(const char *name, struct berth_error *err) {
        size_t length = strlen(name);
        if (length == 0 || length >= IFNAMSIZ || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
                return berth_error_set(err, EINVAL, "'%s' is not a name for a network link", name);
        return 0;
}

int netlink_link_index(int sock, const char *name, uint32_t *ret_index, struct berth_error *err) {
        int r = check_name(name, err);
        if (r < 0)
                return r;
        /* Unlike RTM_GETLINK it does not wait for the lock that whoever changes any network holds. */
        struct ifreq request = {0};
        memcpy(request.ifr_name, name, strlen(name));
        if (ioctl(sock, SIOCGIFINDEX, &request) < 0)
                return berth_error_set(err, errno, "find the network link %s", name);
        *ret_index = (uint32_t) request.ifr_ifindex;
        return 0;
}

bool netlink_link_is_up(int sock, uint32_t index, const char *name) {
        struct ifreq request = {.ifr_ifindex = (int) index};
        if (ioctl(sock, SIOCGIFNAME, &request) < 0 || strncmp(request.ifr_name, name, sizeof request.ifr_name) != 0)
                return false;
        return ioctl(sock, SIOCGIFFLAGS, &request) == 0 && request.ifr_flags & IFF_UP;
}

int netlink_link_up(int sock, uint32_t index, bool up, struct berth_error *err) {
        struct netlink_request request;
        struct ifinfomsg link = {.ifi_index = (int) index, .ifi_flags = up ? IFF_UP : 0, .ifi_change = IFF_UP};
        netlink_begin(&request, RTM_NEWLINK, 0, &link, sizeof(link));
        int r = netlink_call(sock, &request, NULL, NULL);
        return r < 0 ? berth_error_set(err, -r, "set network link %u %s", index, up ? "up" : "down") : 0;
}

int netlink_link_without_ipv6(int sock, uint32_t index, struct berth_error *err) {
        struct netlink_request request;
        struct ifinfomsg link = {.ifi_index = (int) index};
        const uint8_t mode = IN6_ADDR_GEN_MODE_NONE;
        netlink_begin(&request, RTM_NEWLINK, 0, &link, sizeof(link));
        size_t families = netlink_nest(&request, IFLA_AF_SPEC), family = netlink_nest(&request, AF_INET6);
        netlink_put(&request, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof(mode));
        netlink_unnest(&request, family);
        netlink_unnest(&request, families);
        int r = netlink_call(sock, &request, NULL, NULL);
        return r < 0 && r != -EAFNOSUPPORT ? berth_error_set(err, -r, "keep IPv6 off network link %u", index) : 0;
}

int netlink_link_delete(int sock, const char *name, struct berth_error *err) {
        int r = check_name(name, err);
        if (r < 0)
                return r;
        struct netlink_request request;
        struct ifinfomsg link = {.ifi_family = AF_UNSPEC};
        netlink_begin(&request, RTM_DELLINK, 0, &link, sizeof(link));
        netlink_put_text(&request, IFLA_IFNAME, name);
        r = netlink_call(sock, &request, NULL, NULL);
        return r < 0 ? berth_error_set(err, -r, "delete the network link %s", name) : 0;
}

int netlink_veth_create(int sock, const char *name, uint32_t bridge, const char *peer, int peer_netns_fd, const uint8_t peer_mac[6], uint32_t mtu,
                        struct berth_error *err) {
        int r = check_name(name, err);
        if (r == 0)
                r = check_name(peer, err);
        if (r < 0)
                return r;
        struct netlink_request request;
        struct ifinfomsg near = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP}, far = {0};
        netlink_begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &near, sizeof(near));
        netlink_put_text(&request, IFLA_IFNAME, name);
        if (mtu > 0)
                netlink_put_u32(&request, IFLA_MTU, mtu);
        if (bridge > 0)
                netlink_put_u32(&request, IFLA_MASTER, bridge);
        size_t info = netlink_nest(&request, IFLA_LINKINFO);
        netlink_put_text(&request, IFLA_INFO_KIND, "veth");
        size_t data = netlink_nest(&request, IFLA_INFO_DATA);
        size_t end = netlink_nest(&request, VETH_INFO_PEER);
        netlink_put_raw(&request, &far, sizeof(far));
        netlink_put_text(&request, IFLA_IFNAME, peer);
        netlink_put_u32(&request, IFLA_NET_NS_FD, (uint32_t) peer_netns_fd);
        netlink_put(&request, IFLA_ADDRESS, peer_mac, 6);
        if (mtu > 0)
                netlink_put_u32(&request, IFLA_MTU, mtu);
        netlink_unnest(&request, end);
        netlink_unnest(&request, data);
        netlink_unnest(&request, info);
        r = netlink_call(sock, &request, NULL, NULL);
        return r < 0 ? berth_error_set(err, -r, "make the pair of network links %s and %s", name, peer) : 0;
}

int netlink_bridge_create(int sock, const char *name, uint32_t mtu, uint32_t *ret_index, struct berth_error *err) {
        int r = check_name(name, err);
        if (r < 0)
                return r;
        /*
         * An address of its own: a bridge without one takes that of a port, and so changes it, and breaks its neighbours' ARP
         * entries, as containers come and go.
         */
        uint8_t mac[6];
        if (getrandom(mac, sizeof(mac), 0) != sizeof(mac))
                return berth_error_set(err, errno, "choose an address for the bridge %s", name);
        mac[0] = (uint8_t) ((mac[0] & 0xfe) | 0x02);

        struct netlink_request request;
        struct ifinfomsg link = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP};
        netlink_begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof(link));
        netlink_put_text(&request, IFLA_IFNAME, name);
        netlink_put(&request, IFLA_ADDRESS, mac, sizeof(mac));
        if (mtu > 0)
                netlink_put_u32(&request, IFLA_MTU, mtu);
        size_t info = netlink_nest(&request, IFLA_LINKINFO);
        netlink_put_text(&request, IFLA_INFO_KIND, "bridge");
        netlink_unnest(&request, info);
        r = netlink_call(sock, &request, NULL, NULL);
        if (r < 0)
                return berth_error_set(err, -r, "make the bridge %s", name);
        return netlink_link_index(sock, name, ret_index, err);
}
