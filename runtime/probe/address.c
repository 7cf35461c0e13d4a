/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>

static bool parse_address(const char *host, uint16_t port, struct probe_address *ret) {
        struct probe_address address = {0};
        if (inet_pton(AF_INET, host, &address.v4.sin_addr) == 1) {
                address.v4.sin_family = AF_INET;
                address.v4.sin_port = htons(port);
                address.size = sizeof address.v4;
        } else if (inet_pton(AF_INET6, host, &address.v6.sin6_addr) == 1) {
                address.v6.sin6_family = AF_INET6;
                address.v6.sin6_port = htons(port);
                address.size = sizeof address.v6;
        } else
                return false;
        *ret = address;
        return true;
}

static bool is_loopback(const struct probe_address *address) {
        if (address->any.sa_family == AF_INET)
                return ntohl(address->v4.sin_addr.s_addr) >> 24 == 127;
        return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
}

static bool is_same(const struct probe_address *a, const struct probe_address *b) {
        if (a->any.sa_family != b->any.sa_family)
                return false;
        if (a->any.sa_family == AF_INET)
                return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
        return memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr) == 0;
}

/* Addresses of the namespace's interfaces but for loopback and those of one link. */
static int own_addresses(uint16_t port, struct probe_address *ret, int max, struct berth_error *err) {
        struct ifaddrs *list;
        if (getifaddrs(&list) < 0)
                return berth_error_set(err, errno, "list the container's addresses: %s", strerror(errno));
        int n = 0;
        for (const struct ifaddrs *one = list; one && n < max; one = one->ifa_next) {
                struct probe_address address = {0};
                if (!one->ifa_addr)
                        continue;
                if (one->ifa_addr->sa_family == AF_INET) {
                        address.size = sizeof address.v4;
                        memcpy(&address.v4, one->ifa_addr, address.size);
                        address.v4.sin_port = htons(port);
                } else if (one->ifa_addr->sa_family == AF_INET6) {
                        address.size = sizeof address.v6;
                        memcpy(&address.v6, one->ifa_addr, address.size);
                        address.v6.sin6_port = htons(port);
                        if (IN6_IS_ADDR_LINKLOCAL(&address.v6.sin6_addr))
                                continue;
                } else
                        continue;
                if (!is_loopback(&address))
                        ret[n++] = address;
        }
        freeifaddrs(list);
        return n;
}

int probe_addresses(const char *host, uint16_t port, struct probe_address ret[static PROBE_MAX_ADDRESSES], struct berth_error *err) {
        struct probe_address own[PROBE_MAX_ADDRESSES], asked;
        if (*host == '\0' || strcmp(host, "localhost") == 0) {
                (void) parse_address("127.0.0.1", port, &ret[0]);
                (void) parse_address("::1", port, &ret[1]);
                if (*host != '\0')
                        return 2;
                int n = own_addresses(port, ret + 2, PROBE_MAX_ADDRESSES - 2, err);
                return n < 0 ? n : n + 2;
        }
        if (!parse_address(host, port, &asked))
                return berth_error_set(err, EADDRNOTAVAIL, "'%s' is no address", host);
        int n = own_addresses(port, own, PROBE_MAX_ADDRESSES, err);
        if (n < 0)
                return n;
        bool found = is_loopback(&asked);
        for (int i = 0; i < n && !found; i++)
                found = is_same(&own[i], &asked);
        if (!found)
                return berth_error_set(err, EADDRNOTAVAIL, "%s is no address of the container", host);
        ret[0] = asked;
        return 1;
}

void probe_address_text(const struct probe_address *address, char ret[static PROBE_ADDRESS_TEXT]) {
        char host[INET6_ADDRSTRLEN] = "";
        if (address->any.sa_family == AF_INET) {
                (void) inet_ntop(AF_INET, &address->v4.sin_addr, host, sizeof host);
                (void) snprintf(ret, PROBE_ADDRESS_TEXT, "%s:%u", host, ntohs(address->v4.sin_port));
        } else {
                (void) inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof host);
                (void) snprintf(ret, PROBE_ADDRESS_TEXT, "[%s]:%u", host, ntohs(address->v6.sin6_port));
        }
}
