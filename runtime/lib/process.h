/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "container.h"
#include "plan-internal.h"

/*
 * clone3(2) without CLONE_VM. Answers the pid in the parent (with ret filled), 0 in the child (*ret_sync is its end of the
 * channel), or a negative errno. `cgroup_fd` >= 0 asks for CLONE_INTO_CGROUP, which is given up when the kernel refuses it
 * (*ret_in_cgroup tells).
 */
pid_t process_clone(uint64_t flags, int cgroup_fd, struct process *ret, int *ret_sync, bool *ret_in_cgroup, struct berth_error *err);

/* clone3(2) of a process that is not the caller's child but its parent's. Answers as process_clone does. */
pid_t process_clone_sibling(uint64_t flags, int *ret_pidfd, struct berth_error *err);

/* What the child says READY on, and where it waits for START. */
struct process_child {
        int sync;                           /* the channel to the parent */
        int starter;                        /* -1: START comes on the channel, and the child dies with its parent; else a listening socket */
        bool detached;                      /* it does not die with its parent all the same */
        unsigned first_free;                /* from here on nothing is the process's; set with its descriptors */
        const struct plan_container *hooks; /* whose startContainer hooks run after START; NULL: none */
};

/* In the child: dies with its parent and cannot be looked into. A change of user undoes both. */
int process_child_protect(const struct process_child *child, struct berth_error *err);

/* In the child, first of all: dies with its parent, cannot be looked into, has no blocked signals, leads a session, runs where it may. */
int process_child_begin(const struct process_child *child, const struct plan_process *plan, struct berth_error *err);

/*
 * In the child: io becomes 0, 1, 2 (-1: /dev/null); those from 3 on that the plan preserves stay; the channel and the listening socket come
 * next, and everything else is closed.
 */
int process_child_descriptors(struct process_child *child, const struct plan_process *plan, const struct process_io *io, struct berth_error *err);

/*
 * In the child, inside its namespaces and root: everything that is left before execve but the seccomp filter of a process with
 * no_new_privs that nobody listens to. ret_path (PATH_MAX) is the program. `out_fd` 0..2 are in place.
 */
int process_child_become(const struct process_child *child, const struct plan_process *plan, char *ret_path, struct berth_error *err);

/* In the child: tells READY, waits for START, loads what is left and executes. Never returns. */
_Noreturn void process_child_execute(struct process_child *child, const struct plan_process *plan, const char *path);
_Noreturn void process_child_fail(int sock, const struct berth_error *err);

/* What the parent does for a process that is being made. */
struct process_orders {
        const struct plan_process *plan;
        const char *state; /* of the container, as PLAN_STATE; NULL: none */
        pid_t init;        /* of the container; 0: it is this process */
        bool own_users;    /* the container has a user namespace, in which the process has no rights of the host */
};

/*
 * In the parent: waits until the child is READY; takes the console, hands its seccomp listener to the agent, and gives it what only the
 * host's rights can give. On failure the child is killed and reaped.
 */
int process_await_ready(struct process *process, const struct process_orders *orders, struct berth_error *err);

/*
 * Kills and reaps a process that is ours, and closes its descriptors. One that the kernel cannot end (it waits for a device or a dead file
 * server) is left to whoever reaps our children after some seconds: -ETIMEDOUT.
 */
int process_abandon(struct process *process, struct berth_error *err);
