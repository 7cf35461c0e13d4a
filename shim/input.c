/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "client.h"
#include "shim.h"

static void input_ready(void *owner, uint32_t events) {
        struct task *task = owner;
        (void) events;
        /* A hang-up says the same as EPIPE would: the next write finds out. */
        loop_forget(&task->shim->loop, &task->in.source);
        client_pump_stdin(task);
        client_sweep(task);
}

void input_begin(struct task *task, int fd) {
        task->in = (struct input){.source = {.fd = fd, .ready = input_ready, .owner = task}};
}

ssize_t input_write(struct task *task, const uint8_t *bytes, size_t size) {
        struct input *in = &task->in;
        if (in->source.fd < 0)
                return -EPIPE;
        ssize_t n;
        do
                n = write(in->source.fd, bytes, size);
        while (n < 0 && errno == EINTR);
        if (n >= 0)
                return n;
        if (errno == EAGAIN)
                return 0;
        input_close(task);
        return -EPIPE;
}

void input_wait(struct task *task) {
        /* Where the kernel cannot watch, nobody could ever go on. */
        if (loop_watch(&task->shim->loop, &task->in.source, EPOLLOUT) < 0)
                input_close(task);
}

void input_finish(struct task *task) {
        if (task->terminal || task->in.source.fd < 0)
                return;
        task->in.closing = true;
        if (!client_any_pending(task))
                input_close(task);
}

void input_close(struct task *task) {
        loop_close(&task->shim->loop, &task->in.source);
}
