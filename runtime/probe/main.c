/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"

#include "cleanup.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * berth-probe NETNS-FD HOST PORT TIMEOUT-MS [REQUEST]: connects to a port in that network namespace and, with a request, asks it over HTTP.
 * What it found goes to standard output. Exit status: 0 healthy, 1 not, 2 it could not be probed.
 */
enum { HEALTHY = 0, UNHEALTHY = 1, FAILED = 2 };

static int say(int status, const char *text) {
        size_t left = strlen(text);
        while (left > 0) {
                ssize_t n = write(STDOUT_FILENO, text, left);
                if (n <= 0)
                        break;
                text += n;
                left -= (size_t) n;
        }
        return status;
}

static long number(const char *text, long max) {
        char *end;
        errno = 0;
        long value = strtol(text, &end, 10);
        return errno != 0 || end == text || *end != '\0' || value < 0 || value > max ? -1 : value;
}

static int ask(int fd, const char *request, int64_t deadline) {
        char text[PROBE_ANSWER_SIZE];
        struct berth_error err = {0};
        int status = 0;
        if (probe_http(fd, request, deadline, &status, text, &err) < 0)
                return say(UNHEALTHY, err.text);
        return say(status >= 200 && status < 400 ? HEALTHY : UNHEALTHY, text);
}

int main(int argc, char **argv) {
        if (argc != 5 && argc != 6)
                return say(FAILED, "berth-probe: wrong arguments");
        long namespace = number(argv[1], 1 << 20), port = number(argv[3], 65535), timeout = number(argv[4], 1L << 40);
        if (namespace < 0 || port < 1 || timeout < 0)
                return say(FAILED, "berth-probe: wrong arguments");
        int64_t deadline = probe_now() + timeout;

        struct berth_error err = {0};
        struct probe_address addresses[PROBE_MAX_ADDRESSES];
        if (setns((int) namespace, CLONE_NEWNET) < 0)
                return say(FAILED, "the container's network namespace cannot be entered");
        (void) close((int) namespace);
        int n = probe_addresses(argv[2], (uint16_t) port, addresses, &err);
        if (n < 0)
                return say(n == -EADDRNOTAVAIL ? UNHEALTHY : FAILED, err.text);
        if (probe_confine(&err) < 0)
                return say(FAILED, err.text);

        _cleanup_close_ int fd = -1;
        int index = 0;
        if (probe_connect(addresses, n, deadline, &fd, &index, &err) < 0)
                return say(UNHEALTHY, err.text);
        if (argc == 6)
                return ask(fd, argv[5], deadline);
        char address[PROBE_ADDRESS_TEXT], text[PROBE_ADDRESS_TEXT + 16];
        probe_address_text(&addresses[index], address);
        (void) snprintf(text, sizeof text, "connected to %s", address);
        return say(HEALTHY, text);
}
