/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

/*
 * One epoll set and a list of timers. Each turn handles a single event, so a handler may release any source, its own too:
 * there are no further events of the same batch that could name it.
 */
struct source {
        int fd; /* owned by whoever embeds the source; -1: none */
        bool watched;
        uint32_t events;
        void (*ready)(void *owner, uint32_t events);
        void *owner;
};

struct timer {
        int64_t deadline; /* ms of CLOCK_MONOTONIC; meaningful while armed */
        bool armed;
        void (*fire)(void *owner);
        void *owner;
        struct timer *next;
};

struct loop {
        int epoll;
        struct timer *timers;
};

int loop_open(struct loop *loop, struct berth_error *err);

/* Watches for `events`, which may be 0: hang-up and errors are still reported. -errno of epoll_ctl(2). */
int loop_watch(struct loop *loop, struct source *source, uint32_t events);
void loop_forget(struct loop *loop, struct source *source);
/* Forgets the source and closes its descriptor. */
void loop_close(struct loop *loop, struct source *source);

/* Arms the timer anew, whether it was armed or not. */
void loop_arm(struct loop *loop, struct timer *timer, int64_t delay_ms);
void loop_disarm(struct loop *loop, struct timer *timer);

/* Waits for one event or timer and handles it. */
int loop_turn(struct loop *loop, struct berth_error *err);
