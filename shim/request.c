/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <errno.h>
#include <unistd.h>

#include "cleanup.h"
#include "client.h"
#include "console.h"
#include "input.h"
#include "request-network.h"
#include "shim.h"

typedef int (*request_handler)(struct shim *shim, struct frame_reader *fields, struct frame_writer *answer, struct berth_error *err);

static struct task *request_task(struct shim *shim, const struct frame_text *id, struct berth_error *err) {
        struct task *task = task_find(shim, id->bytes);
        if (!task)
                (void) berth_error_set(err, id->bytes[0] == '\0' ? ESRCH : ENOENT,
                                       id->bytes[0] == '\0' ? "there is no container yet" : "exec '%s' is not known", id->bytes);
        return task;
}

static int request_state(struct shim *shim, struct frame_reader *fields, struct frame_writer *answer, struct berth_error *err) {
        (void) err;
        if (!frame_read_all(fields))
                return REQUEST_MALFORMED;
        uint16_t n = 0;
        for (const struct task *task = shim->execs; task; task = task->next)
                n = (uint16_t) (n + (task->state < TASK_EXITED));
        frame_write_u8(answer, (uint8_t) shim->state);
        frame_write_i32(answer, shim->init.pid);
        frame_write_u64(answer, shim->init.started_at);
        frame_write_u8(answer, shim->paused);
        frame_write_u16(answer, n);
        for (const struct task *task = shim->execs; task; task = task->next) {
                if (task->state >= TASK_EXITED)
                        continue;
                frame_write_text(answer, task->id);
                frame_write_i32(answer, task->pid);
        }
        return 0;
}

static int request_hello(struct shim *shim, struct frame_reader *fields, struct frame_writer *answer, struct berth_error *err) {
        uint16_t oldest = frame_read_u16(fields), newest = frame_read_u16(fields);
        if (!frame_read_all(fields))
                return REQUEST_MALFORMED;
        if (oldest > SHIM_PROTOCOL_MAX || newest < SHIM_PROTOCOL_MIN)
                return berth_error_set(err, EPROTONOSUPPORT, "the daemon speaks protocols %u to %u, this shim %d to %d", oldest, newest,
                                       SHIM_PROTOCOL_MIN, SHIM_PROTOCOL_MAX);
        frame_write_u16(answer, newest < SHIM_PROTOCOL_MAX ? newest : SHIM_PROTOCOL_MAX);
        frame_write_u16(answer, PLAN_VERSION_MIN);
        frame_write_u16(answer, PLAN_VERSION_MAX);
        server_greet(shim);
        return request_state(shim, fields, answer, err);
}

static int request_prepare(struct shim *shim, struct frame_reader *fields, struct frame_writer *answer, struct berth_error *err) {
        (void) answer;
        bool with_netns = frame_read_u8(fields);
        if (!frame_read_all(fields))
                return REQUEST_MALFORMED;
        if (shim->state != SHIM_STATE_EMPTY)
                return berth_error_set(err, EBUSY, "prepare: this shim has its container already");
        shim_trim_later(shim);
        return container_prepare(&shim->container, with_netns, err);
}

static int request_create(struct shim *shim, struct frame_reader *fields, struct frame_writer *answer, struct berth_error *err) {
        _cleanup_close_ int plan = server_take_fd(&shim->server);
        struct frame_text id = frame_read_text(fields);
        if (!frame_read_all(fields))
                return REQUEST_MALFORMED;
        if (plan < 0)
                return berth_error_set(err, EBADF, "create: the frame came without its plan");
        int r = id.bytes[0] == '\0' ? task_create_init(shim, plan, err) : task_create_exec(shim, id.bytes, plan, err);
        if (r == 0)
                frame_write_i32(answer, task_find(shim, id.bytes)->pid);
        return r;
}

static int request_start(struct shim *shim, struct frame_reader *fields, struct frame_writer *answer, struct berth_error *err) {
        struct frame_text id = frame_read_text(fields);
        if (!frame_read_all(fields))
                return REQUEST_MALFORMED;
        struct task *task = request_task(shim, &id, err);
        int r = task ? task_start(task, err) : -err->code;
        if (r == 0)
                frame_write_u64(answer, task->started_at);
        shim_trim_later(shim);
        return r;
}

static int request_kill(struct shim *shim, struct frame_reader *fields, struct frame_writer *answer, struct berth_error *err) {
        (void) answer;
        struct frame_text id = frame_read_text(fields);
        uint32_t signal = frame_read_u32(fields);
        bool all = frame_read_u8(fields);
        if (!frame_read_all(fields))
                return REQUEST_MALFORMED;
        if (signal > 64)
                return berth_error_set(err, EINVAL, "kill: there is no signal %u", signal);
        struct task *task = task_find(shim, id.bytes);
        if (!task)
                return berth_error_set(err, ESRCH, "the process has ended");
        return task_kill(task, (int) signal, all, err);
}

static int request_resize(struct shim *shim, struct frame_reader *fields, struct frame_writer *answer, struct berth_error *err) {
        (void) answer;
        struct frame_text id = frame_read_text(fields);
        uint16_t rows = frame_read_u16(fields), columns = frame_read_u16(fields);
        if (!frame_read_all(fields))
                return REQUEST_MALFORMED;
        struct task *task = request_task(shim, &id, err);
        return task ? console_resize(task, rows, columns, err) : -err->code;
}

static int request_close_stdin(struct shim *shim, struct frame_reader *fields, struct frame_writer *answer, struct berth_error *err) {
        (void) answer;
        struct frame_text id = frame_read_text(fields);
        if (!frame_read_all(fields))
                return REQUEST_MALFORMED;
        struct task *task = request_task(shim, &id, err);
        if (!task)
                return -err->code;
        input_finish(task);
        return 0;
}

static int request_attach(struct shim *shim, struct frame_reader *fields, struct frame_writer *answer, struct berth_error *err) {
        (void) answer;
        _cleanup_close_ int sock = server_take_fd(&shim->server);
        struct frame_text id = frame_read_text(fields);
        uint8_t flags = frame_read_u8(fields);
        if (!frame_read_all(fields))
                return REQUEST_MALFORMED;
        if (sock < 0)
                return berth_error_set(err, EBADF, "attach: the frame came without its socket");
        struct task *task = request_task(shim, &id, err);
        if (!task)
                return -err->code;
        if (task->state == TASK_FINISHED)
                return berth_error_set(err, ESRCH, "the process has ended");
        int r = client_add(task, sock, flags, err);
        if (r == 0)
                (void) take_fd(&sock);
        return r;
}

static int request_freeze(struct shim *shim, bool freeze, struct berth_error *err) {
        bool elsewhere = runtime_call_is_used(shim);
        if (shim->state != SHIM_STATE_RUNNING || shim->released || (!elsewhere && !shim->container.has_cgroup))
                return berth_error_set(err, ESRCH, "the container is not running");
        int r = elsewhere ? runtime_call_freeze(shim, freeze, err)
                : freeze  ? cgroup_freeze(&shim->container.layout, &shim->container.cgroup, err)
                          : cgroup_thaw(&shim->container.layout, &shim->container.cgroup, err);
        if (r == 0)
                shim->paused = freeze;
        return r;
}

static int request_pause(struct shim *shim, struct frame_reader *fields, struct frame_writer *answer, struct berth_error *err) {
        (void) answer;
        return frame_read_all(fields) ? request_freeze(shim, true, err) : REQUEST_MALFORMED;
}

static int request_resume(struct shim *shim, struct frame_reader *fields, struct frame_writer *answer, struct berth_error *err) {
        (void) answer;
        return frame_read_all(fields) ? request_freeze(shim, false, err) : REQUEST_MALFORMED;
}

static int request_reopen_log(struct shim *shim, struct frame_reader *fields, struct frame_writer *answer, struct berth_error *err) {
        (void) answer;
        return frame_read_all(fields) ? log_reopen(&shim->log, err) : REQUEST_MALFORMED;
}

static int request_shutdown(struct shim *shim, struct frame_reader *fields, struct frame_writer *answer, struct berth_error *err) {
        (void) answer;
        if (!frame_read_all(fields))
                return REQUEST_MALFORMED;
        if (shim->state != SHIM_STATE_EMPTY && shim->state != SHIM_STATE_STOPPED)
                return berth_error_set(err, EBUSY, "shutdown: the container has not ended");
        task_release_container(shim);
        listener_close(shim);
        record_remove_shim(&shim->record);
        shim->ending = true;
        if (shim->release_error.code == 0)
                return 0;
        *err = shim->release_error;
        return -err->code;
}

static request_handler request_find(uint16_t type) {
        static const request_handler handlers[] = {
                [SHIM_HELLO] = request_hello,
                [SHIM_PREPARE] = request_prepare,
                [SHIM_CREATE] = request_create,
                [SHIM_START] = request_start,
                [SHIM_KILL] = request_kill,
                [SHIM_RESIZE] = request_resize,
                [SHIM_CLOSE_STDIN] = request_close_stdin,
                [SHIM_ATTACH] = request_attach,
                [SHIM_PAUSE] = request_pause,
                [SHIM_RESUME] = request_resume,
                [SHIM_STATE] = request_state,
                [SHIM_REOPEN_LOG] = request_reopen_log,
                [SHIM_SHUTDOWN] = request_shutdown,
                [SHIM_ADD_LINK] = request_add_link,
                [SHIM_REMOVE_LINK] = request_remove_link,
                [SHIM_SET_GATEWAY] = request_set_gateway,
                [SHIM_OPEN_DNS] = request_open_dns,
                [SHIM_PUBLISH] = request_publish,
                [SHIM_WITHDRAW] = request_withdraw,
        };
        return type < sizeof(handlers) / sizeof(handlers[0]) ? handlers[type] : NULL;
}

static int request_acknowledge(struct shim *shim, struct frame_reader *fields) {
        uint64_t serial = frame_read_u64(fields);
        if (!frame_read_all(fields))
                return -1;
        server_acknowledge(shim, serial);
        return 0;
}

int request_serve(struct shim *shim, const struct shim_header *header, const uint8_t *payload, struct frame_writer *answer) {
        struct frame_reader fields = frame_reader_of(payload, header->size);
        if (header->flags != 0)
                return -1;
        if (header->type == SHIM_ACK)
                return request_acknowledge(shim, &fields);
        if (header->id == 0)
                return -1;

        struct berth_error err = {0};
        request_handler handler = request_find(header->type);
        frame_begin(answer, SHIM_RESULT, header->id);
        frame_write_i32(answer, 0);
        int r = handler ? handler(shim, &fields, answer, &err) : berth_error_set(&err, ENOSYS, "request %u is not known to this shim", header->type);
        if (r == REQUEST_MALFORMED)
                return -1;
        if (r == 0 && answer->overflow)
                r = berth_error_set(&err, EMSGSIZE, "the answer does not fit into a frame");
        if (r < 0) {
                frame_begin(answer, SHIM_RESULT, header->id);
                frame_write_i32(answer, -r);
                frame_write_text(answer, err.text);
        }
        frame_finish(answer);
        return 0;
}
