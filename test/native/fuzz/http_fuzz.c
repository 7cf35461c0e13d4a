/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "cleanup.h"
#include "fuzz.h"
#include "probe.h"

/* What a server in a container answers to a health check: the first byte says where it pauses, the rest is its answer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        if (size == 0 || size > 40000)
                return -1;
        int ends[2];
        must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
        _cleanup_close_ int client = ends[0], server = ends[1];
        bool stays = data[0] & 1;
        must(write(server, data + 1, size - 1) == (ssize_t) (size - 1), "write");
        if (!stays)
                must(shutdown(server, SHUT_WR) == 0, "shutdown");

        char text[PROBE_ANSWER_SIZE];
        struct berth_error err = {0};
        int status = -1;
        /* At the deadline already: what is there is read, and nothing is waited for. */
        int r = probe_http(client, "GET / HTTP/1.1\r\n\r\n", probe_now(), &status, text, &err);
        if (r < 0) {
                must_explain(r, &err);
                must(status == -1, "%d", status);
                return 0;
        }
        must(size > 12 && memcmp(data + 1, "HTTP/1.", 7) == 0, "an answer of something else");
        must(status >= 0 && status <= 999, "%d", status);
        size_t length = strnlen(text, sizeof text);
        must(length < sizeof text && memchr(text, '\n', length), "%zu bytes without an end", length);
        return 0;
}
