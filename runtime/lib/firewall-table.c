/* SPDX-License-Identifier: Apache-2.0 */
#include "firewall.h"

#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter_ipv4.h>
#include <net/if.h>
#include <string.h>

#include "cleanup.h"
#include "firewall-elements.h"

/* Older headers lack them; the kernel has the second since 6.9 and refuses what it does not know. */
#define TABLE_OWNER 0x2U
#define TABLE_PERSIST 0x4U

#define IP_SOURCE 12U
#define IP_DESTINATION 16U
#define ENGINE_BRIDGES "berth" /* all bridges of all engines on a host begin so */

#define CT_ESTABLISHED NF_CT_STATE_BIT(IP_CT_ESTABLISHED)
#define CT_RELATED NF_CT_STATE_BIT(IP_CT_RELATED)

static const struct nft_set sets[] = {
        {.name = FIREWALL_BRIDGES, .key = {NFT_TYPE_LINK}},
        {.name = FIREWALL_INNER, .key = {NFT_TYPE_LINK, NFT_TYPE_LINK}},
        {.name = FIREWALL_INTERNAL, .key = {NFT_TYPE_LINK}},
        {.name = FIREWALL_MASQUERADED, .key = {NFT_TYPE_IPV4}, .interval = true},
        {.name = FIREWALL_ANYWHERE, .key = {NFT_TYPE_PROTOCOL, NFT_TYPE_SERVICE}, .value = {NFT_TYPE_IPV4, NFT_TYPE_SERVICE}},
        {.name = FIREWALL_AT, .key = {NFT_TYPE_IPV4, NFT_TYPE_PROTOCOL, NFT_TYPE_SERVICE}, .value = {NFT_TYPE_IPV4, NFT_TYPE_SERVICE}},
        {.name = FIREWALL_OWN, .key = {NFT_TYPE_IPV4, NFT_TYPE_PROTOCOL, NFT_TYPE_SERVICE}},
};

/* What follows is a rule each; `begin` to `end` in the order in which the kernel evaluates it. */

struct writer {
        struct nft_batch *batch;
        const char *table, *chain;
        struct nft_rule rule;
};

static void begin(struct writer *writer) {
        nft_rule_begin(&writer->rule, writer->batch, writer->table, writer->chain);
}

static void end(struct writer *writer, int32_t verdict) {
        nft_verdict(&writer->rule, verdict);
        nft_rule_end(&writer->rule, writer->batch);
}

static void link_in(struct writer *writer, uint32_t key, const char *set) {
        nft_meta(&writer->rule, key, NFT_REG_1);
        nft_in_set(&writer->rule, set, true);
}

static void is_ipv4(struct writer *writer) {
        const uint8_t family = NFPROTO_IPV4;
        nft_meta(&writer->rule, NFT_META_NFPROTO, NFT_REG_1);
        nft_compare(&writer->rule, NFT_CMP_EQ, &family, sizeof family);
}

static void no_engine(struct writer *writer, uint32_t key) {
        nft_meta(&writer->rule, key, NFT_REG_1);
        nft_compare(&writer->rule, NFT_CMP_NEQ, ENGINE_BRIDGES, strlen(ENGINE_BRIDGES));
}

static void forward_rules(struct writer *writer, bool drop_others) {
        begin(writer);
        link_in(writer, NFT_META_OIFNAME, FIREWALL_BRIDGES);
        nft_conntrack_any(&writer->rule, NFT_CT_STATE, CT_ESTABLISHED | CT_RELATED);
        end(writer, NF_ACCEPT);

        begin(writer);
        nft_meta(&writer->rule, NFT_META_IIFNAME, NFT_REG_1);
        nft_meta(&writer->rule, NFT_META_OIFNAME, NFT_REG_2);
        nft_in_set(&writer->rule, FIREWALL_INNER, true);
        end(writer, NF_ACCEPT);

        begin(writer);
        link_in(writer, NFT_META_IIFNAME, FIREWALL_INTERNAL);
        end(writer, NF_DROP);

        begin(writer);
        link_in(writer, NFT_META_OIFNAME, FIREWALL_INTERNAL);
        end(writer, NF_DROP);

        begin(writer);
        link_in(writer, NFT_META_OIFNAME, FIREWALL_BRIDGES);
        nft_conntrack_any(&writer->rule, NFT_CT_STATUS, IPS_DST_NAT);
        end(writer, NF_ACCEPT);

        begin(writer);
        link_in(writer, NFT_META_OIFNAME, FIREWALL_BRIDGES);
        end(writer, NF_DROP);

        begin(writer);
        link_in(writer, NFT_META_IIFNAME, FIREWALL_BRIDGES);
        end(writer, NF_ACCEPT);

        if (!drop_others)
                return;
        begin(writer);
        no_engine(writer, NFT_META_IIFNAME);
        no_engine(writer, NFT_META_OIFNAME);
        end(writer, NF_DROP);
}

/* Protocol and destination port, each in four bytes, from this register on. */
static void load_service(struct writer *writer, uint32_t reg) {
        nft_meta(&writer->rule, NFT_META_L4PROTO, reg);
        nft_payload(&writer->rule, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, reg == NFT_REG_1 ? NFT_REG32_01 : reg + 1);
}

static void lead(struct writer *writer, const char *map) {
        nft_map(&writer->rule, map);
        nft_dnat(&writer->rule, NFT_REG_1, NFT_REG32_01);
        nft_rule_end(&writer->rule, writer->batch);
}

/* What the host sends to its own loopback is the shim's to pass on: the answer to a container's address would not come back. */
static void no_loopback(struct writer *writer) {
        const uint8_t loopback = 127;
        is_ipv4(writer);
        nft_payload(&writer->rule, NFT_PAYLOAD_NETWORK_HEADER, IP_DESTINATION, 1, NFT_REG_1);
        nft_compare(&writer->rule, NFT_CMP_NEQ, &loopback, sizeof loopback);
}

static void port_rules(struct writer *writer, bool from_here) {
        begin(writer);
        if (from_here)
                no_loopback(writer);
        nft_destination_is_local(&writer->rule);
        is_ipv4(writer);
        nft_payload(&writer->rule, NFT_PAYLOAD_NETWORK_HEADER, IP_DESTINATION, 4, NFT_REG_1);
        load_service(writer, NFT_REG32_01);
        lead(writer, FIREWALL_AT);

        begin(writer);
        if (from_here)
                no_loopback(writer);
        nft_destination_is_local(&writer->rule);
        is_ipv4(writer);
        load_service(writer, NFT_REG_1);
        lead(writer, FIREWALL_ANYWHERE);
}

/* The kernel routes nothing from an address to itself: a container that asks for its own port is served by the shim's socket. */
static void own_port_rule(struct writer *writer) {
        begin(writer);
        is_ipv4(writer);
        nft_payload(&writer->rule, NFT_PAYLOAD_NETWORK_HEADER, IP_SOURCE, 4, NFT_REG_1);
        load_service(writer, NFT_REG32_01);
        nft_in_set(&writer->rule, FIREWALL_OWN, true);
        end(writer, NF_ACCEPT);
}

static void from_masqueraded(struct writer *writer) {
        is_ipv4(writer);
        nft_payload(&writer->rule, NFT_PAYLOAD_NETWORK_HEADER, IP_SOURCE, 4, NFT_REG_1);
        nft_in_set(&writer->rule, FIREWALL_MASQUERADED, true);
        nft_meta(&writer->rule, NFT_META_OIFNAME, NFT_REG_1);
}

static void masquerade_rules(struct writer *writer) {
        begin(writer);
        from_masqueraded(writer);
        nft_in_set(&writer->rule, FIREWALL_BRIDGES, false);
        nft_masquerade(&writer->rule);
        nft_rule_end(&writer->rule, writer->batch);

        /* A container that goes to a neighbour by a port of the host must get its answers by the same way. */
        begin(writer);
        from_masqueraded(writer);
        nft_in_set(&writer->rule, FIREWALL_BRIDGES, true);
        nft_conntrack_any(&writer->rule, NFT_CT_STATUS, IPS_DST_NAT);
        nft_masquerade(&writer->rule);
        nft_rule_end(&writer->rule, writer->batch);
}

static void add_chain(struct writer *writer, const char *chain, const char *type, uint32_t hook, int32_t priority) {
        const struct nft_hook place = {.type = type, .hook = hook, .priority = priority};
        nft_chain_add(writer->batch, writer->table, chain, &place);
        writer->chain = chain;
}

static void put_table(struct nft_batch *batch, const struct firewall_change *contents, bool drop_others, uint32_t flags) {
        struct writer writer = {.batch = batch, .table = contents->table};
        /* Adding it first makes deleting it succeed when it is not there. */
        nft_table_add(batch, contents->table, 0);
        nft_table_delete(batch, contents->table);
        nft_table_add(batch, contents->table, flags);
        for (uint32_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
                nft_set_add(batch, contents->table, &sets[i], i + 1);
        add_chain(&writer, "forward", "filter", NF_INET_FORWARD, NF_IP_PRI_FILTER);
        forward_rules(&writer, drop_others);
        add_chain(&writer, "prerouting", "nat", NF_INET_PRE_ROUTING, NF_IP_PRI_NAT_DST);
        own_port_rule(&writer);
        port_rules(&writer, false);
        add_chain(&writer, "output", "nat", NF_INET_LOCAL_OUT, NF_IP_PRI_NAT_DST);
        port_rules(&writer, true);
        add_chain(&writer, "postrouting", "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC);
        masquerade_rules(&writer);
        firewall_elements_put(batch, contents, true);
}

int firewall_write(int sock, const struct firewall_change *contents, bool drop_others, struct berth_error *err) {
        _cleanup_nft_batch_ struct nft_batch batch;

        nft_batch_begin(&batch, NFPROTO_INET);
        put_table(&batch, contents, drop_others, TABLE_OWNER | TABLE_PERSIST);
        int r = nft_batch_commit(&batch, sock, err);
        /* An owned table that goes with its owner would take the containers' network with a daemon that restarts. */
        if (r != -EOPNOTSUPP && r != -EINVAL)
                return r < 0 ? r : 1;
        nft_batch_begin(&batch, NFPROTO_INET);
        put_table(&batch, contents, drop_others, 0);
        return nft_batch_commit(&batch, sock, err);
}

int firewall_remove(int sock, const char *table, struct berth_error *err) {
        _cleanup_nft_batch_ struct nft_batch batch;

        nft_batch_begin(&batch, NFPROTO_INET);
        nft_table_add(&batch, table, 0);
        nft_table_delete(&batch, table);
        return nft_batch_commit(&batch, sock, err);
}

int firewall_change(int sock, const struct firewall_change *change, bool add, struct berth_error *err) {
        _cleanup_nft_batch_ struct nft_batch batch;

        nft_batch_begin(&batch, NFPROTO_INET);
        firewall_elements_put(&batch, change, add);
        return nft_batch_commit(&batch, sock, err);
}

int firewall_has_table(const char *name, struct berth_error *err) {
        _cleanup_close_ int sock = -1;
        int r = nft_open(&sock, err);
        if (r < 0)
                return r;
        const struct nft_batch single = {.family = NFPROTO_INET};
        struct netlink_request request;
        nft_message(&single, &request, NFT_MSG_GETTABLE, 0);
        netlink_put_text(&request, NFTA_TABLE_NAME, name);
        r = netlink_call(sock, &request, NULL, NULL);
        if (r == -ENOENT)
                return 0;
        return r < 0 ? berth_error_set(err, -r, "look for the firewall table inet %s", name) : 1;
}
