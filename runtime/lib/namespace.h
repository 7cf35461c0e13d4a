/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "plan-internal.h"

#define NAMESPACE_KINDS 8

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

/* What a plan asks of namespaces, with those named by path opened. */
struct namespace_set {
        uint64_t clone_flags;  /* made by clone3 */
        bool new_cgroup;       /* unshared after the process has joined its cgroup */
        bool new_network;      /* a sandbox that the parent prepares; in a user namespace clone3 makes it, as one of that namespace */
        bool new_time;         /* what a process unshares is for its children only */
        bool user;             /* new or by path */
        const char *user_path; /* by path: entered last of all; NULL */
        int pid;               /* by path: entered around clone3; -1 */
        int join[NAMESPACE_KINDS];
        uint64_t join_flags[NAMESPACE_KINDS];
        uint32_t n_join; /* by path: entered by the child */
};
#define NAMESPACE_SET_NONE ((struct namespace_set){.pid = -1})

int namespace_open_all(const struct plan_container *container, struct namespace_set *ret, struct berth_error *err);
void namespace_close_all(struct namespace_set *set);

/*
 * Processes cloned from now on are born in the pid namespace behind `fd` (a namespace or pidfd); undone by namespace_leave_pid with
 * *ret_own, which is a descriptor of the caller's own. For single-threaded callers.
 */
int namespace_enter_pid(int fd, int *ret_own, struct berth_error *err);
int namespace_leave_pid(int *own, struct berth_error *err);

/* Enters all that are given by path but pid and user. */
int namespace_join(const struct namespace_set *set, struct berth_error *err);

/* Makes a time namespace for the children of this process, with its clocks set forward or back. */
int namespace_make_time(const struct plan_container *container, struct berth_error *err);

/* Says why `what` failed with `code` where namespaces (CLONE_NEW*) were asked for: their limits are no lack of space. Answers a negative errno. */
int namespace_error(int code, uint64_t flags, const char *what, struct berth_error *err);
