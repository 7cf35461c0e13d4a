/* SPDX-License-Identifier: Apache-2.0 */
#include "request-network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "container-network.h"
#include "request.h"

static int request_check_sandbox(const struct shim *shim, struct berth_error *err) {
        bool stands = shim->state == SHIM_STATE_CREATED || shim->state == SHIM_STATE_RUNNING;
        if (!stands || shim->released)
                return berth_error_set(err, ESRCH, "the container is not running");
        if (shim->container.netlink < 0)
                return berth_error_set(err, EINVAL, "the container has no network of its own");
        return 0;
}

static int request_default_route(const char *gateway, const char *link, struct netlink_route *ret, struct berth_error *err) {
        size_t length = strlen(link);
        *ret = (struct netlink_route){.to.family = AF_INET};
        if (length >= sizeof ret->link)
                return berth_error_set(err, ENAMETOOLONG, "link name '%s'", link);
        memcpy(ret->link, link, length);
        return netlink_address_parse(gateway, &ret->via, err);
}

int request_add_link(struct shim *shim, struct frame_reader *fields, struct frame_writer *answer, struct berth_error *err) {
        (void) answer;
        struct frame_text host_name = frame_read_text(fields), bridge = frame_read_text(fields), name = frame_read_text(fields);
        struct container_link link = {.host_name = host_name.bytes, .bridge = bridge.bytes, .name = name.bytes};
        for (size_t i = 0; i < sizeof link.mac; i++)
                link.mac[i] = frame_read_u8(fields);
        link.mtu = frame_read_u32(fields);
        struct frame_text interface = frame_read_text(fields), gateway = frame_read_text(fields);
        if (!frame_read_all(fields))
                return REQUEST_MALFORMED;

        struct netlink_address address;
        struct netlink_route route;
        int r = request_check_sandbox(shim, err);
        if (r == 0)
                r = netlink_address_parse(interface.bytes, &address, err);
        if (r < 0)
                return r;
        link.addresses = &address;
        link.n_addresses = 1;
        r = container_network_link(&shim->container, &link, err);
        if (r == 0 && gateway.bytes[0]) {
                r = request_default_route(gateway.bytes, name.bytes, &route, err);
                if (r == 0)
                        r = netlink_route_replace(shim->container.netlink, &route, err);
        }
        if (r < 0)
                (void) container_network_unlink(&shim->container, host_name.bytes, NULL);
        return r;
}

int request_remove_link(struct shim *shim, struct frame_reader *fields, struct frame_writer *answer, struct berth_error *err) {
        (void) answer;
        struct frame_text host_name = frame_read_text(fields);
        if (!frame_read_all(fields))
                return REQUEST_MALFORMED;
        int r = request_check_sandbox(shim, err);
        return r == 0 ? container_network_unlink(&shim->container, host_name.bytes, err) : r;
}

int request_set_gateway(struct shim *shim, struct frame_reader *fields, struct frame_writer *answer, struct berth_error *err) {
        (void) answer;
        struct frame_text gateway = frame_read_text(fields), link = frame_read_text(fields);
        if (!frame_read_all(fields))
                return REQUEST_MALFORMED;
        int r = request_check_sandbox(shim, err);
        if (r < 0)
                return r;
        if (gateway.bytes[0] == '\0')
                return netlink_default_route_delete(shim->container.netlink, AF_INET, err);
        struct netlink_route route;
        r = request_default_route(gateway.bytes, link.bytes, &route, err);
        return r == 0 ? netlink_route_replace(shim->container.netlink, &route, err) : r;
}

int request_open_dns(struct shim *shim, struct frame_reader *fields, struct frame_writer *answer, struct berth_error *err) {
        if (!frame_read_all(fields))
                return REQUEST_MALFORMED;
        int r = request_check_sandbox(shim, err);
        if (r == 0 && !shim->dns.open) {
                r = container_network_dns(&shim->container, &shim->dns.udp, &shim->dns.tcp, err);
                shim->dns.open = r == 0;
        }
        if (r < 0)
                return r;
        frame_write_i32(answer, shim->dns.udp);
        frame_write_i32(answer, shim->dns.tcp);
        return 0;
}

int request_publish(struct shim *shim, struct frame_reader *fields, struct frame_writer *answer, struct berth_error *err) {
        (void) answer;
        struct port_address port = {.protocol = frame_read_u8(fields)};
        struct frame_text host = frame_read_text(fields);
        port.host_port = frame_read_u16(fields);
        struct frame_text address = frame_read_text(fields);
        struct sockaddr_in target = {.sin_family = AF_INET, .sin_port = htons(frame_read_u16(fields))};
        if (!frame_read_all(fields))
                return REQUEST_MALFORMED;
        port.host = host.bytes;
        int r = request_check_sandbox(shim, err);
        if (r == 0 && inet_pton(AF_INET, address.bytes, &target.sin_addr) != 1)
                r = berth_error_set(err, EINVAL, "'%s' is not an IPv4 address", address.bytes);
        return r == 0 ? ports_publish(shim, &port, &target, err) : r;
}

int request_withdraw(struct shim *shim, struct frame_reader *fields, struct frame_writer *answer, struct berth_error *err) {
        (void) answer;
        struct port_address port = {.protocol = frame_read_u8(fields)};
        struct frame_text host = frame_read_text(fields);
        port.host_port = frame_read_u16(fields);
        if (!frame_read_all(fields))
                return REQUEST_MALFORMED;
        port.host = host.bytes;
        return ports_withdraw(shim, &port, err);
}

void request_network_release(struct shim *shim) {
        ports_release(shim);
        if (!shim->dns.open)
                return;
        cleanup_close(&shim->dns.udp);
        cleanup_close(&shim->dns.tcp);
        shim->dns = (struct shim_dns){0};
}
