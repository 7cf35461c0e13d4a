/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/rtnetlink.h>

#include "nft.h"

void nft_rule_begin(struct nft_rule *rule, const struct nft_batch *batch, const char *table, const char *chain) {
        nft_message(batch, &rule->request, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
        netlink_put_text(&rule->request, NFTA_RULE_TABLE, table);
        netlink_put_text(&rule->request, NFTA_RULE_CHAIN, chain);
        rule->list = netlink_nest(&rule->request, NFTA_RULE_EXPRESSIONS);
}

void nft_rule_end(struct nft_rule *rule, struct nft_batch *batch) {
        netlink_unnest(&rule->request, rule->list);
        nft_batch_add(batch, &rule->request);
}

struct nest {
        size_t element, data;
};

static struct nest expression_begin(struct nft_rule *rule, const char *name) {
        struct nest nest = {.element = netlink_nest(&rule->request, NFTA_LIST_ELEM)};
        netlink_put_text(&rule->request, NFTA_EXPR_NAME, name);
        nest.data = netlink_nest(&rule->request, NFTA_EXPR_DATA);
        return nest;
}

static void expression_end(struct nft_rule *rule, struct nest nest) {
        netlink_unnest(&rule->request, nest.data);
        netlink_unnest(&rule->request, nest.element);
}

static void put_u32(struct nft_rule *rule, uint16_t attribute, uint32_t value) {
        nft_put_be32(&rule->request, attribute, value);
}

static void put_value(struct nft_rule *rule, uint16_t attribute, const void *value, size_t size) {
        size_t nest = netlink_nest(&rule->request, attribute);
        netlink_put(&rule->request, NFTA_DATA_VALUE, value, size);
        netlink_unnest(&rule->request, nest);
}

void nft_meta(struct nft_rule *rule, uint32_t key, uint32_t reg) {
        struct nest nest = expression_begin(rule, "meta");
        put_u32(rule, NFTA_META_DREG, reg);
        put_u32(rule, NFTA_META_KEY, key);
        expression_end(rule, nest);
}

void nft_payload(struct nft_rule *rule, uint32_t base, uint32_t offset, uint32_t size, uint32_t reg) {
        struct nest nest = expression_begin(rule, "payload");
        put_u32(rule, NFTA_PAYLOAD_DREG, reg);
        put_u32(rule, NFTA_PAYLOAD_BASE, base);
        put_u32(rule, NFTA_PAYLOAD_OFFSET, offset);
        put_u32(rule, NFTA_PAYLOAD_LEN, size);
        expression_end(rule, nest);
}

void nft_compare(struct nft_rule *rule, uint32_t operation, const void *value, size_t size) {
        struct nest nest = expression_begin(rule, "cmp");
        put_u32(rule, NFTA_CMP_SREG, NFT_REG_1);
        put_u32(rule, NFTA_CMP_OP, operation);
        put_value(rule, NFTA_CMP_DATA, value, size);
        expression_end(rule, nest);
}

void nft_conntrack_any(struct nft_rule *rule, uint32_t key, uint32_t bits) {
        const uint32_t none = 0;
        struct nest nest = expression_begin(rule, "ct");
        put_u32(rule, NFTA_CT_DREG, NFT_REG_1);
        put_u32(rule, NFTA_CT_KEY, key);
        expression_end(rule, nest);
        nest = expression_begin(rule, "bitwise");
        put_u32(rule, NFTA_BITWISE_SREG, NFT_REG_1);
        put_u32(rule, NFTA_BITWISE_DREG, NFT_REG_1);
        put_u32(rule, NFTA_BITWISE_LEN, sizeof bits);
        put_value(rule, NFTA_BITWISE_MASK, &bits, sizeof bits);
        put_value(rule, NFTA_BITWISE_XOR, &none, sizeof none);
        expression_end(rule, nest);
        nft_compare(rule, NFT_CMP_NEQ, &none, sizeof none);
}

void nft_destination_is_local(struct nft_rule *rule) {
        const uint32_t local = RTN_LOCAL;
        struct nest nest = expression_begin(rule, "fib");
        put_u32(rule, NFTA_FIB_DREG, NFT_REG_1);
        put_u32(rule, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
        put_u32(rule, NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
        expression_end(rule, nest);
        nft_compare(rule, NFT_CMP_EQ, &local, sizeof local);
}

void nft_in_set(struct nft_rule *rule, const char *set, bool is) {
        struct nest nest = expression_begin(rule, "lookup");
        netlink_put_text(&rule->request, NFTA_LOOKUP_SET, set);
        put_u32(rule, NFTA_LOOKUP_SREG, NFT_REG_1);
        if (!is)
                put_u32(rule, NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
        expression_end(rule, nest);
}

void nft_map(struct nft_rule *rule, const char *map) {
        struct nest nest = expression_begin(rule, "lookup");
        netlink_put_text(&rule->request, NFTA_LOOKUP_SET, map);
        put_u32(rule, NFTA_LOOKUP_SREG, NFT_REG_1);
        put_u32(rule, NFTA_LOOKUP_DREG, NFT_REG_1);
        expression_end(rule, nest);
}

void nft_immediate(struct nft_rule *rule, uint32_t reg, const void *value, size_t size) {
        struct nest nest = expression_begin(rule, "immediate");
        put_u32(rule, NFTA_IMMEDIATE_DREG, reg);
        put_value(rule, NFTA_IMMEDIATE_DATA, value, size);
        expression_end(rule, nest);
}

void nft_verdict(struct nft_rule *rule, int32_t verdict) {
        struct nest nest = expression_begin(rule, "immediate");
        put_u32(rule, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
        size_t data = netlink_nest(&rule->request, NFTA_IMMEDIATE_DATA), code = netlink_nest(&rule->request, NFTA_DATA_VERDICT);
        put_u32(rule, NFTA_VERDICT_CODE, (uint32_t) verdict);
        netlink_unnest(&rule->request, code);
        netlink_unnest(&rule->request, data);
        expression_end(rule, nest);
}

void nft_dnat(struct nft_rule *rule, uint32_t address, uint32_t port) {
        struct nest nest = expression_begin(rule, "nat");
        put_u32(rule, NFTA_NAT_TYPE, NFT_NAT_DNAT);
        put_u32(rule, NFTA_NAT_FAMILY, NFPROTO_IPV4);
        put_u32(rule, NFTA_NAT_REG_ADDR_MIN, address);
        put_u32(rule, NFTA_NAT_REG_PROTO_MIN, port);
        expression_end(rule, nest);
}

void nft_masquerade(struct nft_rule *rule) {
        struct nest nest = expression_begin(rule, "masq");
        expression_end(rule, nest);
}
