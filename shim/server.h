/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "loop.h"
#include "protocol.h"

struct shim;
struct task;
struct event;

#define SERVER_FRAME_MAX (sizeof(struct shim_header) + SHIM_PAYLOAD_MAX)
#define SERVER_FDS_MAX 8

/* The daemon's one connection; a newer one replaces it. */
struct server {
        /* In front, so that the rest shares its pages with what follows the server. */
        uint8_t in[SERVER_FRAME_MAX], answer[SERVER_FRAME_MAX], out[2 * SERVER_FRAME_MAX];
        size_t in_size, out_start, out_size;

        struct source daemon;
        bool greeted; /* events go out from now on */

        int fds[SERVER_FDS_MAX]; /* received, in the order of the frames they belong to */
        unsigned n_fds;

        struct event *events; /* not acknowledged yet, oldest first */
        uint64_t last_serial;
};

/* Serves a connected socket, whose ownership passes. `greeted`: events need not wait for HELLO. */
int server_adopt(struct shim *shim, int sock, bool greeted, struct berth_error *err);
bool server_connected(const struct shim *shim);
/* Gives back the pages of buffers when they hold nothing. */
void server_trim(struct server *server);

/* The next descriptor that came with a frame, owned by the caller; -1: none. */
int server_take_fd(struct server *server);
/* The connection has said HELLO: sends what waits. */
void server_greet(struct shim *shim);
void server_acknowledge(struct shim *shim, uint64_t serial);

void server_tell_exit(struct shim *shim, const struct task *task);
void server_tell_oom(struct shim *shim);
