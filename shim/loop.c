/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

static int64_t loop_now(void) {
        struct timespec now;
        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int loop_open(struct loop *loop, struct berth_error *err) {
        int fd = epoll_create1(EPOLL_CLOEXEC);
        if (fd < 0)
                return berth_error_set(err, errno, "create an epoll set");
        *loop = (struct loop){.epoll = fd};
        return 0;
}

int loop_watch(struct loop *loop, struct source *source, uint32_t events) {
        if (source->watched && source->events == events)
                return 0;
        struct epoll_event event = {.events = events, .data.ptr = source};
        if (epoll_ctl(loop->epoll, source->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, source->fd, &event) < 0)
                return -errno;
        source->watched = true;
        source->events = events;
        return 0;
}

void loop_forget(struct loop *loop, struct source *source) {
        if (!source->watched)
                return;
        (void) epoll_ctl(loop->epoll, EPOLL_CTL_DEL, source->fd, NULL);
        source->watched = false;
}

void loop_close(struct loop *loop, struct source *source) {
        loop_forget(loop, source);
        if (source->fd >= 0)
                (void) close(source->fd);
        source->fd = -1;
}

void loop_arm(struct loop *loop, struct timer *timer, int64_t delay_ms) {
        timer->deadline = loop_now() + delay_ms;
        if (timer->armed)
                return;
        timer->armed = true;
        timer->next = loop->timers;
        loop->timers = timer;
}

void loop_disarm(struct loop *loop, struct timer *timer) {
        if (!timer->armed)
                return;
        struct timer **link = &loop->timers;
        while (*link != timer)
                link = &(*link)->next;
        *link = timer->next;
        timer->armed = false;
}

static struct timer *loop_earliest(const struct loop *loop) {
        struct timer *earliest = loop->timers;
        for (struct timer *timer = earliest; timer; timer = timer->next)
                if (timer->deadline < earliest->deadline)
                        earliest = timer;
        return earliest;
}

int loop_turn(struct loop *loop, struct berth_error *err) {
        int timeout = -1;
        struct timer *timer = loop_earliest(loop);
        if (timer) {
                int64_t left = timer->deadline - loop_now();
                if (left <= 0) {
                        loop_disarm(loop, timer);
                        timer->fire(timer->owner);
                        return 0;
                }
                timeout = left > INT32_MAX ? INT32_MAX : (int) left;
        }
        struct epoll_event event;
        int n = epoll_wait(loop->epoll, &event, 1, timeout);
        if (n < 0 && errno != EINTR)
                return berth_error_set(err, errno, "wait for events");
        if (n == 1) {
                struct source *source = event.data.ptr;
                source->ready(source->owner, event.events);
        }
        return 0;
}
