/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>

#include "netlink.h"

/* What the netlink files share. A request is built in place, within bounds: appending past the end is noticed when it is sent. */

#define NETLINK_REQUEST_MAX 1024

struct netlink_request {
        union {
                struct nlmsghdr header;
                uint8_t bytes[NETLINK_REQUEST_MAX];
        };
        bool overflow;
};

/* A request with its fixed part (ifinfomsg, rtmsg, …) of `size` bytes after the header. NLM_F_REQUEST is always added. */
void netlink_begin(struct netlink_request *request, uint16_t type, uint16_t flags, const void *body, size_t size);
void netlink_put(struct netlink_request *request, uint16_t attribute, const void *data, size_t size);
void netlink_put_u32(struct netlink_request *request, uint16_t attribute, uint32_t value);
void netlink_put_text(struct netlink_request *request, uint16_t attribute, const char *text);
/* An attribute that holds others: netlink_nest answers its offset for netlink_unnest. */
size_t netlink_nest(struct netlink_request *request, uint16_t attribute);
void netlink_unnest(struct netlink_request *request, size_t nest);
/* Raw bytes within a nest (the ifinfomsg of a veth's peer). */
void netlink_put_raw(struct netlink_request *request, const void *data, size_t size);

/*
 * Sends the request and waits for the kernel's answer. Messages that are no acknowledgement go to `each` (may be NULL); its
 * negative answer is returned once the answer is read to its end. The result is 0 or a negative errno without a text.
 */
typedef int (*netlink_message_fn)(const struct nlmsghdr *message, void *data);
int netlink_call(int sock, struct netlink_request *request, netlink_message_fn each, void *data);

/* To the next message of a datagram; NLMSG_NEXT would count past the end of one whose last message is not padded. */
const struct nlmsghdr *netlink_next(const struct nlmsghdr *message, uint32_t *left);

int netlink_send(int sock, const void *messages, size_t size);
/* Throws away what nobody has read. */
void netlink_drain(int sock);
/* Waits for the first refusal of a message from `first` to `last`, whose number it tells, or for the acknowledgement of the last. */
int netlink_await(int sock, uint32_t first, uint32_t last, uint32_t *ret_refused);

/* Attributes of a message by number; later ones replace earlier ones. `table` has max + 1 entries. */
void netlink_attributes(const struct nlmsghdr *message, size_t body, const struct rtattr **table, uint16_t max);
void netlink_attributes_of(const struct rtattr *nest, const struct rtattr **table, uint16_t max);
uint32_t netlink_attribute_u32(const struct rtattr *attribute);
/* NUL-terminated within its payload, or "". */
const char *netlink_attribute_text(const struct rtattr *attribute);
