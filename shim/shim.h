/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "container.h"
#include "listener.h"
#include "log.h"
#include "loop.h"
#include "plan.h"
#include "ports.h"
#include "protocol.h"
#include "record.h"
#include "runtime-call.h"
#include "server.h"
#include "task.h"

#define SHIM_CHUNK_SIZE 65536 /* of one read of a container's output */

/*
 * Everything the shim knows. It stands in .bss: pages cost memory only once touched, and buffers give theirs back when the container
 * has been quiet for a while. What stays stands together, between the server's buffers and the log's.
 */
struct shim {
        _Alignas(4096) struct server server;
        struct loop loop;
        struct listener listener;
        struct record record;
        struct source children; /* signalfd of SIGCHLD */

        enum shim_state state;
        struct plan *plan;
        struct container container;
        struct runtime_call runtime;
        struct port *ports;
        struct relay *relays;
        uint32_t n_relays;
        struct shim_dns {
                bool open;
                int udp, tcp;
        } dns;
        bool released; /* container_release was called */
        struct berth_error release_error;
        bool paused;

        struct task init;
        struct task *execs;

        struct source oom;
        uint64_t oom_kills;

        struct timer trim;
        bool ending; /* only attach clients are waited for now */

        struct log log;
        uint8_t chunk[SHIM_CHUNK_SIZE];
};

/* Says on stderr (the daemon's log, as long as it lives) what nobody asked for and so nobody is answered. */
void shim_report(const struct shim *shim, const struct berth_error *err);

/* The big buffers are in use: gives their pages back once the container has been quiet for a second. */
void shim_trim_later(struct shim *shim);
