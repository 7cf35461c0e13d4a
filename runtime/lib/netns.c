/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>

#include "cleanup.h"
#include "netlink.h"

#define LOOPBACK_INDEX 1 /* the kernel makes it first in every namespace */
#define NETNS_PATH "/proc/thread-self/ns/net"

static int open_home(int *ret_fd, struct berth_error *err) {
        *ret_fd = open(NETNS_PATH, O_RDONLY | O_CLOEXEC);
        return *ret_fd < 0 ? berth_error_set(err, errno, "open the network namespace of this process") : 0;
}

static int open_inside(int *ret_netns_fd, int *ret_sock, struct berth_error *err) {
        _cleanup_close_ int netns = open(NETNS_PATH, O_RDONLY | O_CLOEXEC);
        if (netns < 0)
                return berth_error_set(err, errno, "open the new network namespace");
        int r = netlink_open(ret_sock, err);
        return r < 0 ? r : give_fd(ret_netns_fd, &netns);
}

static int leave(int home, int sock, struct berth_error *err) {
        if (setns(home, CLONE_NEWNET) < 0)
                return berth_error_set(err, errno, "return to the network namespace of this process");
        return sock < 0 ? 0 : netlink_link_up(sock, LOOPBACK_INDEX, true, err);
}

int netns_create(int *ret_netns_fd, int *ret_netlink_sock, struct berth_error *err) {
        _cleanup_close_ int home = -1, netns = -1, sock = -1;
        int r = open_home(&home, err);
        if (r < 0)
                return r;
        if (unshare(CLONE_NEWNET) < 0)
                return berth_error_set(err, errno, "make a network namespace");
        r = open_inside(&netns, &sock, err);
        int left = leave(home, sock, r < 0 ? NULL : err);
        if (r < 0 || left < 0)
                return r < 0 ? r : left;
        *ret_netlink_sock = take_fd(&sock);
        return give_fd(ret_netns_fd, &netns);
}

int netns_adopt(int netns, int *ret_netlink_sock, struct berth_error *err) {
        _cleanup_close_ int home = -1, sock = -1;
        int r = open_home(&home, err);
        if (r < 0)
                return r;
        if (setns(netns, CLONE_NEWNET) < 0)
                return berth_error_set(err, errno, "enter the container's network namespace");
        r = netlink_open(&sock, err);
        int left = leave(home, sock, r < 0 ? NULL : err);
        return r < 0 ? r : left < 0 ? left : give_fd(ret_netlink_sock, &sock);
}
