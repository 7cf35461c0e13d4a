/* SPDX-License-Identifier: Apache-2.0 */
#include "stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "cleanup.h"
#include "client.h"
#include "console.h"
#include "input.h"
#include "shim.h"

static bool stdio_is_logged(const struct task *task) {
        return task->id[0] == '\0';
}

static void stdio_end_stream(struct stream *stream) {
        struct task *task = stream->task;
        loop_close(&task->shim->loop, &stream->source);
        if (stdio_is_logged(task))
                log_end(&task->shim->log, stream->kind);
}

/* A log that begins to fail, or fails otherwise than before, is told of once. */
static void stdio_log(struct shim *shim, enum log_stream kind, size_t size) {
        int before = shim->log.failure;
        log_write(&shim->log, kind, shim->chunk, size);
        if (shim->log.failure == 0 || shim->log.failure == before)
                return;
        struct berth_error err;
        (void) berth_error_set(&err, shim->log.failure, "write log '%s'; records are lost", shim->log.path);
        shim_report(shim, &err);
}

/* One read of at most `limit` bytes, to the log and to the clients. 0: nothing there, or the end has been handled. */
static size_t stdio_pass(struct stream *stream, size_t limit) {
        struct task *task = stream->task;
        struct shim *shim = task->shim;
        ssize_t n;
        do
                n = read(stream->source.fd, shim->chunk, limit);
        while (n < 0 && errno == EINTR);
        if (n < 0 && errno == EAGAIN)
                return 0;
        if (n <= 0) { /* EIO: the terminal's last user is gone */
                stdio_end_stream(stream);
                return 0;
        }
        shim_trim_later(shim);
        if (stdio_is_logged(task))
                stdio_log(shim, stream->kind, (size_t) n);
        client_broadcast(task, stream->kind, shim->chunk, (size_t) n);
        return (size_t) n;
}

static void stdio_ready(void *owner, uint32_t events) {
        struct stream *stream = owner;
        struct task *task = stream->task;
        (void) events;
        (void) stdio_pass(stream, SHIM_CHUNK_SIZE);
        client_sweep(task);
        stdio_resume(task);
        task_advance(task);
}

static void stdio_init_stream(struct task *task, struct stream *stream, enum log_stream kind, int fd) {
        *stream = (struct stream){.source = {.fd = fd, .ready = stdio_ready, .owner = stream}, .task = task, .kind = kind};
}

static int stdio_pipe(int *ret_read, int *ret_write, int *ours, struct berth_error *err) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) < 0)
                return berth_error_set(err, errno, "create a pipe");
        *ret_read = ends[0];
        *ret_write = ends[1];
        if (fcntl(*ours, F_SETFL, O_NONBLOCK) < 0)
                return berth_error_set(err, errno, "make a pipe non-blocking");
        return 0;
}

int stdio_open(struct task *task, bool open_stdin, struct stdio_ends *ret, struct berth_error *err) {
        *ret = (struct stdio_ends){-1, -1, -1};
        task->slave = -1;
        stdio_init_stream(task, &task->out, LOG_STDOUT, -1);
        stdio_init_stream(task, &task->err, LOG_STDERR, -1);
        input_begin(task, -1);
        if (task->terminal)
                return 0;

        int r = stdio_pipe(&task->out.source.fd, &ret->out, &task->out.source.fd, err);
        if (r == 0)
                r = stdio_pipe(&task->err.source.fd, &ret->err, &task->err.source.fd, err);
        if (r < 0)
                return r;
        if (open_stdin)
                return stdio_pipe(&ret->in, &task->in.source.fd, &task->in.source.fd, err);
        ret->in = open("/dev/null", O_RDONLY | O_CLOEXEC);
        return ret->in < 0 ? berth_error_set(err, errno, "open /dev/null") : 0;
}

void stdio_close_ends(struct stdio_ends *ends) {
        cleanup_close(&ends->in);
        cleanup_close(&ends->out);
        cleanup_close(&ends->err);
        *ends = (struct stdio_ends){-1, -1, -1};
}

void stdio_close(struct task *task) {
        client_drop_all(task);
        loop_close(&task->shim->loop, &task->out.source);
        loop_close(&task->shim->loop, &task->err.source);
        input_close(task);
        console_let_go(task);
}

static void stdio_drain_stream(struct stream *stream) {
        size_t left = SHIM_CHUNK_SIZE; /* what a pipe holds; the clients' rings have room for it even when they are full */
        while (stream->source.fd >= 0 && left > 0) {
                size_t n = stdio_pass(stream, left);
                if (n == 0)
                        return;
                left -= n;
        }
}

void stdio_drain(struct task *task) {
        console_let_go(task);
        stdio_drain_stream(&task->out);
        stdio_drain_stream(&task->err);
        client_sweep(task);
        stdio_resume(task);
}

void stdio_give_up(struct task *task) {
        stdio_drain(task);
        if (task->out.source.fd >= 0)
                stdio_end_stream(&task->out);
        if (task->err.source.fd >= 0)
                stdio_end_stream(&task->err);
}

bool stdio_ended(const struct task *task) {
        return task->out.source.fd < 0 && task->err.source.fd < 0;
}

static int stdio_resume_stream(struct task *task, struct stream *stream) {
        if (stream->source.fd < 0)
                return 0;
        if (!client_any_full(task, stream->kind))
                return loop_watch(&task->shim->loop, &stream->source, EPOLLIN);
        loop_forget(&task->shim->loop, &stream->source);
        return 0;
}

void stdio_resume(struct task *task) {
        (void) stdio_resume_stream(task, &task->out);
        (void) stdio_resume_stream(task, &task->err);
}

int stdio_begin(struct task *task, struct berth_error *err) {
        int r = task->terminal ? console_begin(task, err) : 0;
        if (r < 0)
                return r;
        r = stdio_resume_stream(task, &task->out);
        if (r == 0)
                r = stdio_resume_stream(task, &task->err);
        return r < 0 ? berth_error_set(err, -r, "watch the output") : 0;
}
