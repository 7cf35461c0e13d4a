/* SPDX-License-Identifier: Apache-2.0 */
#include "firewall-elements.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

static uint16_t verb(bool add) {
        return add ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM;
}

static bool is_any(const struct berth_firewall_bridge *bridge) {
        (void) bridge;
        return true;
}

static bool is_internal(const struct berth_firewall_bridge *bridge) {
        return bridge->flags & BERTH_FIREWALL_INTERNAL;
}

static void put_links(struct nft_batch *batch, const struct firewall_change *change, bool add, const char *set,
                      bool (*wanted)(const struct berth_firewall_bridge *)) {
        struct nft_elements elements;
        nft_elements_begin(&elements, batch, verb(add), change->table, set);
        for (size_t i = 0; i < change->n_bridges; i++)
                if (wanted(&change->bridges[i]))
                        nft_elements_put(&elements, change->bridges[i].name, IFNAMSIZ, NULL, 0, false);
        nft_elements_end(&elements);
}

static void put_inner(struct nft_batch *batch, const struct firewall_change *change, bool add) {
        struct nft_elements elements;
        nft_elements_begin(&elements, batch, verb(add), change->table, FIREWALL_INNER);
        for (size_t i = 0; i < change->n_bridges; i++) {
                char pair[2 * IFNAMSIZ];
                memcpy(pair, change->bridges[i].name, IFNAMSIZ);
                memcpy(pair + IFNAMSIZ, change->bridges[i].name, IFNAMSIZ);
                nft_elements_put(&elements, pair, sizeof pair, NULL, 0, false);
        }
        nft_elements_end(&elements);
}

/* An interval is its first address and the first one past it; one that reaches to the end has no such. */
static void put_masqueraded(struct nft_batch *batch, const struct firewall_change *change, bool add) {
        struct nft_elements elements;
        nft_elements_begin(&elements, batch, verb(add), change->table, FIREWALL_MASQUERADED);
        for (size_t i = 0; i < change->n_bridges; i++) {
                const struct berth_firewall_bridge *bridge = &change->bridges[i];
                uint32_t first, size = bridge->prefix > 0 && bridge->prefix <= 32 ? 1U << (32 - bridge->prefix) : 0;
                if (!(bridge->flags & BERTH_FIREWALL_MASQUERADED))
                        continue;
                memcpy(&first, bridge->network, sizeof first);
                const uint32_t past = htonl(ntohl(first) + size);
                nft_elements_put(&elements, &first, sizeof first, NULL, 0, false);
                if (past != 0 && size > 0)
                        nft_elements_put(&elements, &past, sizeof past, NULL, 0, true);
        }
        nft_elements_end(&elements);
}

/* Keys and values: fields of four bytes, in network order, with nothing behind a shorter one. */
struct service {
        uint8_t protocol, pad[3];
        uint16_t port, pad_port;
};
struct at_key {
        uint8_t address[4];
        struct service service;
};
struct target {
        uint8_t address[4];
        uint16_t port, pad;
};

static struct service service_of(const struct berth_firewall_port *port) {
        return (struct service){.protocol = port->protocol, .port = htons(port->host_port)};
}

static void put_anywhere(struct nft_batch *batch, const struct firewall_change *change, bool add) {
        struct nft_elements elements;
        nft_elements_begin(&elements, batch, verb(add), change->table, FIREWALL_ANYWHERE);
        for (size_t i = 0; i < change->n_ports; i++) {
                const struct berth_firewall_port *port = &change->ports[i];
                const struct service key = service_of(port);
                struct target to = {.port = htons(port->port)};
                memcpy(to.address, port->address, sizeof to.address);
                if (!port->one_address)
                        nft_elements_put(&elements, &key, sizeof key, &to, sizeof to, false);
        }
        nft_elements_end(&elements);
}

static void put_at(struct nft_batch *batch, const struct firewall_change *change, bool add) {
        struct nft_elements elements;
        nft_elements_begin(&elements, batch, verb(add), change->table, FIREWALL_AT);
        for (size_t i = 0; i < change->n_ports; i++) {
                const struct berth_firewall_port *port = &change->ports[i];
                struct at_key key = {.service = service_of(port)};
                struct target to = {.port = htons(port->port)};
                memcpy(key.address, port->host_address, sizeof key.address);
                memcpy(to.address, port->address, sizeof to.address);
                if (port->one_address)
                        nft_elements_put(&elements, &key, sizeof key, &to, sizeof to, false);
        }
        nft_elements_end(&elements);
}

static void put_own(struct nft_batch *batch, const struct firewall_change *change, bool add) {
        struct nft_elements elements;
        nft_elements_begin(&elements, batch, verb(add), change->table, FIREWALL_OWN);
        for (size_t i = 0; i < change->n_ports; i++) {
                struct at_key key = {.service = service_of(&change->ports[i])};
                memcpy(key.address, change->ports[i].address, sizeof key.address);
                if (!change->ports[i].keep_own)
                        nft_elements_put(&elements, &key, sizeof key, NULL, 0, false);
        }
        nft_elements_end(&elements);
}

void firewall_elements_put(struct nft_batch *batch, const struct firewall_change *change, bool add) {
        put_links(batch, change, add, FIREWALL_BRIDGES, is_any);
        put_inner(batch, change, add);
        put_links(batch, change, add, FIREWALL_INTERNAL, is_internal);
        put_masqueraded(batch, change, add);
        put_anywhere(batch, change, add);
        put_at(batch, change, add);
        put_own(batch, change, add);
}
