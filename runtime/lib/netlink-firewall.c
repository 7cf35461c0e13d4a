/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "netlink-internal.h"

int netlink_firewall_table(const char *name, struct berth_error *err) {
        _cleanup_close_ int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
        if (sock < 0)
                return berth_error_set(err, errno, "open a netlink socket of the firewall");
        struct netlink_request request;
        struct nfgenmsg body = {.nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0};
        netlink_begin(&request, (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETTABLE, 0, &body, sizeof(body));
        netlink_put_text(&request, NFTA_TABLE_NAME, name);
        int r = netlink_call(sock, &request, NULL, NULL);
        if (r == -ENOENT)
                return 0;
        return r < 0 ? berth_error_set(err, -r, "look for the firewall table inet %s", name) : 1;
}
