/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "container.h"
#include "frame.h"
#include "log.h"
#include "loop.h"

struct shim;
struct client;
struct task;

/* One direction of output: the read end of a pipe, or the master of a terminal. */
struct stream {
        struct source source; /* fd -1: at its end */
        struct task *task;
        enum log_stream kind;
};

/* The way into the process's stdin. */
struct input {
        struct source source; /* fd -1: closed */
        bool closing;         /* close as soon as the clients' pending bytes are through */
};

/* The process's ends of its pipes while it is being made; -1: none. */
struct stdio_ends {
        int in, out, err;
};

enum task_state {
        TASK_CREATED, /* waits before execve */
        TASK_RUNNING,
        TASK_EXITED,   /* reaped; its output is being drained */
        TASK_FINISHED, /* its EXIT is out; clients may still be reading */
};

/* A process that clients know: the container's init or an exec. */
struct task {
        struct shim *shim;
        struct task *next;
        char id[FRAME_TEXT_MAX + 1]; /* "" for init */
        enum task_state state;
        struct process *process; /* init: the container's, exec: `own` */
        struct process own;
        pid_t pid; /* stays after the end */

        bool terminal, stdin_once;
        int slave; /* keeps a terminal from hanging up between two users of it; -1 without one */
        struct stream out, err;
        struct input in;
        struct stdio_ends ends; /* of an exec that another runtime makes at its start; such a task has no process before */
        struct client *clients;
        struct timer drain;

        uint64_t started_at, finished_at; /* ns since 1970 */
        int code, signal;
        bool oom_killed;
        uint64_t oom_kills_before;
};

/* Builds init from the plan memfd, whose ownership passes, and everything beside it; on failure all of it is undone. */
int task_create_init(struct shim *shim, int plan_fd, struct berth_error *err);
int task_create_exec(struct shim *shim, const char *id, int plan_fd, struct berth_error *err);
void task_init(struct task *task, struct shim *shim, const char *id, struct process *process);
/* Frees an exec with all that it has; a process that waits for a start is not its business. */
void task_forget_exec(struct task *task);
/* An exec that waits for its start without a process ends as if it had been killed. The task may be gone afterwards. */
void task_end_unstarted(struct task *task);
int task_start(struct task *task, struct berth_error *err);
int task_kill(struct task *task, int signal, bool all, struct berth_error *err);

/* The init or exec of that id, also one that has ended but still has readers; NULL. */
struct task *task_find(struct shim *shim, const char *id);
/* Ends the execs that wait for a start, which can no longer come: whoever made them has gone. */
void task_abandon_waiting(struct shim *shim);
/* The process of this task was reaped; `status` as of waitpid(2). */
void task_exited(struct task *task, int status);
/* Does what has become possible: reports the exit, forgets a finished exec. The task may be gone afterwards. */
void task_advance(struct task *task);
/* Kills what is left, gives back every kernel object. Once; errors are kept for SHUTDOWN's answer. */
void task_release_container(struct shim *shim);
