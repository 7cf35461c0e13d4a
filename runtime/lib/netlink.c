/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <stdalign.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "cleanup.h"
#include "netlink-internal.h"

/* The kernel makes the pieces of a dump fit the buffer, and 8 kB is what it asks for at least. */
#define RECEIVE_SIZE (16U << 10)
/* The kernel answers at once unless the lock that all network changes take is held for long. */
#define ANSWER_TIMEOUT_MS 30000

int netlink_open(int *ret_sock, struct berth_error *err) {
        _cleanup_close_ int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
        if (sock < 0)
                return berth_error_set(err, errno, "open a netlink socket");
        struct sockaddr_nl local = {.nl_family = AF_NETLINK};
        if (bind(sock, (struct sockaddr *) &local, sizeof(local)) < 0)
                return berth_error_set(err, errno, "bind a netlink socket");
        int on = 1;
        /* Both only make answers shorter and requests stricter; old kernels do without. */
        (void) setsockopt(sock, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
        (void) setsockopt(sock, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
        return give_fd(ret_sock, &sock);
}

void netlink_begin(struct netlink_request *request, uint16_t type, uint16_t flags, const void *body, size_t size) {
        memset(request, 0, sizeof(*request));
        request->header.nlmsg_len = NLMSG_LENGTH(0);
        request->header.nlmsg_type = type;
        request->header.nlmsg_flags = (uint16_t) (flags | NLM_F_REQUEST);
        netlink_put_raw(request, body, size);
}

void netlink_put_raw(struct netlink_request *request, const void *data, size_t size) {
        size_t at = NLMSG_ALIGN(request->header.nlmsg_len);
        if (size > NETLINK_REQUEST_MAX || at + NLMSG_ALIGN(size) > NETLINK_REQUEST_MAX) {
                request->overflow = true;
                return;
        }
        if (size > 0)
                memcpy(request->bytes + at, data, size);
        request->header.nlmsg_len = (uint32_t) (at + size);
}

void netlink_put(struct netlink_request *request, uint16_t attribute, const void *data, size_t size) {
        struct rtattr header = {.rta_len = (uint16_t) RTA_LENGTH(size), .rta_type = attribute};
        if (size > NETLINK_REQUEST_MAX) {
                request->overflow = true;
                return;
        }
        netlink_put_raw(request, &header, sizeof(header));
        netlink_put_raw(request, data, size);
}

void netlink_put_u32(struct netlink_request *request, uint16_t attribute, uint32_t value) {
        netlink_put(request, attribute, &value, sizeof(value));
}

void netlink_put_text(struct netlink_request *request, uint16_t attribute, const char *text) {
        netlink_put(request, attribute, text, strlen(text) + 1);
}

size_t netlink_nest(struct netlink_request *request, uint16_t attribute) {
        size_t at = NLMSG_ALIGN(request->header.nlmsg_len);
        netlink_put(request, attribute, NULL, 0);
        return at;
}

void netlink_unnest(struct netlink_request *request, size_t nest) {
        if (request->overflow)
                return;
        /* The padding of the last attribute belongs to the nest, and so to the message. */
        request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len);
        uint16_t length = (uint16_t) (request->header.nlmsg_len - nest);
        memcpy(request->bytes + nest, &length, sizeof(length));
}

static uint32_t count_down(uint32_t padded, uint32_t *left) {
        uint32_t size = padded < *left ? padded : *left;
        *left -= size;
        return size;
}

const struct nlmsghdr *netlink_next(const struct nlmsghdr *message, uint32_t *left) {
        return (const struct nlmsghdr *) (const void *) ((const uint8_t *) message + count_down(NLMSG_ALIGN(message->nlmsg_len), left));
}

int netlink_send(int sock, const void *messages, size_t size) {
        struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
        ssize_t n;
        do
                n = sendto(sock, messages, size, 0, (struct sockaddr *) &kernel, sizeof(kernel));
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : 0;
}

static ssize_t receive(int sock, void *buffer, size_t size) {
        for (;;) {
                struct pollfd poller = {.fd = sock, .events = POLLIN};
                int ready = poll(&poller, 1, ANSWER_TIMEOUT_MS);
                if (ready == 0)
                        return -ETIMEDOUT;
                if (ready < 0 && errno != EINTR)
                        return -errno;
                if (ready < 0)
                        continue;
                struct sockaddr_nl from = {0};
                socklen_t length = sizeof(from);
                ssize_t n = recvfrom(sock, buffer, size, MSG_TRUNC | MSG_DONTWAIT, (struct sockaddr *) &from, &length);
                if (n < 0 && (errno == EINTR || errno == EAGAIN))
                        continue;
                if (n < 0)
                        return -errno;
                /* Any process may send to a netlink socket; only the kernel has port 0. */
                if (from.nl_pid != 0)
                        continue;
                return (size_t) n > size ? -EMSGSIZE : n;
        }
}

int netlink_call(int sock, struct netlink_request *request, netlink_message_fn each, void *data) {
        if (request->overflow)
                return -EMSGSIZE;
        bool dump = (request->header.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
        if (!dump)
                request->header.nlmsg_flags |= NLM_F_ACK;
        /* A late answer to an earlier call that timed out must not be taken for ours; no two calls begin in the same nanosecond. */
        struct timespec now;
        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        request->header.nlmsg_seq = (uint32_t) now.tv_nsec ^ ((uint32_t) now.tv_sec << 30);
        int r = netlink_send(sock, request->bytes, request->header.nlmsg_len);
        if (r < 0)
                return r;
        alignas(struct nlmsghdr) uint8_t buffer[RECEIVE_SIZE];
        int result = 0;
        for (;;) {
                ssize_t n = receive(sock, buffer, sizeof(buffer));
                if (n < 0)
                        return (int) n;
                uint32_t left = (uint32_t) n;
                for (const struct nlmsghdr *message = (const struct nlmsghdr *) (void *) buffer; NLMSG_OK(message, left);
                     message = netlink_next(message, &left)) {
                        if (message->nlmsg_seq != request->header.nlmsg_seq)
                                continue;
                        if (message->nlmsg_type == NLMSG_DONE)
                                return result;
                        if (message->nlmsg_type == NLMSG_ERROR) {
                                const struct nlmsgerr *answer = NLMSG_DATA(message);
                                if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*answer)))
                                        return -EPROTO;
                                return answer->error ? answer->error : result;
                        }
                        if (message->nlmsg_flags & NLM_F_DUMP_INTR)
                                result = result < 0 ? result : -EAGAIN;
                        else if (each && result == 0)
                                result = each(message, data);
                }
        }
}

void netlink_drain(int sock) {
        uint8_t byte;
        while (recv(sock, &byte, sizeof byte, MSG_TRUNC | MSG_DONTWAIT) >= 0 || errno == EINTR || errno == ENOBUFS)
                continue;
}

int netlink_await(int sock, uint32_t first, uint32_t last, uint32_t *ret_refused) {
        alignas(struct nlmsghdr) uint8_t buffer[RECEIVE_SIZE];
        for (;;) {
                ssize_t n = receive(sock, buffer, sizeof(buffer));
                if (n < 0)
                        return (int) n;
                uint32_t left = (uint32_t) n;
                for (const struct nlmsghdr *message = (const struct nlmsghdr *) (void *) buffer; NLMSG_OK(message, left);
                     message = netlink_next(message, &left)) {
                        const struct nlmsgerr *answer = NLMSG_DATA(message);
                        if (message->nlmsg_type != NLMSG_ERROR || message->nlmsg_len < NLMSG_LENGTH(sizeof(*answer)))
                                continue;
                        /* Numbers may wrap around. */
                        if (message->nlmsg_seq - first > last - first)
                                continue;
                        if (answer->error)
                                *ret_refused = message->nlmsg_seq;
                        if (answer->error || message->nlmsg_seq == last)
                                return answer->error;
                }
        }
}

static void collect(const struct rtattr *attribute, uint32_t left, const struct rtattr **table, uint16_t max) {
        memset(table, 0, sizeof(*table) * ((size_t) max + 1));
        while (RTA_OK(attribute, left)) {
                uint16_t type = attribute->rta_type & (uint16_t) NLA_TYPE_MASK;
                if (type <= max)
                        table[type] = attribute;
                attribute = (const struct rtattr *) (const void *) ((const uint8_t *) attribute + count_down(RTA_ALIGN(attribute->rta_len), &left));
        }
}

void netlink_attributes(const struct nlmsghdr *message, size_t body, const struct rtattr **table, uint16_t max) {
        size_t fixed = NLMSG_SPACE(body);
        if (message->nlmsg_len < fixed)
                collect(NULL, 0, table, max);
        else
                collect((const struct rtattr *) (const void *) ((const uint8_t *) message + fixed), (uint32_t) (message->nlmsg_len - fixed), table,
                        max);
}

void netlink_attributes_of(const struct rtattr *nest, const struct rtattr **table, uint16_t max) {
        if (nest)
                collect(RTA_DATA(nest), (uint32_t) RTA_PAYLOAD(nest), table, max);
        else
                collect(NULL, 0, table, max);
}

uint32_t netlink_attribute_u32(const struct rtattr *attribute) {
        uint32_t value = 0;
        if (attribute && RTA_PAYLOAD(attribute) >= sizeof(value))
                memcpy(&value, RTA_DATA(attribute), sizeof(value));
        return value;
}

const char *netlink_attribute_text(const struct rtattr *attribute) {
        if (!attribute || !memchr(RTA_DATA(attribute), '\0', RTA_PAYLOAD(attribute)))
                return "";
        return RTA_DATA(attribute);
}
