/* SPDX-License-Identifier: Apache-2.0 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frame.h"
#include "fuzz.h"
#include "shim.h"

/*
 * The shim's server and requests, as they are, on one end of a socket pair; the input is what a daemon writes to the other. There is no
 * container: what would make one gets descriptors that are no plan.
 */

#define ANSWERS_MAX (1U << 20)

void shim_report(const struct shim *shim, const struct berth_error *err) {
        (void) shim;
        must(err->text[0] != '\0', "a report has words");
}

void shim_trim_later(struct shim *shim) {
        (void) shim;
}

/* Would make a network namespace for every input that asks for one. */
int __wrap_container_prepare(struct container *container, bool with_netns, struct berth_error *err);
int __wrap_container_prepare(struct container *container, bool with_netns, struct berth_error *err) {
        (void) container;
        return with_netns ? berth_error_set(err, EPERM, "not in a fuzzer") : 0;
}

struct conversation {
        int daemon; /* -1: ended */
        uint8_t answers[ANSWERS_MAX];
        size_t size;
};

static void open_shim(struct shim *shim, int sock) {
        struct berth_error err = {0};
        memset(shim, 0, sizeof *shim);
        shim->listener.source.fd = shim->server.daemon.fd = shim->children.fd = shim->oom.fd = shim->log.fd = shim->log.directory = -1;
        shim->record = (struct record){.directory = -1, .lock = -1};
        shim->container = CONTAINER_NONE;
        must(loop_open(&shim->loop, &err) == 0 && server_adopt(shim, sock, true, &err) == 0, "%s", err.text);
}

static void read_answers(struct conversation *talk) {
        ssize_t n;
        while ((n = recv(talk->daemon, talk->answers + talk->size, sizeof talk->answers - talk->size, MSG_DONTWAIT)) > 0)
                talk->size += (size_t) n;
        must(talk->size < sizeof talk->answers, "more answers than requests");
}

/* Until the shim has nothing to do. */
static void settle(struct shim *shim, struct conversation *talk) {
        struct pollfd ready = {.fd = shim->loop.epoll, .events = POLLIN};
        struct berth_error err = {0};
        for (unsigned turns = 0; poll(&ready, 1, 0) > 0; turns++) {
                must(turns < 100000, "the shim goes round in circles");
                must(loop_turn(&shim->loop, &err) == 0, "%s", err.text);
                read_answers(talk);
        }
}

static bool send_part(struct conversation *talk, const uint8_t *bytes, size_t size, int fd) {
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(int))];
        } control = {.header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))}};
        struct iovec part = {.iov_base = (void *) (uintptr_t) bytes, .iov_len = size};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
        if (fd >= 0) {
                memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
                message.msg_control = control.bytes;
                message.msg_controllen = sizeof control.bytes;
        }
        return sendmsg(talk->daemon, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t) size;
}

/* What a daemon sends, in parts of `chunk` bytes. Answers the size of what came back. */
static void converse(const uint8_t *bytes, size_t size, size_t chunk, int fd, struct conversation *talk) {
        static struct shim shim;
        int ends[2];

        must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "a socket pair");
        talk->daemon = ends[0];
        talk->size = 0;
        open_shim(&shim, ends[1]);
        for (size_t at = 0; at < size; at += chunk) {
                if (!send_part(talk, bytes + at, size - at < chunk ? size - at : chunk, at % 3 == 0 ? fd : -1))
                        break;
                settle(&shim, talk);
        }
        (void) shutdown(talk->daemon, SHUT_WR);
        settle(&shim, talk);
        must(!server_connected(&shim), "an ended connection is let go");
        must(shim.server.n_fds == 0, "no descriptor is kept");
        (void) close(shim.loop.epoll);
        (void) close(talk->daemon);
}

/* Every request with an id has one answer, in their order, as far as the stream is one of frames. */
static void check_answers(const uint8_t *bytes, size_t size, const struct conversation *talk) {
        const uint8_t *answers = talk->answers;
        size_t left = talk->size;
        struct shim_header request, answer;

        while (left > 0) {
                must(frame_peek(answers, left, &answer) == 1 && answer.type == SHIM_RESULT, "answers are whole frames");
                do {
                        must(frame_peek(bytes, size, &request) == 1, "an answer to nothing");
                        bytes += sizeof request + request.size;
                        size -= sizeof request + request.size;
                } while (request.type == SHIM_ACK);
                must(answer.id == request.id, "request %llu was answered as %llu", (unsigned long long) request.id, (unsigned long long) answer.id);
                struct frame_reader fields = frame_reader_of(answers + sizeof answer, answer.size);
                uint32_t code = frame_read_u32(&fields);
                if (code != 0)
                        must(frame_read_u16(&fields) > 0, "errno %u without words", code);
                answers += sizeof answer + answer.size;
                left -= sizeof answer + answer.size;
        }
        if (frame_peek(bytes, size, &request) == 1 && request.flags == 0 && request.id != 0 && request.type > SHIM_REQUEST_LAST &&
            request.type != SHIM_ACK)
                must(false, "request %u of unknown type was not answered", request.type);
}

/* Frames as they stand, or from a short form: type, how wrong the size is, and the payload. */
static size_t frames_of(struct fuzz_input *input, uint8_t *out, size_t room) {
        size_t used = 0;
        for (uint64_t id = 1; input->left > 0; id++) {
                uint8_t type = fuzz_u8(input), shape = fuzz_u8(input);
                size_t size = shape >> 3 < input->left ? shape >> 3 : input->left;
                struct shim_header header = {.type = htole16(type % (SHIM_REQUEST_LAST + 6)), .size = htole32((uint32_t) size + (shape % 8 == 7)), .id = htole64(id)};
                if (room - used < sizeof header + size)
                        break;
                memcpy(out + used, &header, sizeof header);
                used += sizeof header;
                for (size_t i = 0; i < size; i++)
                        out[used++] = fuzz_u8(input);
        }
        return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static struct conversation whole, parts;
        static uint8_t made[1 << 16];
        struct fuzz_input input = {.at = data, .left = size};
        uint8_t shape = fuzz_u8(&input), chunk = fuzz_u8(&input);
        const uint8_t *bytes = input.at;
        size_t n = input.left;

        if (shape & 1) {
                n = frames_of(&input, made, sizeof made);
                bytes = made;
        }
        converse(bytes, n, n + 1, -1, &whole);
        check_answers(bytes, n, &whole);
        converse(bytes, n, 1U + chunk % 40, -1, &parts);
        must(whole.size == parts.size && memcmp(whole.answers, parts.answers, whole.size) == 0, "the answers depend on how the bytes arrive");
        if (shape & 2) {
                int fd = memfd_create("no plan", MFD_CLOEXEC);
                converse(bytes, n, 1U + chunk % 40, fd, &parts);
                (void) close(fd);
        }
        return 0;
}
