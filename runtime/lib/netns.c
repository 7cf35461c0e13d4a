/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>

#include "cleanup.h"
#include "netlink.h"

#define NETNS_PATH "/proc/thread-self/ns/net"
#define NETNS_TRIES 5

int netns_open_home(int *ret_fd, struct berth_error *err) {
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

/* Who stayed inside would take the container's ports for the host's: memory that was short for a moment is asked for again. */
int netns_leave(int home, struct berth_error *err) {
        int r = -1;
        for (int tries = 0; r < 0 && tries < NETNS_TRIES; tries++)
                r = setns(home, CLONE_NEWNET);
        return r < 0 ? berth_error_set(err, errno, "return to the network namespace of this process") : 0;
}

int netns_create(int *ret_netns_fd, int *ret_netlink_sock, struct berth_error *err) {
        _cleanup_close_ int home = -1, netns = -1, sock = -1;
        int r = netns_open_home(&home, err);
        if (r < 0)
                return r;
        if (unshare(CLONE_NEWNET) < 0)
                return berth_error_set(err, errno, "make a network namespace");
        r = open_inside(&netns, &sock, err);
        int left = netns_leave(home, r < 0 ? NULL : err);
        r = r < 0 ? r : left;
        if (r == 0)
                r = netlink_link_up(sock, NETLINK_LOOPBACK, true, err);
        if (r < 0)
                return r;
        *ret_netlink_sock = take_fd(&sock);
        return give_fd(ret_netns_fd, &netns);
}

int netns_adopt(int netns, int *ret_netlink_sock, struct berth_error *err) {
        _cleanup_close_ int home = -1, sock = -1;
        int r = netns_open_home(&home, err);
        if (r < 0)
                return r;
        if (setns(netns, CLONE_NEWNET) < 0)
                return berth_error_set(err, errno, "enter the container's network namespace");
        r = netlink_open(&sock, err);
        int left = netns_leave(home, r < 0 ? NULL : err);
        return r < 0 ? r : left < 0 ? left : give_fd(ret_netlink_sock, &sock);
}
