/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "shim.h"
#include "stdio.h"
#include "sys.h"
#include "task.h"

/* Bytes of HELLO's answer beside its execs, and of each of them beside its id. */
#define TASK_STATE_SIZE 64
#define TASK_STATE_EXEC_SIZE 6

void task_forget_exec(struct task *task) {
        struct task **link = &task->shim->execs;
        while (*link && *link != task)
                link = &(*link)->next;
        if (*link)
                *link = task->next;
        loop_disarm(&task->shim->loop, &task->drain);
        stdio_close(task);
        stdio_close_ends(&task->ends);
        process_close(&task->own);
        free(task);
}

static int task_make_exec(struct task *task, const struct plan *plan, struct berth_error *err) {
        struct stdio_ends ends;
        task->terminal = plan_terminal(plan);
        if (runtime_call_is_used(task->shim)) {
                int opened = stdio_open(task, true, &task->ends, err);
                if (opened == 0)
                        stdio_resume(task);
                return opened;
        }
        int r = stdio_open(task, true, &ends, err);
        if (r == 0) {
                struct process_io io = {.in = ends.in, .out = ends.out, .err = ends.err};
                r = container_exec(&task->shim->container, plan, NULL, &io, &task->own, err);
        }
        stdio_close_ends(&ends);
        if (r < 0)
                return r;
        task->pid = task->own.pid;
        r = stdio_begin(task, err);
        if (r < 0)
                (void) kill(task->pid, SIGKILL); /* still a child of ours, not reaped: the number cannot be another's */
        return r;
}

/* STATE tells all execs in one frame; a daemon that comes back could not learn of the container otherwise. */
static bool task_fits(const struct shim *shim, const char *id) {
        size_t size = TASK_STATE_SIZE + TASK_STATE_EXEC_SIZE + strlen(id);
        for (const struct task *task = shim->execs; task; task = task->next)
                size += TASK_STATE_EXEC_SIZE + strlen(task->id);
        return size <= SHIM_PAYLOAD_MAX;
}

int task_create_exec(struct shim *shim, const char *id, int plan_fd, struct berth_error *err) {
        if (shim->state != SHIM_STATE_RUNNING)
                return berth_error_set(err, ESRCH, "the container is not running");
        if (shim->paused) /* the new process would freeze before it is ready, and we would wait for it */
                return berth_error_set(err, EBUSY, "the container is paused");
        if (task_find(shim, id))
                return berth_error_set(err, EEXIST, "exec '%s' exists already", id);
        if (!task_fits(shim, id))
                return berth_error_set(err, EUSERS, "the container has as many execs as its shim can keep");
        struct plan *plan = NULL;
        int r = plan_open(plan_fd, &plan, err);
        if (r < 0)
                return r;
        struct task *task = calloc(1, sizeof(*task));
        if (!task) {
                plan_close(plan);
                return berth_error_set(err, ENOMEM, "create exec '%s'", id);
        }
        task_init(task, shim, id, NULL);
        task->process = &task->own;
        task->oom_kills_before = shim->oom_kills;
        r = task_make_exec(task, plan, err);
        plan_close(plan);
        if (r < 0) {
                task_forget_exec(task);
                return r;
        }
        task->next = shim->execs;
        shim->execs = task;
        return 0;
}

void task_end_unstarted(struct task *task) {
        stdio_close_ends(&task->ends);
        task_exited(task, SIGKILL);
}

void task_abandon_waiting(struct shim *shim) {
        for (struct task *task = shim->execs, *next; task; task = next) {
                next = task->next;
                if (task->state != TASK_CREATED)
                        continue;
                if (task->own.pid == 0)
                        task_end_unstarted(task);
                else
                        (void) sys_pidfd_send_signal(task->own.pidfd, SIGKILL); /* or it has just ended, which is as well */
        }
}
