/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <linux/netfilter_ipv4.h>
#include <netinet/in.h>

#include "nft.h"

#define REDIRECT_TABLE "berth-redirect"
#define REDIRECT_CHAIN "output"

static void redirect_rule(struct nft_batch *batch, const struct netlink_redirect *redirect) {
        const uint16_t from = htons(redirect->from), to = htons(redirect->to);
        const uint8_t protocol = redirect->protocol;
        struct nft_rule rule;

        nft_rule_begin(&rule, batch, REDIRECT_TABLE, REDIRECT_CHAIN);
        nft_payload(&rule, NFT_PAYLOAD_NETWORK_HEADER, 16, 4, NFT_REG_1);
        nft_compare(&rule, NFT_CMP_EQ, &redirect->address, 4);
        nft_meta(&rule, NFT_META_L4PROTO, NFT_REG_1);
        nft_compare(&rule, NFT_CMP_EQ, &protocol, 1);
        nft_payload(&rule, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, NFT_REG_1);
        nft_compare(&rule, NFT_CMP_EQ, &from, 2);
        nft_immediate(&rule, NFT_REG_1, &redirect->address, 4);
        nft_immediate(&rule, NFT_REG_2, &to, 2);
        nft_dnat(&rule, NFT_REG_1, NFT_REG_2);
        nft_rule_end(&rule, batch);
}

int netlink_redirect(int sock, const struct netlink_redirect *redirects, size_t n, struct berth_error *err) {
        static const struct nft_hook hook = {.type = "nat", .hook = NF_INET_LOCAL_OUT, .priority = NF_IP_PRI_NAT_DST};
        _cleanup_nft_batch_ struct nft_batch batch;

        nft_batch_begin(&batch, NFPROTO_IPV4);
        nft_table_add(&batch, REDIRECT_TABLE, 0);
        nft_chain_add(&batch, REDIRECT_TABLE, REDIRECT_CHAIN, &hook);
        for (size_t i = 0; i < n; i++)
                redirect_rule(&batch, &redirects[i]);
        int r = nft_batch_commit(&batch, sock, err);
        return r < 0 ? berth_error_prefix(err, "redirect a port of the container") : 0;
}
