/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "cleanup.h"
#include "nft.h"

#define BATCH_FIRST_CAPACITY (16U << 10)
/* 10,000 published ports take 4 MB. */
#define BATCH_SIZE_MAX (64U << 20)

int nft_open(int *ret_sock, struct berth_error *err) {
        _cleanup_close_ int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
        if (sock < 0)
                return berth_error_set(err, errno, "open a netlink socket of the firewall (nf_tables)");
        struct sockaddr_nl local = {.nl_family = AF_NETLINK};
        if (bind(sock, (struct sockaddr *) &local, sizeof local) < 0)
                return berth_error_set(err, errno, "bind a netlink socket of the firewall (nf_tables)");
        const int on = 1;
        (void) setsockopt(sock, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
        return give_fd(ret_sock, &sock);
}

static void batch_edge(struct nft_batch *batch, uint16_t type) {
        struct netlink_request request;
        struct nfgenmsg body = {.version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES)};
        netlink_begin(&request, type, 0, &body, sizeof body);
        nft_batch_add(batch, &request);
}

void nft_batch_begin(struct nft_batch *batch, uint8_t family) {
        struct timespec now;
        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        /* Late answers to an earlier batch of the same socket are not taken for ours. */
        uint32_t sequence = (uint32_t) now.tv_nsec ^ ((uint32_t) now.tv_sec << 30);
        *batch = (struct nft_batch){.family = family, .sequence = sequence, .first = sequence + 1};
        batch_edge(batch, NFNL_MSG_BATCH_BEGIN);
}

void nft_batch_free(struct nft_batch *batch) {
        free(batch->bytes);
        *batch = (struct nft_batch){0};
}

void nft_message(const struct nft_batch *batch, struct netlink_request *request, uint16_t type, uint16_t flags) {
        struct nfgenmsg body = {.nfgen_family = batch->family, .version = NFNETLINK_V0};
        netlink_begin(request, (uint16_t) (NFNL_SUBSYS_NFTABLES << 8 | type), flags, &body, sizeof body);
}

static int batch_reserve(struct nft_batch *batch, size_t size) {
        size_t capacity = batch->capacity ? batch->capacity : BATCH_FIRST_CAPACITY;
        while (capacity - batch->size < size)
                capacity *= 2;
        if (capacity > BATCH_SIZE_MAX)
                return -EMSGSIZE;
        if (capacity == batch->capacity)
                return 0;
        uint8_t *grown = realloc(batch->bytes, capacity);
        if (!grown)
                return -ENOMEM;
        batch->bytes = grown;
        batch->capacity = capacity;
        return 0;
}

void nft_batch_add(struct nft_batch *batch, struct netlink_request *request) {
        size_t size = NLMSG_ALIGN(request->header.nlmsg_len);
        if (batch->error == 0)
                batch->error = request->overflow ? -EMSGSIZE : batch_reserve(batch, size);
        if (batch->error < 0)
                return;
        request->header.nlmsg_seq = ++batch->sequence;
        memcpy(batch->bytes + batch->size, request->bytes, size);
        batch->size += size;
}

void nft_put_be32(struct netlink_request *request, uint16_t attribute, uint32_t value) {
        netlink_put_u32(request, attribute, htonl(value));
}

/* ---- errors ---- */

static struct nlmsghdr *batch_find(const struct nft_batch *batch, uint32_t sequence) {
        for (size_t at = 0; at < batch->size;) {
                struct nlmsghdr *message = (struct nlmsghdr *) (void *) (batch->bytes + at);
                if (message->nlmsg_seq == sequence)
                        return message;
                at += NLMSG_ALIGN(message->nlmsg_len);
        }
        return NULL;
}

static void describe(const struct nlmsghdr *message, char *text, size_t size) {
        const struct rtattr *attributes[4];
        netlink_attributes(message, sizeof(struct nfgenmsg), attributes, 3);
        const char *table = netlink_attribute_text(attributes[1]);
        switch (message->nlmsg_type & 0xff) {
        case NFT_MSG_NEWTABLE:
        case NFT_MSG_DELTABLE:
                (void) snprintf(text, size, "table %s", table);
                break;
        case NFT_MSG_NEWCHAIN:
                (void) snprintf(text, size, "chain %s of table %s", netlink_attribute_text(attributes[NFTA_CHAIN_NAME]), table);
                break;
        case NFT_MSG_NEWRULE:
        case NFT_MSG_DELRULE:
                (void) snprintf(text, size, "a rule of chain %s of table %s", netlink_attribute_text(attributes[NFTA_RULE_CHAIN]), table);
                break;
        default:
                (void) snprintf(text, size, "set %s of table %s", netlink_attribute_text(attributes[2]), table);
        }
}

static int batch_error(const struct nft_batch *batch, uint32_t sequence, int r, struct berth_error *err) {
        const struct nlmsghdr *message = batch_find(batch, sequence);
        if (!message || message->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES)
                return berth_error_set(err, -r, "change the firewall (nf_tables)");
        char text[160];
        describe(message, text, sizeof text);
        const char *why = r == -EPERM ? " belongs to another process" : "";
        return berth_error_set(err, -r, "change the firewall (nf_tables): %s%s", text, why);
}

/* The kernel refuses a datagram that is larger than what the socket may hold. */
static int make_room(int sock, size_t size) {
        const int wanted = (int) size + 4096;
        int has = 0;
        socklen_t length = sizeof has;
        if (getsockopt(sock, SOL_SOCKET, SO_SNDBUF, &has, &length) < 0)
                return -errno;
        if (has >= 2 * wanted)
                return 0;
        return setsockopt(sock, SOL_SOCKET, SO_SNDBUFFORCE, &wanted, sizeof wanted) < 0 ? -errno : 0;
}

int nft_batch_commit(struct nft_batch *batch, int sock, struct berth_error *err) {
        _cleanup_nft_batch_ struct nft_batch own = *batch;
        uint32_t last = own.sequence, refused = 0;

        *batch = (struct nft_batch){0};
        batch_edge(&own, NFNL_MSG_BATCH_END);
        int r = own.error ? own.error : make_room(sock, own.size);
        if (r < 0)
                return berth_error_set(err, -r, "change the firewall (nf_tables) with %zu bytes", own.size);
        struct nlmsghdr *final = batch_find(&own, last);
        if (last == own.first || !final) /* nothing but the edges */
                return 0;
        final->nlmsg_flags |= NLM_F_ACK;
        netlink_drain(sock);
        r = netlink_send(sock, own.bytes, own.size);
        if (r == 0)
                r = netlink_await(sock, own.first, last, &refused);
        return r < 0 ? batch_error(&own, refused, r, err) : 0;
}
