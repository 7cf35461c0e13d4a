/* SPDX-License-Identifier: Apache-2.0 */
#include "nft.h"

void nft_table_add(struct nft_batch *batch, const char *table, uint32_t flags) {
        struct netlink_request request;
        nft_message(batch, &request, NFT_MSG_NEWTABLE, NLM_F_CREATE);
        netlink_put_text(&request, NFTA_TABLE_NAME, table);
        if (flags)
                nft_put_be32(&request, NFTA_TABLE_FLAGS, flags);
        nft_batch_add(batch, &request);
}

void nft_table_delete(struct nft_batch *batch, const char *table) {
        struct netlink_request request;
        nft_message(batch, &request, NFT_MSG_DELTABLE, 0);
        netlink_put_text(&request, NFTA_TABLE_NAME, table);
        nft_batch_add(batch, &request);
}

void nft_chain_add(struct nft_batch *batch, const char *table, const char *chain, const struct nft_hook *hook) {
        struct netlink_request request;
        nft_message(batch, &request, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
        netlink_put_text(&request, NFTA_CHAIN_TABLE, table);
        netlink_put_text(&request, NFTA_CHAIN_NAME, chain);
        size_t nest = netlink_nest(&request, NFTA_CHAIN_HOOK);
        nft_put_be32(&request, NFTA_HOOK_HOOKNUM, hook->hook);
        nft_put_be32(&request, NFTA_HOOK_PRIORITY, (uint32_t) hook->priority);
        netlink_unnest(&request, nest);
        netlink_put_text(&request, NFTA_CHAIN_TYPE, hook->type);
        nft_batch_add(batch, &request);
}
