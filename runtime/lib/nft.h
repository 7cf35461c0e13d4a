/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* In front of the kernel's headers, which repeat what it has. */
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "netlink-internal.h"

/*
 * nf_tables without processes: a batch is one transaction, of which the kernel does everything or nothing. Whatever does not fit
 * or has no memory is noticed when the batch is committed, as with netlink requests.
 */

struct nft_batch {
        uint8_t *bytes;
        size_t size, capacity;
        uint32_t first, sequence; /* sequence numbers of its messages */
        uint8_t family;           /* NFPROTO_* of all of them */
        int error;                /* 0 or a negative errno */
};

int nft_open(int *ret_sock, struct berth_error *err);

void nft_batch_begin(struct nft_batch *batch, uint8_t family);
/* A message of type NFT_MSG_*; nft_batch_add ends it. */
void nft_message(const struct nft_batch *batch, struct netlink_request *request, uint16_t type, uint16_t flags);
void nft_batch_add(struct nft_batch *batch, struct netlink_request *request);
/* One transaction. The error names the table, set or chain that the kernel refused. The batch is empty afterwards, whatever happens. */
int nft_batch_commit(struct nft_batch *batch, int sock, struct berth_error *err);
void nft_batch_free(struct nft_batch *batch);
#define _cleanup_nft_batch_ __attribute__((cleanup(nft_batch_free)))

void nft_put_be32(struct netlink_request *request, uint16_t attribute, uint32_t value);

/* ---- tables and chains ---- */

/* `flags` 0: of the kernel's choice, and no error when it is there. */
void nft_table_add(struct nft_batch *batch, const char *table, uint32_t flags);
void nft_table_delete(struct nft_batch *batch, const char *table);

struct nft_hook {
        const char *type; /* "filter", "nat" */
        uint32_t hook;    /* NF_INET_* */
        int32_t priority;
};
void nft_chain_add(struct nft_batch *batch, const char *table, const char *chain, const struct nft_hook *hook);

/* ---- sets and maps ---- */

/* Numbers by which nft(8) tells types of keys; those of a concatenation stand behind each other, six bits each. */
enum nft_type { NFT_TYPE_IPV4 = 7, NFT_TYPE_PROTOCOL = 12, NFT_TYPE_SERVICE = 13, NFT_TYPE_LINK = 41 };

#define NFT_SET_FIELDS 3
struct nft_set {
        const char *name;
        enum nft_type key[NFT_SET_FIELDS], value[NFT_SET_FIELDS]; /* ended by 0; value[0] 0: a set, not a map */
        bool interval;
};
void nft_set_add(struct nft_batch *batch, const char *table, const struct nft_set *set, uint32_t id);

/* Elements of one set, in as many messages as they need. `type`: NFT_MSG_NEWSETELEM or NFT_MSG_DELSETELEM. */
struct nft_elements {
        struct nft_batch *batch;
        const char *table, *set;
        uint16_t type;
        struct netlink_request request;
        size_t list, n;
};
void nft_elements_begin(struct nft_elements *elements, struct nft_batch *batch, uint16_t type, const char *table, const char *set);
/* `value` NULL: of a set; `end`: the first key past an interval. */
void nft_elements_put(struct nft_elements *elements, const void *key, size_t key_size, const void *value, size_t value_size, bool end);
void nft_elements_end(struct nft_elements *elements);

/* ---- rules: expressions in their order, between begin and end ---- */

struct nft_rule {
        struct netlink_request request;
        size_t list;
};
void nft_rule_begin(struct nft_rule *rule, const struct nft_batch *batch, const char *table, const char *chain);
void nft_rule_end(struct nft_rule *rule, struct nft_batch *batch);

void nft_meta(struct nft_rule *rule, uint32_t key, uint32_t reg);
void nft_payload(struct nft_rule *rule, uint32_t base, uint32_t offset, uint32_t size, uint32_t reg);
void nft_compare(struct nft_rule *rule, uint32_t operation, const void *value, size_t size); /* register 1 */
/* `key` (NFT_CT_STATE, NFT_CT_STATUS) has one of these bits. */
void nft_conntrack_any(struct nft_rule *rule, uint32_t key, uint32_t bits);
/* The packet goes to an address of the host's own. */
void nft_destination_is_local(struct nft_rule *rule);
/* From register 1 on; `is` false: not in the set. */
void nft_in_set(struct nft_rule *rule, const char *set, bool is);
/* Register 1 on is replaced with what the map says; the rule ends where it says nothing. */
void nft_map(struct nft_rule *rule, const char *map);
void nft_immediate(struct nft_rule *rule, uint32_t reg, const void *value, size_t size);
void nft_verdict(struct nft_rule *rule, int32_t verdict);
/* To the IPv4 address in one register and the port in another. */
void nft_dnat(struct nft_rule *rule, uint32_t address, uint32_t port);
void nft_masquerade(struct nft_rule *rule);
