/* SPDX-License-Identifier: Apache-2.0 */
#include "conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>

#include "cleanup.h"

#define FORGET_ATTEMPTS 4

static bool read_port(const struct rtattr *attribute, uint16_t *ret) {
        if (!attribute || RTA_PAYLOAD(attribute) < sizeof *ret)
                return false;
        memcpy(ret, RTA_DATA(attribute), sizeof *ret);
        return true;
}

static bool read_address(const struct rtattr *attribute, uint32_t *ret) {
        if (!attribute || RTA_PAYLOAD(attribute) < sizeof *ret)
                return false;
        memcpy(ret, RTA_DATA(attribute), sizeof *ret);
        return true;
}

struct tuple {
        uint32_t source, destination;
        uint16_t source_port, destination_port;
        uint8_t protocol;
};

static bool read_tuple(const struct rtattr *attribute, struct tuple *ret) {
        const struct rtattr *parts[CTA_TUPLE_PROTO + 1], *ip[CTA_IP_V4_DST + 1], *proto[CTA_PROTO_DST_PORT + 1];
        netlink_attributes_of(attribute, parts, CTA_TUPLE_PROTO);
        netlink_attributes_of(parts[CTA_TUPLE_IP], ip, CTA_IP_V4_DST);
        netlink_attributes_of(parts[CTA_TUPLE_PROTO], proto, CTA_PROTO_DST_PORT);
        if (!proto[CTA_PROTO_NUM] || RTA_PAYLOAD(proto[CTA_PROTO_NUM]) < 1)
                return false;
        ret->protocol = *(const uint8_t *) RTA_DATA(proto[CTA_PROTO_NUM]);
        return read_address(ip[CTA_IP_V4_SRC], &ret->source) && read_address(ip[CTA_IP_V4_DST], &ret->destination) &&
               read_port(proto[CTA_PROTO_SRC_PORT], &ret->source_port) && read_port(proto[CTA_PROTO_DST_PORT], &ret->destination_port);
}

bool conntrack_read(const struct nlmsghdr *message, struct conntrack_flow *ret) {
        const struct rtattr *flow[CTA_ZONE + 1];
        struct tuple original, reply;
        if (message->nlmsg_type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW))
                return false;
        netlink_attributes(message, sizeof(struct nfgenmsg), flow, CTA_ZONE);
        if (!read_tuple(flow[CTA_TUPLE_ORIG], &original) || !read_tuple(flow[CTA_TUPLE_REPLY], &reply))
                return false;
        *ret = (struct conntrack_flow){
                .protocol = original.protocol,
                .original = {original.source, original.destination, original.source_port, original.destination_port},
                .reply = {reply.source, reply.destination, reply.source_port, reply.destination_port},
                .tuple = flow[CTA_TUPLE_ORIG],
                .id = flow[CTA_ID],
                .zone = flow[CTA_ZONE],
        };
        return true;
}

struct forgetter {
        const struct berth_firewall_port *ports;
        size_t n;
        int sock;                                   /* a second one: the first is busy with the list */
        uint8_t inner[65536 / 8], outer[65536 / 8]; /* ports of containers and of the host, so that most flows are passed by at once */
};

static void mark(uint8_t *bits, uint16_t port) {
        bits[port / 8] |= (uint8_t) (1U << port % 8);
}

static bool is_marked(const uint8_t *bits, uint16_t port) {
        return bits[port / 8] >> port % 8 & 1;
}

static bool is_of(const struct conntrack_flow *flow, const struct berth_firewall_port *port) {
        uint32_t inside, at;
        memcpy(&inside, port->address, sizeof inside);
        memcpy(&at, port->host_address, sizeof at);
        if (flow->protocol != port->protocol)
                return false;
        bool led = flow->original.destination != flow->reply.source || flow->original.destination_port != flow->reply.source_port;
        if (led)
                return flow->reply.source == inside && ntohs(flow->reply.source_port) == port->port &&
                       ntohs(flow->original.destination_port) == port->host_port;
        bool translated = flow->original.source != flow->reply.destination;
        return flow->protocol == IPPROTO_UDP && !translated && ntohs(flow->original.destination_port) == port->host_port &&
               (!port->one_address || flow->original.destination == at);
}

static int forget(const struct forgetter *forgetter, const struct conntrack_flow *flow) {
        struct netlink_request request;
        struct nfgenmsg body = {.nfgen_family = NFPROTO_IPV4, .version = NFNETLINK_V0};
        netlink_begin(&request, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, 0, &body, sizeof body);
        netlink_put(&request, CTA_TUPLE_ORIG | NLA_F_NESTED, RTA_DATA(flow->tuple), RTA_PAYLOAD(flow->tuple));
        if (flow->id)
                netlink_put(&request, CTA_ID, RTA_DATA(flow->id), RTA_PAYLOAD(flow->id));
        if (flow->zone)
                netlink_put(&request, CTA_ZONE, RTA_DATA(flow->zone), RTA_PAYLOAD(flow->zone));
        int r = netlink_call(forgetter->sock, &request, NULL, NULL);
        return r == -ENOENT ? 0 : r; /* it has ended meanwhile */
}

static int look_at(const struct nlmsghdr *message, void *data) {
        const struct forgetter *forgetter = data;
        struct conntrack_flow flow;
        if (!conntrack_read(message, &flow))
                return 0;
        if (!is_marked(forgetter->inner, ntohs(flow.reply.source_port)) && !is_marked(forgetter->outer, ntohs(flow.original.destination_port)))
                return 0;
        for (size_t i = 0; i < forgetter->n; i++)
                if (is_of(&flow, &forgetter->ports[i]))
                        return forget(forgetter, &flow);
        return 0;
}

int conntrack_forget(const struct berth_firewall_port *ports, size_t n, struct berth_error *err) {
        _cleanup_close_ int list = -1, second = -1;
        struct forgetter forgetter = {.ports = ports, .n = n};
        int r = nft_open(&list, err);
        if (r == 0)
                r = nft_open(&second, err);
        if (r < 0)
                return r;
        forgetter.sock = second;
        for (size_t i = 0; i < n; i++) {
                mark(forgetter.inner, ports[i].port);
                mark(forgetter.outer, ports[i].host_port);
        }
        r = -EAGAIN;
        for (int i = 0; i < FORGET_ATTEMPTS && r == -EAGAIN; i++) {
                struct netlink_request request;
                struct nfgenmsg body = {.nfgen_family = NFPROTO_IPV4, .version = NFNETLINK_V0};
                netlink_begin(&request, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, NLM_F_DUMP, &body, sizeof body);
                r = netlink_call(list, &request, look_at, &forgetter);
        }
        return r < 0 ? berth_error_set(err, -r, "forget the flows of %zu published ports (conntrack)", n) : 0;
}
