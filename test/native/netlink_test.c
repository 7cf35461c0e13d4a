/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "cleanup.h"
#include "netlink.h"

/* Plays host and container in two network namespaces of its own, so the machine's network is never touched. */

static ino_t netns_inode(void) {
        struct stat stat_buffer;
        return stat("/proc/thread-self/ns/net", &stat_buffer) == 0 ? stat_buffer.st_ino : 0;
}

static int socket_in(int netns, int type) {
        _cleanup_close_ int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
        if (setns(netns, CLONE_NEWNET) < 0)
                return -1;
        int sock = socket(AF_INET, type | SOCK_CLOEXEC, 0);
        if (setns(home, CLONE_NEWNET) < 0)
                abort();
        return sock;
}

static void check_parse(const char *text, int family, int prefix) {
        struct netlink_address address;
        struct berth_error err = {0};
        int r = netlink_address_parse(text, &address, &err);
        if (family == 0)
                check(r == -EINVAL, "'%s' is refused", text);
        else
                check(r == 0 && address.family == family && address.prefix == prefix, "'%s' is read", text);
}

static void test_parse(void) {
        check_parse("10.0.0.1/24", AF_INET, 24);
        check_parse("10.0.0.1", AF_INET, 32);
        check_parse("0.0.0.0/0", AF_INET, 0);
        check_parse("fe80::1", AF_INET6, 128);
        check_parse("fd00::1/64", AF_INET6, 64);
        check_parse("10.0.0.1/33", 0, 0);
        check_parse("10.0.0.1/", 0, 0);
        check_parse("10.0.0.1/+4", 0, 0);
        check_parse("10.0.0.1/8x", 0, 0);
        check_parse("10.0.0/8", 0, 0);
        check_parse("", 0, 0);
        check_parse("/8", 0, 0);
}

/* A datagram from the container to the host's bridge address, and the answer's source address. */
static void test_traffic(int host, int inside) {
        _cleanup_close_ int server = socket_in(host, SOCK_DGRAM), client = socket_in(inside, SOCK_DGRAM);
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(7777), .sin_addr.s_addr = inet_addr("10.77.0.1")}, from = {0};
        check(bind(server, (struct sockaddr *) &address, sizeof(address)) == 0, "the host's end has the bridge's address");
        check(sendto(client, "x", 1, 0, (struct sockaddr *) &address, sizeof(address)) == 1, "the container can send");
        struct pollfd poller = {.fd = server, .events = POLLIN};
        check(poll(&poller, 1, 5000) == 1, "what it sends arrives");
        char byte = 0;
        socklen_t length = sizeof(from);
        (void) recvfrom(server, &byte, 1, MSG_DONTWAIT, (struct sockaddr *) &from, &length);
        check(byte == 'x' && from.sin_addr.s_addr == inet_addr("10.77.0.2"), "from the container's address");
        /* Outside of every subnet: only the default route leads there. */
        address.sin_addr.s_addr = inet_addr("198.51.100.1");
        check(sendto(client, "x", 1, 0, (struct sockaddr *) &address, sizeof(address)) == 1, "the default route is used");
}

/* Run in the namespace of the near ends. */
static void test_pair_delete(int host_sock, int inside, int inside_sock) {
        const uint8_t mac[6] = {0x02, 0x42, 10, 77, 0, 3};
        struct berth_error err = {0};
        uint32_t index = 0, other = 0;
        check_call(netlink_veth_create(host_sock, "bthtest1", 0, "eth1", inside, mac, 0, &err), &err, "a pair is made");
        check_call(netlink_veth_create(host_sock, "bthtest2", 0, "eth2", inside, mac, 0, &err), &err, "and another one");
        check_call(netlink_link_index(inside_sock, "eth1", &index, &err), &err, "its far end has a number");
        check_call(netlink_pair_delete(host_sock, "bthtest1", inside, index, &err), &err, "the pair is deleted");
        check(netlink_link_index(inside_sock, "eth1", &other, &err) == -ENODEV, "the far end is gone");
        check(netlink_link_index(host_sock, "bthtest1", &other, &err) == -ENODEV, "and the near one");
        check(netlink_pair_delete(host_sock, "bthtest1", inside, index, &err) == -ENODEV, "what is gone is told: %s", err.text);
        check_call(netlink_link_index(inside_sock, "eth2", &index, &err), &err, "nothing else has gone");
        check_call(netlink_pair_delete(host_sock, "bthtest2", inside, index + 1000, &err), &err, "a wrong number waits for the kernel's whole work");
        check(netlink_pair_delete(host_sock, "a-name-that-is-too-long", inside, 1, &err) == -EINVAL, "a name that is too long is refused");
        int children = 0;
        while (waitpid(-1, NULL, 0) > 0)
                children++;
        check(children == 4, "%d children were left to be taken in", children);
}

int main(void) {
        struct berth_error err = {0};
        _cleanup_close_ int host = -1, host_sock = -1, inside = -1, inside_sock = -1;
        test_parse();

        ino_t before = netns_inode();
        check_call(netns_create(&host, &host_sock, &err), &err, "a network namespace is made");
        check_call(netns_create(&inside, &inside_sock, &err), &err, "and another one");
        check(before == netns_inode(), "the process stays in its own");

        uint32_t bridge = 0, index = 0, again = 0;
        check_call(netlink_bridge_create(host_sock, "berth9", 1400, &bridge, &err), &err, "a bridge is made");
        check(netlink_bridge_create(host_sock, "berth9", 0, &again, &err) == -EEXIST, "a second one of the same name is refused: %s", err.text);
        struct netlink_address gateway, address, nowhere;
        check_call(netlink_address_parse("10.77.0.1/16", &gateway, &err), &err, "an address is read");
        check_call(netlink_address_add(host_sock, bridge, &gateway, &err), &err, "the bridge gets it");
        check_call(netlink_address_add(host_sock, bridge, &gateway, &err), &err, "adding it twice is no error");

        const uint8_t mac[6] = {0x02, 0x42, 10, 77, 0, 2};
        check_call(netlink_veth_create(host_sock, "bthtest0", bridge, "eth0", inside, mac, 1400, &err), &err, "a pair of links is made");
        check(netlink_veth_create(host_sock, "bthtest0", bridge, "eth1", inside, mac, 0, &err) == -EEXIST, "a taken name is refused: %s", err.text);
        check(netlink_link_index(inside_sock, "eth1", &index, &err) == -ENODEV, "nothing of it is left");
        check_call(netlink_link_index(inside_sock, "eth0", &index, &err), &err, "the far end was born inside");
        check(netlink_link_index(host_sock, "eth0", &again, &err) == -ENODEV, "and is not outside: %s", err.text);

        check_call(netlink_address_parse("10.77.0.2/16", &address, &err), &err, "an address is read");
        check_call(netlink_address_add(inside_sock, index, &address, &err), &err, "the far end gets it");
        check_call(netlink_link_up(inside_sock, index, true, &err), &err, "and goes up");
        struct netlink_route route = {.via = gateway, .link = "eth0"};
        check_call(netlink_address_parse("0.0.0.0/0", &route.to, &err), &err, "the default destination is read");
        check_call(netlink_route_add(inside_sock, &route, &err), &err, "the default route is set");
        struct netlink_route direct = {.link = "eth0"};
        check_call(netlink_address_parse("10.99.0.0/24", &direct.to, &err), &err, "a subnet is read");
        check_call(netlink_route_add(inside_sock, &direct, &err), &err, "a subnet can be reached without a gateway");
        check_call(netlink_address_parse("203.0.113.1", &nowhere, &err), &err, "an address outside is read");
        struct netlink_route wrong = {.to = direct.to, .via = nowhere, .link = "eth0"};
        wrong.to.bytes[1] = 98;
        check(netlink_route_add(inside_sock, &wrong, &err) == -ENETUNREACH, "a gateway that cannot be reached is refused: %s", err.text);
        test_traffic(host, inside);

        check(setns(host, CLONE_NEWNET) == 0, "the process goes where the near ends are");
        test_pair_delete(host_sock, inside, inside_sock);
        check(netlink_link_delete(host_sock, "bthtest0", &err) == 0, "deleting the near end succeeds");
        check(netlink_link_index(inside_sock, "eth0", &index, &err) == -ENODEV, "and takes the far end with it");
        check(netlink_link_delete(host_sock, "bthtest0", &err) == -ENODEV, "deleting it again says that it is gone");
        check(netlink_link_index(host_sock, "a-name-that-is-too-long", &index, &err) == -EINVAL, "a name that is too long is refused");
        return check_end();
}
