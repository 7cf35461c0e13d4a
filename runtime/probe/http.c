/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* How long the rest of an answer is waited for, whose status is known. */
enum { REST_MS = 500, TEXT_SIZE = 4096 };

static int wait_for(int fd, short events, int64_t deadline, struct berth_error *err) {
        int64_t left = deadline - probe_now();
        struct timespec timeout = {left > 0 ? left / 1000 : 0, left > 0 ? left % 1000 * 1000000 : 0};
        struct pollfd wait = {.fd = fd, .events = events};
        int ready = ppoll(&wait, 1, &timeout, NULL);
        if (ready < 0)
                return berth_error_set(err, errno, "wait for the server: %s", strerror(errno));
        return ready == 0 ? berth_error_set(err, ETIMEDOUT, "the server did not answer in time") : 0;
}

static int send_all(int fd, const char *text, int64_t deadline, struct berth_error *err) {
        size_t left = strlen(text);
        while (left > 0) {
                ssize_t n = send(fd, text, left, MSG_NOSIGNAL);
                if (n < 0 && errno != EAGAIN && errno != EINTR)
                        return berth_error_set(err, errno, "send the request: %s", strerror(errno));
                if (n < 0) {
                        int r = wait_for(fd, POLLOUT, deadline, err);
                        if (r < 0)
                                return r;
                        continue;
                }
                text += n;
                left -= (size_t) n;
        }
        return 0;
}

/* More of the answer behind what is there; 0: there is no more, or no room. */
static ssize_t receive(int fd, char *answer, size_t used, int64_t deadline, struct berth_error *err) {
        while (used < PROBE_ANSWER_SIZE - 1) {
                ssize_t n = recv(fd, answer + used, PROBE_ANSWER_SIZE - 1 - used, 0);
                if (n >= 0)
                        return n;
                if (errno != EAGAIN && errno != EINTR)
                        return berth_error_set(err, errno, "read the answer: %s", strerror(errno));
                int r = wait_for(fd, POLLIN, deadline, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 …"; -1: it is none. */
static int status_of(const char *answer, size_t size) {
        if (size < 12 || memcmp(answer, "HTTP/1.", 7) != 0 || !is_digit(answer[7]) || answer[8] != ' ')
                return -1;
        if (!is_digit(answer[9]) || !is_digit(answer[10]) || !is_digit(answer[11]))
                return -1;
        return (answer[9] - '0') * 100 + (answer[10] - '0') * 10 + (answer[11] - '0');
}

static void to_text(const char *answer, size_t size, char ret[static PROBE_ANSWER_SIZE]) {
        const char *line_end = memchr(answer, '\r', size), *body = memmem(answer, size, "\r\n\r\n", 4);
        size_t line = line_end ? (size_t) (line_end - answer) : size;
        size_t rest = body ? size - (size_t) (body + 4 - answer) : 0;
        if (line > 200)
                line = 200;
        if (rest > TEXT_SIZE)
                rest = TEXT_SIZE;
        (void) snprintf(ret, PROBE_ANSWER_SIZE, "%.*s\n", (int) line, answer);
        size_t at = strlen(ret);
        if (body)
                memcpy(ret + at, body + 4, rest);
        ret[at + rest] = '\0';
}

int probe_http(int fd, const char *request, int64_t deadline, int *ret_status, char ret_text[static PROBE_ANSWER_SIZE], struct berth_error *err) {
        char answer[PROBE_ANSWER_SIZE];
        size_t used = 0;
        int r = send_all(fd, request, deadline, err);
        if (r < 0)
                return r;
        while (!memchr(answer, '\n', used)) {
                ssize_t n = receive(fd, answer, used, deadline, err);
                if (n < 0)
                        return (int) n;
                if (n == 0)
                        break;
                used += (size_t) n;
        }
        int status = status_of(answer, used);
        if (status < 0)
                return berth_error_set(err, EPROTO, "the answer is no HTTP");
        int64_t soon = probe_now() + REST_MS;
        for (ssize_t n = 1; n > 0; used += n > 0 ? (size_t) n : 0)
                n = receive(fd, answer, used, soon < deadline ? soon : deadline, NULL);
        to_text(answer, used, ret_text);
        *ret_status = status;
        return 0;
}
