/* SPDX-License-Identifier: Apache-2.0 */
#include <net/if.h>

#include "nft.h"

#define ELEMENT_SIZE_MAX 160

/* Each field of a key begins at a multiple of four bytes. */
static uint32_t field_size(enum nft_type type) {
        return type == NFT_TYPE_LINK ? IFNAMSIZ : 4;
}

static uint32_t fields_type(const enum nft_type *fields, uint32_t *ret_size) {
        uint32_t type = 0, size = 0;
        for (size_t i = 0; i < NFT_SET_FIELDS && fields[i]; i++) {
                type = type << 6 | (uint32_t) fields[i];
                size += field_size(fields[i]);
        }
        *ret_size = size;
        return type;
}

/* For nft(8) alone, which cannot show names of links unless it is told that their bytes stand in the host's order. */
static void put_byte_order(struct netlink_request *request, const enum nft_type *key) {
        const struct {
                uint8_t type, size;
                uint8_t order[4];
        } order = {.type = 0, .size = 4, .order = {1}};
        if (key[0] == NFT_TYPE_LINK && key[1] == 0)
                netlink_put(request, NFTA_SET_USERDATA, &order, sizeof order);
}

void nft_set_add(struct nft_batch *batch, const char *table, const struct nft_set *set, uint32_t id) {
        struct netlink_request request;
        uint32_t key_size, value_size, key = fields_type(set->key, &key_size), value = fields_type(set->value, &value_size);
        uint32_t flags = (set->interval ? NFT_SET_INTERVAL : 0) | (value_size ? NFT_SET_MAP : 0);

        nft_message(batch, &request, NFT_MSG_NEWSET, NLM_F_CREATE);
        netlink_put_text(&request, NFTA_SET_TABLE, table);
        netlink_put_text(&request, NFTA_SET_NAME, set->name);
        nft_put_be32(&request, NFTA_SET_FLAGS, flags);
        nft_put_be32(&request, NFTA_SET_KEY_TYPE, key);
        nft_put_be32(&request, NFTA_SET_KEY_LEN, key_size);
        if (value_size) {
                nft_put_be32(&request, NFTA_SET_DATA_TYPE, value);
                nft_put_be32(&request, NFTA_SET_DATA_LEN, value_size);
        }
        nft_put_be32(&request, NFTA_SET_ID, id);
        put_byte_order(&request, set->key);
        nft_batch_add(batch, &request);
}

static void elements_open(struct nft_elements *elements) {
        nft_message(elements->batch, &elements->request, elements->type, elements->type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0);
        netlink_put_text(&elements->request, NFTA_SET_ELEM_LIST_TABLE, elements->table);
        netlink_put_text(&elements->request, NFTA_SET_ELEM_LIST_SET, elements->set);
        elements->list = netlink_nest(&elements->request, NFTA_SET_ELEM_LIST_ELEMENTS);
        elements->n = 0;
}

static void elements_flush(struct nft_elements *elements) {
        netlink_unnest(&elements->request, elements->list);
        if (elements->n > 0)
                nft_batch_add(elements->batch, &elements->request);
}

static void put_value(struct netlink_request *request, uint16_t attribute, const void *value, size_t size) {
        size_t nest = netlink_nest(request, attribute);
        netlink_put(request, NFTA_DATA_VALUE, value, size);
        netlink_unnest(request, nest);
}

void nft_elements_begin(struct nft_elements *elements, struct nft_batch *batch, uint16_t type, const char *table, const char *set) {
        elements->batch = batch;
        elements->type = type;
        elements->table = table;
        elements->set = set;
        elements_open(elements);
}

void nft_elements_put(struct nft_elements *elements, const void *key, size_t key_size, const void *value, size_t value_size, bool end) {
        struct netlink_request *request = &elements->request;
        if (request->header.nlmsg_len + ELEMENT_SIZE_MAX > NETLINK_REQUEST_MAX) {
                elements_flush(elements);
                elements_open(elements);
        }
        size_t element = netlink_nest(request, NFTA_LIST_ELEM);
        put_value(request, NFTA_SET_ELEM_KEY, key, key_size);
        if (value)
                put_value(request, NFTA_SET_ELEM_DATA, value, value_size);
        if (end)
                nft_put_be32(request, NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
        netlink_unnest(request, element);
        elements->n++;
}

void nft_elements_end(struct nft_elements *elements) {
        elements_flush(elements);
}
