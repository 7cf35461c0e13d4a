/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>

#include "cleanup.h"
#include "firewall.h"

static uint32_t be32_of(const struct rtattr *attribute) {
        return ntohl(netlink_attribute_u32(attribute));
}

bool firewall_chain_read(const struct nlmsghdr *message, struct firewall_chain *ret) {
        const struct rtattr *chain[NFTA_CHAIN_TYPE + 1], *hook[NFTA_HOOK_PRIORITY + 1];
        if (message->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN) || message->nlmsg_len < NLMSG_SPACE(sizeof(struct nfgenmsg)))
                return false;
        netlink_attributes(message, sizeof(struct nfgenmsg), chain, NFTA_CHAIN_TYPE);
        netlink_attributes_of(chain[NFTA_CHAIN_HOOK], hook, NFTA_HOOK_PRIORITY);
        struct firewall_chain found = {
                .family = ((const struct nfgenmsg *) NLMSG_DATA(message))->nfgen_family,
                .forwards = hook[NFTA_HOOK_HOOKNUM] && be32_of(hook[NFTA_HOOK_HOOKNUM]) == NF_INET_FORWARD,
                .drops = chain[NFTA_CHAIN_POLICY] && be32_of(chain[NFTA_CHAIN_POLICY]) == NF_DROP,
                .table = netlink_attribute_text(chain[NFTA_CHAIN_TABLE]),
                .name = netlink_attribute_text(chain[NFTA_CHAIN_NAME]),
        };
        if (!*found.table || !*found.name)
                return false;
        *ret = found;
        return true;
}

struct lister {
        firewall_chain_fn each;
        void *data;
};

static int read_chain(const struct nlmsghdr *message, void *data) {
        const struct lister *lister = data;
        struct firewall_chain chain;
        return firewall_chain_read(message, &chain) ? lister->each(&chain, lister->data) : 0;
}

int firewall_chains(firewall_chain_fn each, void *data, struct berth_error *err) {
        _cleanup_close_ int sock = -1;
        const struct nft_batch any = {.family = NFPROTO_UNSPEC};
        struct lister lister = {.each = each, .data = data};
        struct netlink_request request;

        int r = nft_open(&sock, err);
        if (r < 0)
                return r;
        nft_message(&any, &request, NFT_MSG_GETCHAIN, NLM_F_DUMP);
        r = netlink_call(sock, &request, read_chain, &lister);
        return r < 0 ? berth_error_set(err, -r, "list the chains of the firewall") : 0;
}
