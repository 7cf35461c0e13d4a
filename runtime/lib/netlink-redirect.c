/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "netlink-internal.h"

#define REDIRECT_TABLE "berth-redirect"
#define REDIRECT_CHAIN "output"

/* nf_tables takes a whole batch in one datagram, and does all of it or nothing. */
struct batch {
        uint8_t bytes[8 * NETLINK_REQUEST_MAX];
        size_t size;
        uint32_t sequence;
        bool overflow;
};

static void batch_add(struct batch *batch, struct netlink_request *request) {
        size_t size = NLMSG_ALIGN(request->header.nlmsg_len);
        if (request->overflow || batch->size + size > sizeof batch->bytes) {
                batch->overflow = true;
                return;
        }
        request->header.nlmsg_seq = ++batch->sequence;
        memcpy(batch->bytes + batch->size, request->bytes, size);
        batch->size += size;
}

static void batch_edge(struct batch *batch, uint16_t type) {
        struct netlink_request request;
        struct nfgenmsg body = {.version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES)};
        netlink_begin(&request, type, 0, &body, sizeof body);
        batch_add(batch, &request);
}

static void message_begin(struct netlink_request *request, uint16_t type, uint16_t flags) {
        struct nfgenmsg body = {.nfgen_family = NFPROTO_IPV4, .version = NFNETLINK_V0};
        netlink_begin(request, (uint16_t) (NFNL_SUBSYS_NFTABLES << 8 | type), flags, &body, sizeof body);
}

static void put_be32(struct netlink_request *request, uint16_t attribute, uint32_t value) {
        netlink_put_u32(request, attribute, htonl(value));
}

/* ---- expressions of a rule ---- */

static size_t expression_begin(struct netlink_request *request, const char *name, size_t *ret_data) {
        size_t element = netlink_nest(request, NFTA_LIST_ELEM);
        netlink_put_text(request, NFTA_EXPR_NAME, name);
        *ret_data = netlink_nest(request, NFTA_EXPR_DATA);
        return element;
}

static void expression_end(struct netlink_request *request, size_t element, size_t data) {
        netlink_unnest(request, data);
        netlink_unnest(request, element);
}

static void put_value(struct netlink_request *request, uint16_t attribute, const void *value, size_t size) {
        size_t nest = netlink_nest(request, attribute);
        netlink_put(request, NFTA_DATA_VALUE, value, size);
        netlink_unnest(request, nest);
}

static void expression_payload(struct netlink_request *request, uint32_t base, uint32_t offset, uint32_t size) {
        size_t data, element = expression_begin(request, "payload", &data);
        put_be32(request, NFTA_PAYLOAD_DREG, NFT_REG_1);
        put_be32(request, NFTA_PAYLOAD_BASE, base);
        put_be32(request, NFTA_PAYLOAD_OFFSET, offset);
        put_be32(request, NFTA_PAYLOAD_LEN, size);
        expression_end(request, element, data);
}

static void expression_protocol(struct netlink_request *request) {
        size_t data, element = expression_begin(request, "meta", &data);
        put_be32(request, NFTA_META_DREG, NFT_REG_1);
        put_be32(request, NFTA_META_KEY, NFT_META_L4PROTO);
        expression_end(request, element, data);
}

static void expression_equals(struct netlink_request *request, const void *value, size_t size) {
        size_t data, element = expression_begin(request, "cmp", &data);
        put_be32(request, NFTA_CMP_SREG, NFT_REG_1);
        put_be32(request, NFTA_CMP_OP, NFT_CMP_EQ);
        put_value(request, NFTA_CMP_DATA, value, size);
        expression_end(request, element, data);
}

static void expression_immediate(struct netlink_request *request, uint32_t reg, const void *value, size_t size) {
        size_t data, element = expression_begin(request, "immediate", &data);
        put_be32(request, NFTA_IMMEDIATE_DREG, reg);
        put_value(request, NFTA_IMMEDIATE_DATA, value, size);
        expression_end(request, element, data);
}

static void expression_destination(struct netlink_request *request) {
        size_t data, element = expression_begin(request, "nat", &data);
        put_be32(request, NFTA_NAT_TYPE, NFT_NAT_DNAT);
        put_be32(request, NFTA_NAT_FAMILY, NFPROTO_IPV4);
        put_be32(request, NFTA_NAT_REG_ADDR_MIN, NFT_REG_1);
        put_be32(request, NFTA_NAT_REG_PROTO_MIN, NFT_REG_2);
        expression_end(request, element, data);
}

static void batch_rule(struct batch *batch, const struct netlink_redirect *redirect, uint16_t flags) {
        const uint16_t from = htons(redirect->from), to = htons(redirect->to);
        const uint8_t protocol = redirect->protocol;
        struct netlink_request request;

        message_begin(&request, NFT_MSG_NEWRULE, (uint16_t) (NLM_F_CREATE | NLM_F_APPEND | flags));
        netlink_put_text(&request, NFTA_RULE_TABLE, REDIRECT_TABLE);
        netlink_put_text(&request, NFTA_RULE_CHAIN, REDIRECT_CHAIN);
        size_t list = netlink_nest(&request, NFTA_RULE_EXPRESSIONS);
        expression_payload(&request, NFT_PAYLOAD_NETWORK_HEADER, 16, 4);
        expression_equals(&request, &redirect->address, 4);
        expression_protocol(&request);
        expression_equals(&request, &protocol, 1);
        expression_payload(&request, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
        expression_equals(&request, &from, 2);
        expression_immediate(&request, NFT_REG_1, &redirect->address, 4);
        expression_immediate(&request, NFT_REG_2, &to, 2);
        expression_destination(&request);
        netlink_unnest(&request, list);
        batch_add(batch, &request);
}

static void batch_table(struct batch *batch) {
        struct netlink_request request;

        message_begin(&request, NFT_MSG_NEWTABLE, NLM_F_CREATE);
        netlink_put_text(&request, NFTA_TABLE_NAME, REDIRECT_TABLE);
        batch_add(batch, &request);

        message_begin(&request, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
        netlink_put_text(&request, NFTA_CHAIN_TABLE, REDIRECT_TABLE);
        netlink_put_text(&request, NFTA_CHAIN_NAME, REDIRECT_CHAIN);
        size_t hook = netlink_nest(&request, NFTA_CHAIN_HOOK);
        put_be32(&request, NFTA_HOOK_HOOKNUM, NF_INET_LOCAL_OUT);
        put_be32(&request, NFTA_HOOK_PRIORITY, (uint32_t) NF_IP_PRI_NAT_DST);
        netlink_unnest(&request, hook);
        netlink_put_text(&request, NFTA_CHAIN_TYPE, "nat");
        batch_add(batch, &request);
}

int netlink_redirect(int sock, const struct netlink_redirect *redirects, size_t n, struct berth_error *err) {
        struct batch batch = {0};

        batch_edge(&batch, NFNL_MSG_BATCH_BEGIN);
        batch_table(&batch);
        for (size_t i = 0; i < n; i++)
                batch_rule(&batch, &redirects[i], i + 1 == n ? NLM_F_ACK : 0);
        uint32_t last = batch.sequence;
        batch_edge(&batch, NFNL_MSG_BATCH_END);
        int r = batch.overflow ? -EMSGSIZE : netlink_send(sock, batch.bytes, batch.size);
        if (r == 0)
                r = netlink_await(sock, last);
        return r < 0 ? berth_error_set(err, -r, "redirect a port of the container (nf_tables)") : 0;
}
