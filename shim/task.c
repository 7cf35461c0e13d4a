/* SPDX-License-Identifier: Apache-2.0 */
#include "task.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "client.h"
#include "input.h"
#include "oom.h"
#include "request-network.h"
#include "process.h"
#include "shim.h"
#include "stdio.h"
#include "sys.h"
#include "timestamp.h"

/* Grandchildren may hold a pipe open for ever; Docker waits as long for them. */
#define TASK_DRAIN_MS 2000

static void task_drained_long_enough(void *owner) {
        struct task *task = owner;
        stdio_give_up(task);
        task_advance(task);
}

void task_init(struct task *task, struct shim *shim, const char *id, struct process *process) {
        *task = (struct task){.shim = shim, .process = process, .slave = -1, .own = PROCESS_NONE, .ends = {-1, -1, -1}};
        strncpy(task->id, id, FRAME_TEXT_MAX);
        task->drain = (struct timer){.fire = task_drained_long_enough, .owner = task};
}

/* What stands in the kernel; the first of the errors. */
static int task_release_objects(struct shim *shim, struct berth_error *err) {
        struct berth_error later;
        request_network_release(shim);
        int r = runtime_call_is_used(shim) ? runtime_call_release(shim, err) : 0;
        int released = container_release(&shim->container, r < 0 ? &later : err);
        return r < 0 ? r : released;
}

/* ---- creating ---- */

static void task_undo_init(struct shim *shim) {
        stdio_close(&shim->init);
        oom_close(shim);
        struct berth_error err;
        if (task_release_objects(shim, &err) < 0)
                shim_report(shim, &err);
        log_close(&shim->log);
        listener_close(shim);
        record_undo(&shim->record);
        if (shim->plan)
                plan_close(shim->plan);
        shim->plan = NULL;
        shim->container = CONTAINER_NONE;
        shim->init = (struct task){0};
        shim->state = SHIM_STATE_EMPTY;
}

static int task_make_init(struct shim *shim, const struct keeper_plan *keeper, struct berth_error *err) {
        struct task *task = &shim->init;
        struct stdio_ends ends;
        int r = stdio_open(task, keeper->open_stdin, &ends, err);
        if (r == 0) {
                struct process_io io = {.in = ends.in, .out = ends.out, .err = ends.err};
                r = runtime_call_is_used(shim) ? runtime_call_create(shim, &io, err) : container_create(&shim->container, shim->plan, &io, err);
        }
        stdio_close_ends(&ends);
        if (r < 0)
                return r;
        task->pid = shim->container.init.pid;
        r = stdio_begin(task, err);
        return r < 0 ? r : oom_watch(shim, err);
}

int task_create_init(struct shim *shim, int plan_fd, struct berth_error *err) {
        if (shim->state != SHIM_STATE_EMPTY)
                return berth_error_set(err, EEXIST, "this shim has its container already");
        int r = plan_open(plan_fd, &shim->plan, err);
        if (r < 0)
                return r;
        const struct keeper_plan *keeper = plan_keeper(shim->plan);
        task_init(&shim->init, shim, "", &shim->container.init);
        input_begin(&shim->init, -1);
        shim->init.out.source.fd = shim->init.err.source.fd = -1;
        if (!keeper) {
                r = berth_error_set(err, EINVAL, "the plan is an exec's, not a container's");
                goto undo;
        }
        shim->init.terminal = plan_terminal(shim->plan);
        shim->init.stdin_once = keeper->stdin_once;

        r = record_open(&shim->record, keeper->directory, err);
        if (r == 0)
                r = listener_open(shim, err);
        if (r == 0)
                r = log_open(&shim->log, keeper, err);
        if (r == 0)
                r = task_make_init(shim, keeper, err);
        if (r == 0)
                r = record_write_shim(&shim->record, keeper->id, err);
        if (r < 0)
                goto undo;
        shim->state = SHIM_STATE_CREATED;
        return 0;

undo:
        task_undo_init(shim);
        return r;
}

/* ---- running ---- */

static int task_start_elsewhere(struct task *task, struct berth_error *err) {
        if (task == &task->shim->init)
                return runtime_call_start(task->shim, err);
        int r = runtime_call_exec(task->shim, task, err);
        if (r < 0)
                return r;
        stdio_close_ends(&task->ends);
        task->pid = task->own.pid;
        r = task->terminal ? stdio_begin(task, err) : 0;
        if (r < 0)
                (void) process_abandon(&task->own, NULL);
        return r;
}

int task_start(struct task *task, struct berth_error *err) {
        struct shim *shim = task->shim;
        bool is_init = task == &shim->init;
        if (task->state != TASK_CREATED)
                return task->state == TASK_RUNNING ? berth_error_set(err, EALREADY, "start: the process was started before")
                                                   : berth_error_set(err, ESRCH, "start: the process has ended");
        if (shim->paused)
                return berth_error_set(err, EBUSY, "the container is paused");
        int r = runtime_call_is_used(shim) ? task_start_elsewhere(task, err)
                : is_init                  ? container_start(&shim->container, err)
                                           : process_start(&task->own, err);
        if (r < 0) {
                if (is_init)
                        task_undo_init(shim);
                else
                        task_forget_exec(task);
                return r;
        }
        task->state = TASK_RUNNING;
        task->started_at = timestamp_now();
        if (is_init)
                shim->state = SHIM_STATE_RUNNING;
        return 0;
}

static int task_signal_all(struct shim *shim, int signal, struct berth_error *err) {
        if (!shim->container.has_cgroup || shim->released)
                return berth_error_set(err, ESRCH, "the container has no processes");
        return cgroup_signal_all(&shim->container.layout, &shim->container.cgroup, signal, err);
}

int task_kill(struct task *task, int signal, bool all, struct berth_error *err) {
        struct shim *shim = task->shim;
        if (task->state >= TASK_EXITED)
                return berth_error_set(err, ESRCH, "the process has ended");
        if (task->process->pid == 0) { /* it waits for its start without a process */
                if (signal == SIGKILL)
                        task_end_unstarted(task);
                return 0;
        }
        if (all) {
                int r = task_signal_all(shim, signal, err);
                if (r < 0)
                        return r;
        } else if (sys_pidfd_send_signal(task->process->pidfd, signal) < 0) {
                return berth_error_set(err, errno, "send signal %d to process %d", signal, task->pid);
        }
        if (signal != SIGKILL)
                return 0;
        /* A frozen process dies only once it thaws. */
        if (shim->container.has_cgroup)
                cgroup_thaw_killed(&shim->container.layout, &shim->container.cgroup);
        if (!shim->paused)
                return 0;
        shim->paused = false;
        if (runtime_call_is_used(shim))
                return runtime_call_freeze(shim, false, err);
        return cgroup_thaw(&shim->container.layout, &shim->container.cgroup, err);
}

struct task *task_find(struct shim *shim, const char *id) {
        if (id[0] == '\0')
                return shim->state == SHIM_STATE_EMPTY ? NULL : &shim->init;
        for (struct task *task = shim->execs; task; task = task->next)
                if (strcmp(task->id, id) == 0)
                        return task;
        return NULL;
}

/* ---- ending ---- */

void task_release_container(struct shim *shim) {
        if (shim->released)
                return;
        oom_close(shim);
        shim->released = true;
        shim->paused = false;
        if (task_release_objects(shim, &shim->release_error) < 0)
                shim_report(shim, &shim->release_error);
}

static void task_finish_init(struct task *task) {
        struct shim *shim = task->shim;
        struct record_exit record = {
                .code = task->code,
                .signal = task->signal,
                .oom_killed = task->oom_killed,
                .pid = task->pid,
                .started_at = task->started_at,
                .finished_at = task->finished_at,
        };
        struct berth_error err;
        if (record_write_exit(&shim->record, &record, &err) < 0)
                shim_report(shim, &err);
        shim->state = SHIM_STATE_STOPPED;
        server_tell_exit(shim, task);
        task_release_container(shim);
        log_close(&shim->log);
}

static void task_finish(struct task *task) {
        task->state = TASK_FINISHED;
        loop_disarm(&task->shim->loop, &task->drain);
        input_close(task);
        if (task == &task->shim->init) {
                task_finish_init(task);
        } else {
                process_close(&task->own);
                server_tell_exit(task->shim, task);
        }
        client_end_all(task);
}

void task_exited(struct task *task, int status) {
        struct shim *shim = task->shim;
        task->state = TASK_EXITED;
        task->finished_at = timestamp_now();
        task->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        task->code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        oom_check(shim);
        task->oom_killed = task == &shim->init ? shim->oom_kills > 0 : task->signal == SIGKILL && shim->oom_kills > task->oom_kills_before;

        stdio_drain(task);
        /* Who holds init's output beyond its end goes with it; without anybody the report comes first. */
        if (!stdio_ended(task) && task == &shim->init)
                task_release_container(shim);
        loop_arm(&shim->loop, &task->drain, TASK_DRAIN_MS);
        task_advance(task);
}

void task_advance(struct task *task) {
        if (task->state == TASK_EXITED && stdio_ended(task))
                task_finish(task);
        if (task->state == TASK_FINISHED && !task->clients && task != &task->shim->init)
                task_forget_exec(task);
}
