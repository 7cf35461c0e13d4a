/* SPDX-License-Identifier: Apache-2.0 */
#include "conntrack.h"
#include "firewall.h"
#include "fuzz.h"

static void check_text(const struct nlmsghdr *message, const char *text) {
        const char *first = (const char *) message, *end = first + message->nlmsg_len;
        must(*text != '\0', "a chain has names");
        must(text > first && text < end && memchr(text, '\0', (size_t) (end - text)), "a text lies and ends within its message");
}

static void check_attribute(const struct nlmsghdr *message, const struct rtattr *attribute) {
        const uint8_t *first = (const uint8_t *) message, *at = (const uint8_t *) attribute;
        must(at > first && at + attribute->rta_len <= first + message->nlmsg_len, "an attribute lies within its message");
}

/* A datagram of messages, as the kernel answers the questions for chains and for flows. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct nlmsghdr *messages = malloc(size ? size : 1);
        if (!messages)
                return 0;
        memcpy(messages, data, size);
        uint32_t left = (uint32_t) size;
        for (const struct nlmsghdr *message = messages; NLMSG_OK(message, left); message = netlink_next(message, &left)) {
                struct firewall_chain chain;
                struct conntrack_flow flow;
                if (conntrack_read(message, &flow))
                        check_attribute(message, flow.tuple);
                if (!firewall_chain_read(message, &chain))
                        continue;
                check_text(message, chain.table);
                check_text(message, chain.name);
        }
        free(messages);
        return 0;
}
