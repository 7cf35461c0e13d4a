/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "frame.h"
#include "memory.h"
#include "request.h"
#include "shim.h"

#define SERVER_EVENT_MAX 512

struct event {
        struct event *next;
        uint64_t serial;
        uint16_t type;
        bool sent; /* on this connection */
        size_t size;
        uint8_t frame[];
};

static void server_discard_fds(struct server *server) {
        for (unsigned i = 0; i < server->n_fds; i++)
                (void) close(server->fds[i]);
        server->n_fds = 0;
}

static void server_drop(struct shim *shim) {
        struct server *server = &shim->server;
        if (server->daemon.fd >= 0)
                task_abandon_waiting(shim);
        loop_close(&shim->loop, &server->daemon);
        server_discard_fds(server);
        server->in_size = server->out_start = server->out_size = 0;
        server->greeted = false;
        for (struct event *event = server->events; event; event = event->next)
                event->sent = false;
}

bool server_connected(const struct shim *shim) {
        return shim->server.daemon.fd >= 0;
}

void server_trim(struct server *server) {
        if (server->in_size == 0 && server->out_size == 0)
                memory_give_back(server->in, sizeof(server->in) + sizeof(server->answer) + sizeof(server->out));
}

int server_take_fd(struct server *server) {
        if (server->n_fds == 0)
                return -1;
        int fd = server->fds[0];
        server->n_fds--;
        memmove(server->fds, server->fds + 1, server->n_fds * sizeof(server->fds[0]));
        return fd;
}

/* ---- output ---- */

static size_t server_room(const struct server *server) {
        return sizeof(server->out) - server->out_size;
}

/* Queued events follow as far as there is room; the others wait, marked unsent, for the next flush. */
static void server_queue_events(struct server *server) {
        if (!server->greeted)
                return;
        for (struct event *event = server->events; event; event = event->next) {
                if (event->sent)
                        continue;
                if (server_room(server) < event->size)
                        return;
                memcpy(server->out + server->out_size, event->frame, event->size);
                server->out_size += event->size;
                event->sent = true;
        }
}

static void server_flush(struct shim *shim) {
        struct server *server = &shim->server;
        if (server->daemon.fd < 0)
                return;
        server_queue_events(server);
        while (server->out_start < server->out_size) {
                ssize_t n =
                        send(server->daemon.fd, server->out + server->out_start, server->out_size - server->out_start, MSG_DONTWAIT | MSG_NOSIGNAL);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno == EAGAIN)
                        break;
                if (n < 0) {
                        server_drop(shim);
                        return;
                }
                server->out_start += (size_t) n;
        }
        memmove(server->out, server->out + server->out_start, server->out_size - server->out_start);
        server->out_size -= server->out_start;
        server->out_start = 0;
        /* Requests wait while their answers would have no room: a daemon that does not read gets nothing done. */
        uint32_t events = (server_room(server) >= SERVER_FRAME_MAX ? EPOLLIN : 0U) | (server->out_size > 0 ? EPOLLOUT : 0U);
        if (loop_watch(&shim->loop, &server->daemon, events) < 0)
                server_drop(shim);
}

void server_greet(struct shim *shim) {
        shim->server.greeted = true;
}

/* ---- events ---- */

static void server_add_event(struct shim *shim, const struct frame_writer *frame, uint16_t type) {
        struct event *event = malloc(sizeof(*event) + frame->size);
        if (!event) { /* exit.json still tells of init's end */
                struct berth_error err;
                (void) berth_error_set(&err, ENOMEM, "keep an event for the daemon");
                shim_report(shim, &err);
                return;
        }
        *event = (struct event){.serial = shim->server.last_serial, .type = type, .size = frame->size};
        memcpy(event->frame, frame->bytes, frame->size);
        struct event *last = shim->server.events;
        while (last && last->next)
                last = last->next;
        if (last)
                last->next = event;
        else
                shim->server.events = event;
        server_flush(shim);
}

void server_tell_exit(struct shim *shim, const struct task *task) {
        uint8_t bytes[SERVER_EVENT_MAX];
        struct frame_writer frame = {.bytes = bytes, .capacity = sizeof(bytes)};
        frame_begin(&frame, SHIM_EXIT, ++shim->server.last_serial);
        frame_write_text(&frame, task->id);
        frame_write_i32(&frame, task->code);
        frame_write_i32(&frame, task->signal);
        frame_write_u8(&frame, task->oom_killed);
        frame_write_u64(&frame, task->finished_at);
        frame_finish(&frame);
        server_add_event(shim, &frame, SHIM_EXIT);
}

/* One unacknowledged event says it for all kills. */
void server_tell_oom(struct shim *shim) {
        for (const struct event *event = shim->server.events; event; event = event->next)
                if (event->type == SHIM_OOM)
                        return;
        uint8_t bytes[SERVER_EVENT_MAX];
        struct frame_writer frame = {.bytes = bytes, .capacity = sizeof(bytes)};
        frame_begin(&frame, SHIM_OOM, ++shim->server.last_serial);
        frame_finish(&frame);
        server_add_event(shim, &frame, SHIM_OOM);
}

void server_acknowledge(struct shim *shim, uint64_t serial) {
        for (struct event **link = &shim->server.events; *link; link = &(*link)->next) {
                struct event *event = *link;
                if (event->serial != serial)
                        continue;
                *link = event->next;
                free(event);
                return;
        }
}

/* ---- input ---- */

/* The kernel puts all descriptors of one recvmsg(2) into one record. */
static void server_keep_fds(struct server *server, struct msghdr *message) {
        const struct cmsghdr *record = CMSG_FIRSTHDR(message);
        if (!record || record->cmsg_level != SOL_SOCKET || record->cmsg_type != SCM_RIGHTS)
                return;
        const unsigned char *data = CMSG_DATA(record);
        size_t n = (record->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
                int fd;
                memcpy(&fd, data + i * sizeof(int), sizeof(fd));
                if (server->n_fds < SERVER_FDS_MAX)
                        server->fds[server->n_fds++] = fd;
                else
                        (void) close(fd);
        }
}

/* 1: bytes arrived, 0: nothing there, -1: the connection has ended. */
static int server_receive(struct server *server) {
        union {
                struct cmsghdr align;
                char bytes[CMSG_SPACE(SERVER_FDS_MAX * sizeof(int))];
        } control;
        struct iovec part = {.iov_base = server->in + server->in_size, .iov_len = sizeof(server->in) - server->in_size};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
        ssize_t n = recvmsg(server->daemon.fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -1;
        server_keep_fds(server, &message);
        server->in_size += (size_t) n;
        return n > 0 ? 1 : -1;
}

/* -1: what came is not our protocol. */
static int server_serve(struct shim *shim) {
        struct server *server = &shim->server;
        while (server->daemon.fd >= 0 && server_room(server) >= SERVER_FRAME_MAX) {
                struct shim_header header;
                int r = frame_peek(server->in, server->in_size, &header);
                if (r < 0)
                        return -1;
                if (r == 0)
                        break;
                struct frame_writer answer = {.bytes = server->answer, .capacity = sizeof(server->answer)};
                if (request_serve(shim, &header, server->in + sizeof(header), &answer) < 0)
                        return -1;
                /* An event that a request caused may have found the daemon gone, or taken the room. */
                if (server->daemon.fd < 0)
                        return 0;
                if (server_room(server) < answer.size)
                        return -1;
                memcpy(server->out + server->out_size, answer.bytes, answer.size);
                server->out_size += answer.size;
                size_t used = sizeof(header) + header.size;
                server->in_size -= used;
                memmove(server->in, server->in + used, server->in_size);
                server_flush(shim);
        }
        if (server->in_size == 0)
                server_discard_fds(server);
        return 0;
}

static void server_ready(void *owner, uint32_t events) {
        struct shim *shim = owner;
        struct server *server = &shim->server;
        int r = 0;
        if (events & EPOLLOUT)
                server_flush(shim);
        if (server->daemon.fd >= 0 && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                r = server_receive(server);
        /* Requests in front of an end of file still count. */
        if (server->daemon.fd >= 0 && server_serve(shim) < 0)
                r = -1;
        if (r < 0)
                server_drop(shim);
}

/* ---- connections ---- */

int server_adopt(struct shim *shim, int sock, bool greeted, struct berth_error *err) {
        server_drop(shim);
        struct server *server = &shim->server;
        int flags = fcntl(sock, F_GETFL);
        if (flags < 0 || fcntl(sock, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(sock, F_SETFD, FD_CLOEXEC) < 0)
                return berth_error_set(err, errno, "prepare the daemon's connection");
        server->daemon = (struct source){.fd = sock, .ready = server_ready, .owner = shim};
        server->greeted = greeted;
        int r = loop_watch(&shim->loop, &server->daemon, EPOLLIN);
        return r < 0 ? berth_error_set(err, -r, "watch the daemon's connection") : 0;
}
