/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "input.h"
#include "shim.h"
#include "stdio.h"

static struct loop *client_loop(const struct client *client) {
        return &client->task->shim->loop;
}

static bool client_wants(const struct client *client, enum log_stream stream) {
        return !client->dead && !client->hung_up && (client->flags & (stream == LOG_STDOUT ? SHIM_ATTACH_STDOUT : SHIM_ATTACH_STDERR));
}

static bool client_full(const struct client *client) {
        return CLIENT_RING_SIZE - client->ring_used < CLIENT_RING_HEADROOM;
}

static void client_free_ring(struct client *client) {
        if (client->ring)
                (void) munmap(client->ring, CLIENT_RING_SIZE);
        client->ring = NULL;
        client->ring_used = 0;
}

/*
 * Who still writes to an ended task must not be answered with an error: it would drop the output that it has not read yet. It
 * gets the end of the output, and what it sends is thrown away until it closes.
 */
static bool client_linger(struct client *client) {
        if (!(client->flags & SHIM_ATTACH_STDIN))
                return false;
        if (!client->lingering) {
                if (shutdown(client->source.fd, SHUT_WR) < 0)
                        return false;
                client->lingering = true;
                loop_arm(client_loop(client), &client->stall, CLIENT_STALL_MS);
        }
        return true;
}

static void client_discard(struct client *client) {
        ssize_t n = recv(client->source.fd, client->task->shim->chunk, SHIM_CHUNK_SIZE, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
                client->dead = true;
}

/* Watches for what can happen next, and sees who has nothing left to live for. */
static void client_update(struct client *client) {
        if (client->dead)
                return;
        if (client->ending && client->ring_used == 0 && (client->hung_up || !client_linger(client))) {
                client->dead = true;
                return;
        }
        bool in = client->lingering || (client->reads_stdin && client->pending_size == 0 && !client->ending);
        if (client->hung_up && !client->reads_stdin && client->pending_size == 0) {
                client->dead = true;
                return;
        }
        /* A hung-up socket is always ready; it is watched only while reading it leads on. */
        if (client->hung_up && !in) {
                loop_forget(client_loop(client), &client->source);
                return;
        }
        uint32_t events = (in ? EPOLLIN : 0U) | (client->ring_used > 0 ? EPOLLOUT : 0U);
        if (loop_watch(client_loop(client), &client->source, events) < 0)
                client->dead = true;
}

static void client_hang_up(struct client *client) {
        client->hung_up = true;
        client_free_ring(client);
        loop_disarm(client_loop(client), &client->stall);
        client_update(client);
}

static void client_stalled(void *owner) {
        struct client *client = owner;
        struct task *task = client->task;
        client->dead = true;
        client_sweep(task);
        stdio_resume(task);
        task_advance(task);
}

static void client_watch_progress(struct client *client) {
        if (client->lingering)
                return;
        if (client->ring_used > 0 && (client->ending || client_full(client)))
                loop_arm(client_loop(client), &client->stall, CLIENT_STALL_MS);
        else
                loop_disarm(client_loop(client), &client->stall);
}

/* ---- output ---- */

static ssize_t client_send(struct client *client, const struct iovec *parts, size_t n) {
        struct msghdr message = {.msg_iov = (struct iovec *) parts, .msg_iovlen = (__typeof__(message.msg_iovlen)) n};
        ssize_t sent;
        do
                sent = sendmsg(client->source.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        while (sent < 0 && errno == EINTR);
        if (sent < 0 && errno == EAGAIN)
                return 0;
        return sent < 0 ? -errno : sent;
}

static bool client_ring_put(struct client *client, const uint8_t *bytes, size_t size) {
        if (CLIENT_RING_SIZE - client->ring_used < size)
                return false;
        if (!client->ring) {
                void *ring = mmap(NULL, CLIENT_RING_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                if (ring == MAP_FAILED)
                        return false;
                client->ring = ring;
                client->ring_start = 0;
        }
        size_t at = (client->ring_start + client->ring_used) % CLIENT_RING_SIZE;
        size_t first = CLIENT_RING_SIZE - at < size ? CLIENT_RING_SIZE - at : size;
        memcpy(client->ring + at, bytes, first);
        memcpy(client->ring, bytes + first, size - first);
        client->ring_used += size;
        return true;
}

static void client_flush(struct client *client) {
        size_t end = client->ring_start + client->ring_used;
        size_t first = end <= CLIENT_RING_SIZE ? client->ring_used : CLIENT_RING_SIZE - client->ring_start;
        struct iovec parts[2] = {
                {.iov_base = client->ring + client->ring_start, .iov_len = first},
                {.iov_base = client->ring, .iov_len = client->ring_used - first},
        };
        ssize_t sent = client_send(client, parts, 2);
        if (sent < 0) {
                client_hang_up(client);
                return;
        }
        client->ring_start = (client->ring_start + (size_t) sent) % CLIENT_RING_SIZE;
        client->ring_used -= (size_t) sent;
        if (sent > 0)
                client_watch_progress(client);
        if (client->ring_used == 0)
                client_free_ring(client);
}

static void client_give(struct client *client, enum log_stream stream, const uint8_t *bytes, size_t size) {
        uint8_t header[8] = {stream == LOG_STDOUT ? 1 : 2};
        uint32_t length = htobe32((uint32_t) size);
        memcpy(header + 4, &length, sizeof(length));
        struct iovec parts[2] = {
                {.iov_base = header, .iov_len = client->flags & SHIM_ATTACH_FRAMED ? sizeof(header) : 0},
                {.iov_base = (uint8_t *) bytes, .iov_len = size},
        };
        ssize_t sent = client->ring_used == 0 ? client_send(client, parts, 2) : 0;
        if (sent < 0) {
                client_hang_up(client);
                return;
        }
        size_t skip = (size_t) sent;
        for (unsigned i = 0; i < 2; i++) {
                size_t part = skip < parts[i].iov_len ? skip : parts[i].iov_len;
                skip -= part;
                if (part < parts[i].iov_len && !client_ring_put(client, (uint8_t *) parts[i].iov_base + part, parts[i].iov_len - part)) {
                        client->dead = true;
                        return;
                }
        }
        if (client_full(client) && !client->stall.armed)
                client_watch_progress(client);
        client_update(client);
}

void client_broadcast(struct task *task, enum log_stream stream, const uint8_t *bytes, size_t size) {
        for (struct client *client = task->clients; client; client = client->next)
                if (client_wants(client, stream))
                        client_give(client, stream, bytes, size);
}

bool client_any_full(const struct task *task, enum log_stream stream) {
        for (const struct client *client = task->clients; client; client = client->next)
                if (client_wants(client, stream) && client_full(client))
                        return true;
        return false;
}

/* ---- stdin ---- */

static void client_end_stdin(struct client *client) {
        client->reads_stdin = false;
        if (client->task->id[0] != '\0' || client->task->stdin_once)
                input_finish(client->task);
}

static void client_pump(struct client *client) {
        while (client->pending_size > 0) {
                ssize_t n = input_write(client->task, client->pending + client->pending_start, client->pending_size);
                if (n == 0) {
                        input_wait(client->task);
                        return;
                }
                if (n < 0) /* bytes that nobody will read */
                        n = (ssize_t) client->pending_size;
                client->pending_start += (size_t) n;
                client->pending_size -= (size_t) n;
        }
        free(client->pending);
        client->pending = NULL;
        client_update(client);
}

/* What the pipe does not take at once is kept, and nothing more is read until it is through. */
static void client_keep_pending(struct client *client, const uint8_t *bytes, size_t size) {
        client->pending = malloc(size);
        if (!client->pending) {
                client->dead = true;
                return;
        }
        memcpy(client->pending, bytes, size);
        client->pending_start = 0;
        client->pending_size = size;
        input_wait(client->task);
}

static void client_read(struct client *client) {
        uint8_t *chunk = client->task->shim->chunk;
        ssize_t n = recv(client->source.fd, chunk, SHIM_CHUNK_SIZE, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        shim_trim_later(client->task->shim);
        if (n <= 0) {
                client_end_stdin(client);
                return;
        }
        ssize_t written = input_write(client->task, chunk, (size_t) n);
        if (written >= 0 && written < n)
                client_keep_pending(client, chunk + written, (size_t) (n - written));
}

void client_pump_stdin(struct task *task) {
        for (struct client *client = task->clients; client; client = client->next)
                if (!client->dead && client->pending_size > 0)
                        client_pump(client);
        if (task->in.closing && !client_any_pending(task))
                input_close(task);
}

bool client_any_pending(const struct task *task) {
        for (const struct client *client = task->clients; client; client = client->next)
                if (!client->dead && client->pending_size > 0)
                        return true;
        return false;
}

/* ---- life ---- */

static void client_ready(void *owner, uint32_t events) {
        struct client *client = owner;
        struct task *task = client->task;
        if (events & EPOLLOUT && client->ring_used > 0)
                client_flush(client);
        if (events & EPOLLIN && client->lingering)
                client_discard(client);
        else if (events & EPOLLIN && client->reads_stdin)
                client_read(client);
        if (events & (EPOLLHUP | EPOLLERR) && !client->hung_up)
                client_hang_up(client);
        client_update(client);
        client_sweep(task);
        stdio_resume(task);
        task_advance(task);
}

int client_add(struct task *task, int sock, unsigned flags, struct berth_error *err) {
        struct stat status;
        if (fstat(sock, &status) < 0 || !S_ISSOCK(status.st_mode))
                return berth_error_set(err, ENOTSOCK, "attach: the descriptor is not a socket");
        if (flags & SHIM_ATTACH_FRAMED && task->terminal)
                return berth_error_set(err, EINVAL, "attach: a terminal has one stream, without frames");
        unsigned n = 0;
        for (const struct client *client = task->clients; client; client = client->next)
                n++;
        if (n >= CLIENT_MAX)
                return berth_error_set(err, EUSERS, "attach: %u clients are attached already", n);
        struct client *client = calloc(1, sizeof(*client));
        if (!client)
                return berth_error_set(err, ENOMEM, "attach");
        client->source = (struct source){.fd = sock, .ready = client_ready, .owner = client};
        client->stall = (struct timer){.fire = client_stalled, .owner = client};
        client->task = task;
        client->flags = flags;
        client->reads_stdin = flags & SHIM_ATTACH_STDIN;
        client_update(client);
        if (client->dead) {
                free(client);
                return berth_error_set(err, EINVAL, "attach: the socket cannot be watched");
        }
        client->next = task->clients;
        task->clients = client;
        return 0;
}

void client_end_all(struct task *task) {
        for (struct client *client = task->clients; client; client = client->next) {
                client->ending = true;
                client->reads_stdin = false;
                client->pending_size = 0;
                client_watch_progress(client);
                client_update(client);
        }
        client_sweep(task);
}

void client_drop_all(struct task *task) {
        for (struct client *client = task->clients; client; client = client->next)
                client->dead = true;
        client_sweep(task);
}

/* A Unix socket closed with unread bytes gives its peer ECONNRESET, so they are taken first. */
static void client_close(struct client *client) {
        (void) shutdown(client->source.fd, SHUT_RDWR);
        uint8_t discarded[1024];
        while (recv(client->source.fd, discarded, sizeof(discarded), MSG_DONTWAIT) > 0)
                continue;
        loop_close(client_loop(client), &client->source);
}

void client_sweep(struct task *task) {
        for (struct client **link = &task->clients; *link;) {
                struct client *client = *link;
                if (!client->dead) {
                        link = &client->next;
                        continue;
                }
                *link = client->next;
                if (client->reads_stdin)
                        client_end_stdin(client);
                loop_disarm(client_loop(client), &client->stall);
                client_free_ring(client);
                free(client->pending);
                client_close(client);
                free(client);
        }
        if (task->in.closing && !client_any_pending(task))
                input_close(task);
}
