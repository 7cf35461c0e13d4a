/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../include/berth.h"
#include "abi-answer.h"
#include "cleanup.h"
#include "netlink.h"

#define LIST_ATTEMPTS 8
#define BRIDGE_ADDRESSES 16

/* ---- links ---- */

static void answer_address(struct answer *answer, const struct netlink_address *address, bool with_prefix) {
        char text[INET6_ADDRSTRLEN] = "";
        (void) inet_ntop(address->family, address->bytes, text, sizeof(text));
        if (with_prefix)
                answer_put(answer, "\"%s/%u\"", text, address->prefix);
        else
                answer_put(answer, "\"%s\"", text);
}

struct addresses {
        struct {
                uint32_t index;
                struct netlink_address address;
        } * entry;
        size_t n, capacity;
};

static int add_address(uint32_t index, const struct netlink_address *address, void *data) {
        struct addresses *list = data;
        if (list->n == list->capacity) {
                size_t capacity = list->capacity ? 2 * list->capacity : 64;
                void *grown = reallocarray(list->entry, capacity, sizeof(list->entry[0]));
                if (!grown)
                        return -ENOMEM;
                list->entry = grown;
                list->capacity = capacity;
        }
        list->entry[list->n].index = index;
        list->entry[list->n++].address = *address;
        return 0;
}

struct link_writer {
        struct answer *answer;
        const struct addresses *addresses;
        bool more;
};

static int write_link(const struct netlink_link *link, void *data) {
        struct link_writer *writer = data;
        struct answer *answer = writer->answer;
        answer_put(answer, "%s{\"name\":", writer->more ? "," : "");
        answer_text(answer, link->name);
        answer_put(answer, ",\"index\":%u,\"kind\":", link->index);
        answer_text(answer, link->kind);
        answer_put(answer, ",\"master\":%u,\"mtu\":%u,\"up\":%s,\"addresses\":[", link->master, link->mtu, link->up ? "true" : "false");
        const char *separator = "";
        for (size_t i = 0; i < writer->addresses->n; i++) {
                if (writer->addresses->entry[i].index != link->index)
                        continue;
                answer_put(answer, "%s", separator);
                answer_address(answer, &writer->addresses->entry[i].address, true);
                separator = ",";
        }
        answer_put(answer, "]}");
        writer->more = true;
        return 0;
}

static int list_links(int sock, struct answer *answer, struct berth_error *err) {
        struct addresses addresses = {0};
        int r = netlink_addresses(sock, 0, add_address, &addresses, err);
        struct link_writer writer = {.answer = answer, .addresses = &addresses};
        answer_put(answer, "[");
        if (r == 0)
                r = netlink_links(sock, write_link, &writer, err);
        answer_put(answer, "]");
        free(addresses.entry);
        return r;
}

struct route_writer {
        struct answer *answer;
        int sock; /* a second one: the first is busy with the list */
        bool more;
};

struct name_search {
        uint32_t index;
        char name[IFNAMSIZ];
};

static int match_index(const struct netlink_link *link, void *data) {
        struct name_search *search = data;
        if (link->index == search->index)
                memcpy(search->name, link->name, sizeof(search->name));
        return 0;
}

static int write_route(uint32_t index, const struct netlink_route *route, void *data) {
        struct route_writer *writer = data;
        struct name_search search = {.index = index};
        int r = index ? netlink_links(writer->sock, match_index, &search, NULL) : 0;
        if (r < 0)
                return r;
        answer_put(writer->answer, "%s{\"to\":", writer->more ? "," : "");
        answer_address(writer->answer, &route->to, true);
        if (route->via.family) {
                answer_put(writer->answer, ",\"via\":");
                answer_address(writer->answer, &route->via, false);
        }
        answer_put(writer->answer, ",\"link\":");
        answer_text(writer->answer, search.name);
        answer_put(writer->answer, "}");
        writer->more = true;
        return 0;
}

static int list_routes(int sock, struct answer *answer, struct berth_error *err) {
        _cleanup_close_ int second = -1;
        int r = netlink_open(&second, err);
        if (r < 0)
                return r;
        struct route_writer writer = {.answer = answer, .sock = second};
        answer_put(answer, "[");
        r = netlink_routes(sock, write_route, &writer, err);
        answer_put(answer, "]");
        return r;
}

static int list(int (*lister)(int, struct answer *, struct berth_error *), struct answer *answer, size_t *ret_size, struct berth_error *err) {
        _cleanup_close_ int sock = -1;
        int r = netlink_open(&sock, err);
        if (r < 0)
                return r;
        for (int i = 0; i < LIST_ATTEMPTS; i++) {
                answer->used = 0;
                r = lister(sock, answer, err);
                if (r != -EAGAIN)
                        break;
        }
        return r < 0 ? r : answer_end(answer, ret_size, err);
}

int berth_links(char *json_out, size_t capacity, size_t *ret_size, struct berth_error *err) {
        struct answer answer = {.out = json_out, .capacity = capacity};
        return list(list_links, &answer, ret_size, err);
}

int berth_routes(char *json_out, size_t capacity, size_t *ret_size, struct berth_error *err) {
        struct answer answer = {.out = json_out, .capacity = capacity};
        return list(list_routes, &answer, ret_size, err);
}

int berth_link_is_up(uint32_t index, const char *name, struct berth_error *err) {
        _cleanup_close_ int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (sock < 0)
                return berth_error_set(err, errno, "open a socket to look for the network link %s", name);
        return netlink_link_is_up(sock, index, name);
}

int berth_link_delete(const char *name, struct berth_error *err) {
        _cleanup_close_ int sock = -1;
        int r = netlink_open(&sock, err);
        if (r == 0)
                r = netlink_link_delete(sock, name, err);
        return r == -ENODEV ? 0 : r;
}

/* ---- the bridge ---- */

struct bridge {
        const char *name;
        struct netlink_link link;
        struct netlink_address wanted[BRIDGE_ADDRESSES], extra[BRIDGE_ADDRESSES];
        size_t n_wanted, n_extra;
        bool there[BRIDGE_ADDRESSES]; /* of the wanted ones */
};

/* Of a family for which addresses are given, those that are not among them. Link-local ones are the kernel's. */
static int collect_extra(uint32_t index, const struct netlink_address *address, void *data) {
        struct bridge *bridge = data;
        bool link_local = address->family == AF_INET6 && address->bytes[0] == 0xfe && (address->bytes[1] & 0xc0) == 0x80, family_given = false;
        (void) index;
        if (link_local)
                return 0;
        for (size_t i = 0; i < bridge->n_wanted; i++) {
                const struct netlink_address *wanted = &bridge->wanted[i];
                family_given = family_given || wanted->family == address->family;
                if (wanted->family == address->family && wanted->prefix == address->prefix &&
                    memcmp(wanted->bytes, address->bytes, sizeof(wanted->bytes)) == 0) {
                        bridge->there[i] = true;
                        return 0;
                }
        }
        if (family_given && bridge->n_extra < BRIDGE_ADDRESSES)
                bridge->extra[bridge->n_extra++] = *address;
        return 0;
}

static int find_or_make(int sock, struct bridge *bridge, uint32_t mtu, struct berth_error *err) {
        int r = netlink_link_get(sock, bridge->name, &bridge->link, err);
        if (r == -ENODEV) {
                r = netlink_bridge_create(sock, bridge->name, mtu, &bridge->link.index, err);
                if (r != -EEXIST)
                        return r;
                r = netlink_link_get(sock, bridge->name, &bridge->link, err);
        }
        if (r < 0)
                return r;
        if (strcmp(bridge->link.kind, "bridge") != 0)
                return berth_error_set(err, EEXIST, "the network link %s exists and is no bridge", bridge->name);
        return bridge->link.up ? 0 : netlink_link_up(sock, bridge->link.index, true, err);
}

static int list_addresses(int sock, struct bridge *bridge, struct berth_error *err) {
        int r = -EAGAIN;
        for (int i = 0; i < LIST_ATTEMPTS && r == -EAGAIN; i++) {
                bridge->n_extra = 0;
                r = netlink_addresses(sock, bridge->link.index, collect_extra, bridge, err);
        }
        return r;
}

int berth_bridge_ensure(const char *name, const char *const *addresses, size_t n_addresses, uint32_t mtu, struct berth_error *err) {
        _cleanup_close_ int sock = -1;
        struct bridge bridge = {.name = name};
        if (n_addresses > BRIDGE_ADDRESSES)
                return berth_error_set(err, E2BIG, "%zu addresses of a bridge are more than %d", n_addresses, BRIDGE_ADDRESSES);
        for (; bridge.n_wanted < n_addresses; bridge.n_wanted++) {
                int r = netlink_address_parse(addresses[bridge.n_wanted], &bridge.wanted[bridge.n_wanted], err);
                if (r < 0)
                        return r;
        }
        int r = netlink_open(&sock, err);
        if (r == 0)
                r = find_or_make(sock, &bridge, mtu, err);
        if (r == 0)
                r = list_addresses(sock, &bridge, err);
        for (size_t i = 0; i < bridge.n_extra && r == 0; i++) {
                r = netlink_address_delete(sock, bridge.link.index, &bridge.extra[i], err);
                r = r == -EADDRNOTAVAIL ? 0 : r;
        }
        for (size_t i = 0; i < bridge.n_wanted && r == 0; i++)
                if (!bridge.there[i])
                        r = netlink_address_add(sock, bridge.link.index, &bridge.wanted[i], err);
        return r < 0 ? berth_error_prefix(err, "bridge %s", name) : (int) bridge.link.index;
}
