/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>

#include "cleanup.h"
#include "netlink.h"

#define LOOPBACK_INDEX 1 /* the kernel makes it first in every namespace */
#define NETNS_PATH "/proc/thread-self/ns/net"

static int open_inside(int *ret_netns_fd, int *ret_sock, struct berth_error *err) {
        _cleanup_close_ int netns = open(NETNS_PATH, O_RDONLY | O_CLOEXEC);
        if (netns < 0)
                return berth_error_set(err, errno, "open the new network namespace");
        int r = netlink_open(ret_sock, err);
        return r < 0 ? r : give_fd(ret_netns_fd, &netns);
}

int netns_create(int *ret_netns_fd, int *ret_netlink_sock, struct berth_error *err) {
        _cleanup_close_ int home = open(NETNS_PATH, O_RDONLY | O_CLOEXEC);
        if (home < 0)
                return berth_error_set(err, errno, "open the network namespace of this process");
        if (unshare(CLONE_NEWNET) < 0)
                return berth_error_set(err, errno, "make a network namespace");
        _cleanup_close_ int netns = -1, sock = -1;
        int r = open_inside(&netns, &sock, err);
        if (setns(home, CLONE_NEWNET) < 0)
                return berth_error_set(err, errno, "return to the network namespace of this process");
        if (r == 0)
                r = netlink_link_up(sock, LOOPBACK_INDEX, true, err);
        if (r < 0)
                return r;
        *ret_netlink_sock = take_fd(&sock);
        return give_fd(ret_netns_fd, &netns);
}
