/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "error.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
        PROBE_MAX_ADDRESSES = 16,
        PROBE_ADDRESS_TEXT = INET6_ADDRSTRLEN + 16,
        PROBE_ANSWER_SIZE = 8192,
};

struct probe_address {
        union {
                struct sockaddr any;
                struct sockaddr_in v4;
                struct sockaddr_in6 v6;
        };
        socklen_t size;
};

/*
 * Which addresses of this network namespace `host` means, in the order in which they are tried: "" loopback and then all others, "localhost"
 * loopback only, else the address itself, which must be one of the namespace's own.   Returns how many, or -EADDRNOTAVAIL.
 */
int probe_addresses(const char *host, uint16_t port, struct probe_address ret[static PROBE_MAX_ADDRESSES], struct berth_error *err);

/* "127.0.0.1:80", "[::1]:80" */
void probe_address_text(const struct probe_address *address, char ret[static PROBE_ADDRESS_TEXT]);

/* Gives up every right but that to speak over sockets and to end, for good. */
int probe_confine(struct berth_error *err);

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t probe_now(void);

/* Connects to the first address that takes it before the deadline; *ret_fd does not block, *ret_index is whose it is. */
int probe_connect(const struct probe_address *addresses, int n, int64_t deadline, int *ret_fd, int *ret_index, struct berth_error *err);

/*
 * Sends the request and reads the answer: its status is what follows "HTTP/1.x ". The text, with its end, has the first line, and the body's beginning
 * as far as it came soon.   Returns -EPROTO when it is no HTTP, -ETIMEDOUT at the deadline.
 */
int probe_http(int fd, const char *request, int64_t deadline, int *ret_status, char ret_text[static PROBE_ANSWER_SIZE], struct berth_error *err);
