/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../include/berth.h"
#include "cgroup.h"
#include "cleanup.h"
#include "netlink.h"

#define LIST_ATTEMPTS 8
#define BRIDGE_ADDRESSES 16

/* ---- JSON, written into the caller's buffer ---- */

struct json {
        char *out;
        size_t capacity, used;
};

__attribute__((format(printf, 2, 3))) static void json_put(struct json *json, const char *format, ...) {
        size_t space = json->used < json->capacity ? json->capacity - json->used : 0;
        va_list args;
        va_start(args, format);
        int n = vsnprintf(space ? json->out + json->used : NULL, space, format, args);
        va_end(args);
        json->used += n > 0 ? (size_t) n : 0;
}

/* Names of links may hold any byte but '/' and white space; what is not ASCII is shown as '?'. */
static void json_text(struct json *json, const char *text) {
        json_put(json, "\"");
        for (const char *c = text; *c; c++)
                if (*c == '"' || *c == '\\')
                        json_put(json, "\\%c", *c);
                else
                        json_put(json, "%c", *c >= 0x20 && *c < 0x7f ? *c : '?');
        json_put(json, "\"");
}

static void json_address(struct json *json, const struct netlink_address *address, bool with_prefix) {
        char text[INET6_ADDRSTRLEN] = "";
        (void) inet_ntop(address->family, address->bytes, text, sizeof(text));
        if (with_prefix)
                json_put(json, "\"%s/%u\"", text, address->prefix);
        else
                json_put(json, "\"%s\"", text);
}

/* The size is told also when the buffer was too small for it (-ENOSPC). */
static int json_end(const struct json *json, size_t *ret_size, struct berth_error *err) {
        *ret_size = json->used;
        if (json->used >= json->capacity)
                return berth_error_set(err, ENOSPC, "the answer of %zu bytes does not fit into %zu", json->used, json->capacity);
        return 0;
}

/* ---- cgroups ---- */

static int group_of(const char *path, struct cgroup_layout *layout, struct cgroup *cgroup, struct berth_error *err) {
        int length = snprintf(cgroup->path, sizeof(cgroup->path), "%s", path);
        if (length < 0 || (size_t) length >= sizeof(cgroup->path))
                return berth_error_set(err, ENAMETOOLONG, "the cgroup path is too long");
        cgroup->made = 0;
        return cgroup_detect(layout, err);
}

int berth_cgroup_kill(const char *path, struct berth_error *err) {
        struct cgroup_layout layout;
        struct cgroup cgroup;
        int r = group_of(path, &layout, &cgroup, err);
        if (r == 0)
                r = cgroup_signal_all(&layout, &cgroup, SIGKILL, err);
        return r == -ENOENT ? 0 : r;
}

int berth_cgroup_remove(const char *path, struct berth_error *err) {
        struct cgroup_layout layout;
        struct cgroup cgroup;
        int r = group_of(path, &layout, &cgroup, err);
        return r < 0 ? r : cgroup_remove(&layout, &cgroup, err);
}

int berth_cgroup_layout(char *json_out, size_t capacity, size_t *ret_size, struct berth_error *err) {
        static const char *const names[] = {"blkio", "cpu", "cpuacct", "cpuset", "devices", "freezer", "hugetlb", "io", "memory", "pids", "rdma"};
        struct cgroup_layout layout;
        int r = cgroup_detect(&layout, err);
        if (r < 0)
                return r;
        /* Of a host with both, the version is that of the hierarchy that limits memory: what a container sees most. */
        const struct cgroup_hierarchy *memory = cgroup_hierarchy_of(&layout, "memory");
        bool unified = memory ? memory->unified : layout.n == 1 && layout.unified_index == 0;
        struct json json = {.out = json_out, .capacity = capacity};
        json_put(&json, "{\"version\":%d,\"controllers\":{", unified ? 2 : 1);
        const char *separator = "";
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                const struct cgroup_hierarchy *hierarchy = cgroup_hierarchy_of(&layout, names[i]);
                if (!hierarchy)
                        continue;
                json_put(&json, "%s\"%s\":%d", separator, names[i], hierarchy->unified ? 2 : 1);
                separator = ",";
        }
        json_put(&json, "},\"hierarchies\":[");
        for (uint32_t i = 0; i < layout.n; i++) {
                struct cgroup_hierarchy *hierarchy = &layout.hierarchy[i];
                json_put(&json, "%s{\"mount\":", i ? "," : "");
                json_text(&json, hierarchy->mount);
                json_put(&json, ",\"controllers\":[");
                char *rest = hierarchy->controllers, *word;
                separator = "";
                while ((word = strsep(&rest, ",")))
                        if (*word) {
                                json_put(&json, "%s", separator);
                                json_text(&json, word);
                                separator = ",";
                        }
                json_put(&json, "],\"unified\":%s}", hierarchy->unified ? "true" : "false");
        }
        json_put(&json, "]}");
        return json_end(&json, ret_size, err);
}

/* ---- links ---- */

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
        struct json *json;
        const struct addresses *addresses;
        bool more;
};

static int write_link(const struct netlink_link *link, void *data) {
        struct link_writer *writer = data;
        struct json *json = writer->json;
        json_put(json, "%s{\"name\":", writer->more ? "," : "");
        json_text(json, link->name);
        json_put(json, ",\"index\":%u,\"kind\":", link->index);
        json_text(json, link->kind);
        json_put(json, ",\"master\":%u,\"mtu\":%u,\"up\":%s,\"addresses\":[", link->master, link->mtu, link->up ? "true" : "false");
        const char *separator = "";
        for (size_t i = 0; i < writer->addresses->n; i++) {
                if (writer->addresses->entry[i].index != link->index)
                        continue;
                json_put(json, "%s", separator);
                json_address(json, &writer->addresses->entry[i].address, true);
                separator = ",";
        }
        json_put(json, "]}");
        writer->more = true;
        return 0;
}

static int list_links(int sock, struct json *json, struct berth_error *err) {
        struct addresses addresses = {0};
        int r = netlink_addresses(sock, 0, add_address, &addresses, err);
        struct link_writer writer = {.json = json, .addresses = &addresses};
        json_put(json, "[");
        if (r == 0)
                r = netlink_links(sock, write_link, &writer, err);
        json_put(json, "]");
        free(addresses.entry);
        return r;
}

struct route_writer {
        struct json *json;
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
        json_put(writer->json, "%s{\"to\":", writer->more ? "," : "");
        json_address(writer->json, &route->to, true);
        if (route->via.family) {
                json_put(writer->json, ",\"via\":");
                json_address(writer->json, &route->via, false);
        }
        json_put(writer->json, ",\"link\":");
        json_text(writer->json, search.name);
        json_put(writer->json, "}");
        writer->more = true;
        return 0;
}

static int list_routes(int sock, struct json *json, struct berth_error *err) {
        _cleanup_close_ int second = -1;
        int r = netlink_open(&second, err);
        if (r < 0)
                return r;
        struct route_writer writer = {.json = json, .sock = second};
        json_put(json, "[");
        r = netlink_routes(sock, write_route, &writer, err);
        json_put(json, "]");
        return r;
}

static int list(int (*lister)(int, struct json *, struct berth_error *), struct json *json, size_t *ret_size, struct berth_error *err) {
        _cleanup_close_ int sock = -1;
        int r = netlink_open(&sock, err);
        if (r < 0)
                return r;
        for (int i = 0; i < LIST_ATTEMPTS; i++) {
                json->used = 0;
                r = lister(sock, json, err);
                if (r != -EAGAIN)
                        break;
        }
        return r < 0 ? r : json_end(json, ret_size, err);
}

int berth_links(char *json_out, size_t capacity, size_t *ret_size, struct berth_error *err) {
        struct json json = {.out = json_out, .capacity = capacity};
        return list(list_links, &json, ret_size, err);
}

int berth_routes(char *json_out, size_t capacity, size_t *ret_size, struct berth_error *err) {
        struct json json = {.out = json_out, .capacity = capacity};
        return list(list_routes, &json, ret_size, err);
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
        return r < 0 ? berth_error_prefix(err, "bridge %s", name) : 0;
}

int berth_firewall_table(const char *name, struct berth_error *err) {
        return netlink_firewall_table(name, err);
}
