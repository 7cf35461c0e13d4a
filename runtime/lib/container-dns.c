/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "container-network.h"

#define DNS_ADDRESS 0x7f00000bU /* 127.0.0.11 */
#define DNS_BACKLOG 64

static int dns_socket(int type, uint16_t *ret_port, int *ret_fd, struct berth_error *err) {
        _cleanup_close_ int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(DNS_ADDRESS)};
        socklen_t size = sizeof address;

        if (fd < 0)
                return berth_error_set(err, errno, "open a DNS socket");
        if (bind(fd, (struct sockaddr *) &address, sizeof address) < 0 || getsockname(fd, (struct sockaddr *) &address, &size) < 0)
                return berth_error_set(err, errno, "bind a DNS socket");
        if (type == SOCK_STREAM && listen(fd, DNS_BACKLOG) < 0)
                return berth_error_set(err, errno, "listen on a DNS socket");
        *ret_port = ntohs(address.sin_port);
        return give_fd(ret_fd, &fd);
}

static int dns_open_inside(int *ret_udp, int *ret_tcp, struct berth_error *err) {
        _cleanup_close_ int udp = -1, tcp = -1, firewall = -1;
        struct netlink_redirect redirects[] = {
                {.address = htonl(DNS_ADDRESS), .protocol = IPPROTO_UDP, .from = 53},
                {.address = htonl(DNS_ADDRESS), .protocol = IPPROTO_TCP, .from = 53},
        };

        int r = dns_socket(SOCK_DGRAM, &redirects[0].to, &udp, err);
        if (r == 0)
                r = dns_socket(SOCK_STREAM, &redirects[1].to, &tcp, err);
        if (r < 0)
                return r;
        firewall = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
        if (firewall < 0)
                return berth_error_set(err, errno, "open a netlink socket of the container's firewall");
        r = netlink_redirect(firewall, redirects, 2, err);
        if (r < 0)
                return r;
        *ret_udp = take_fd(&udp);
        return give_fd(ret_tcp, &tcp);
}

int container_network_dns(const struct container *container, int *ret_udp, int *ret_tcp, struct berth_error *err) {
        int udp = -1, tcp = -1;
        _cleanup_close_ int home = -1;

        int r = netns_open_home(&home, err);
        if (r < 0)
                return r;
        if (setns(container->netns, CLONE_NEWNET) < 0)
                return berth_error_set(err, errno, "enter the container's network namespace");
        r = dns_open_inside(&udp, &tcp, err);
        int left = netns_leave(home, r < 0 ? NULL : err);
        r = r < 0 ? r : left;
        if (r < 0) {
                cleanup_close(&udp);
                cleanup_close(&tcp);
                return r;
        }
        *ret_udp = udp;
        *ret_tcp = tcp;
        return 0;
}
