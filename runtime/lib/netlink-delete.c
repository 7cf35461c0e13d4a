/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <stdalign.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "netlink-internal.h"
#include "sys.h"

/* Longer than the child waits for the kernel. */
#define DELETE_TIMEOUT_MS 60000
#define EVENTS_SIZE (16U << 10)

static int watch_links(int netns, int *ret_events, struct berth_error *err) {
        _cleanup_close_ int events = -1;
        const int group = RTNLGRP_LINK;
        int r = netns_adopt(netns, &events, err);
        if (r < 0)
                return r;
        if (setsockopt(events, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0)
                return berth_error_set(err, errno, "watch the links of the container");
        return give_fd(ret_events, &events);
}

/* Nothing of the parent's stays open in it: it may live for a second, and the parent's ends of pipes must not. */
static _Noreturn void delete_and_exit(const char *name, int report) {
        int sock = -1;
        if (report > 0)
                (void) sys_close_range(0, (unsigned) report - 1, 0);
        (void) sys_close_range((unsigned) report + 1, ~0U, 0);
        int r = netlink_open(&sock, NULL);
        if (r == 0)
                r = netlink_link_delete(sock, name, NULL);
        (void) !write(report, &r, sizeof r);
        _exit(0);
}

/* The process is not waited for: whoever calls takes in all its children. */
static int start_child(const char *name, int *ret_result) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        _cleanup_close_ int result = ends[0], report = ends[1];
        pid_t pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                delete_and_exit(name, report);
        return give_fd(ret_result, &result);
}

static bool tells_deletion(int events, uint32_t index) {
        alignas(struct nlmsghdr) uint8_t buffer[EVENTS_SIZE];
        ssize_t n = recv(events, buffer, sizeof buffer, MSG_DONTWAIT);
        uint32_t left = n < 0 ? 0 : (uint32_t) n;
        for (const struct nlmsghdr *message = (const struct nlmsghdr *) (void *) buffer; NLMSG_OK(message, left);
             message = netlink_next(message, &left)) {
                const struct ifinfomsg *link = NLMSG_DATA(message);
                if (message->nlmsg_type == RTM_DELLINK && message->nlmsg_len >= NLMSG_LENGTH(sizeof *link) && link->ifi_family == AF_UNSPEC &&
                    link->ifi_index == (int) index)
                        return true;
        }
        return false;
}

static int take_result(int result) {
        int r;
        ssize_t n = read(result, &r, sizeof r);
        return n == sizeof r ? r : -EIO;
}

static int await_deletion(int events, int result, uint32_t index) {
        for (;;) {
                struct pollfd pollers[] = {{.fd = result, .events = POLLIN}, {.fd = events, .events = POLLIN}};
                int ready = poll(pollers, 2, DELETE_TIMEOUT_MS);
                if (ready == 0)
                        return -ETIMEDOUT;
                if (ready < 0 && errno != EINTR)
                        return -errno;
                if (ready < 0)
                        continue;
                if (pollers[0].revents)
                        return take_result(result);
                if (pollers[1].revents && tells_deletion(events, index))
                        return 0;
        }
}

int netlink_pair_delete(int sock, const char *name, int netns, uint32_t index, struct berth_error *err) {
        _cleanup_close_ int events = -1, result = -1;
        if (watch_links(netns, &events, NULL) < 0 || start_child(name, &result) < 0)
                return netlink_link_delete(sock, name, err);
        int r = await_deletion(events, result, index);
        if (r == -EIO) /* the child was killed */
                return netlink_link_delete(sock, name, err);
        return r < 0 ? berth_error_set(err, -r, "delete the network link %s", name) : 0;
}
