/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop.h"
#include "task.h"

/*
 * What a client has not taken yet. A stream whose client is "full" is not read, so that nothing is lost; the room kept free
 * beyond that holds what a pipe can still contain when its writer has ended.
 */
#define CLIENT_RING_SIZE (1U << 20)
#define CLIENT_RING_HEADROOM (6U * 65536)
/* A full client that takes not one byte in this time is dropped: a stuck client does not stop the container for good. */
#define CLIENT_STALL_MS 10000
#define CLIENT_MAX 256 /* of one task */

struct client {
        struct source source;
        struct task *task;
        struct client *next;
        unsigned flags; /* SHIM_ATTACH_* */

        uint8_t *ring; /* mapped when something does not go out at once */
        size_t ring_start, ring_used;
        struct timer stall;

        bool reads_stdin; /* its end of file has not been seen */
        uint8_t *pending; /* bytes for stdin that the pipe had no room for */
        size_t pending_start, pending_size;

        bool hung_up;   /* the peer is gone: no more output, but what it sent is still read */
        bool ending;    /* to be closed when the ring is empty */
        bool lingering; /* has everything and may close; what it sends is thrown away */
        bool dead;      /* to be freed by client_sweep */
};

/* The socket's ownership passes on success. */
int client_add(struct task *task, int sock, unsigned flags, struct berth_error *err);

/* Hands a chunk of output to every client that wants it. May mark clients dead. */
void client_broadcast(struct task *task, enum log_stream stream, const uint8_t *bytes, size_t size);
/* Somebody who wants this stream has no room. */
bool client_any_full(const struct task *task, enum log_stream stream);

/* Passes on what clients have pending for stdin. May mark clients dead. */
void client_pump_stdin(struct task *task);
bool client_any_pending(const struct task *task);

/* The task has ended: every client is closed once it has everything. */
void client_end_all(struct task *task);
void client_drop_all(struct task *task);
/* Frees the dead; to be called at the end of every handler that may have marked one. */
void client_sweep(struct task *task);
