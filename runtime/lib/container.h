/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cgroup.h"
#include "error.h"
#include "plan.h"

/*
 * The life of a container's first process and of processes added later, for a single-threaded caller (the shim, the command):
 * create makes every kernel object and leaves the process waiting just before execve; start lets it go and reports whether
 * execve worked. The caller is the parent of the process (also for exec) and reaps it.
 */

/* Descriptors that become 0, 1, 2 of the process (-1: /dev/null); ignored with a terminal. The caller keeps its own copies. */
struct process_io {
        int in, out, err;
};

struct process {
        pid_t pid; /* in the caller's pid namespace; 0: none */
        int pidfd;
        int sync;    /* our end of the channel to the waiting process; -1 once started */
        int console; /* pty master when the plan asks for a terminal, else -1 */
};
#define PROCESS_NONE ((struct process){.pidfd = -1, .sync = -1, .console = -1})

#define CONTAINER_LINKS_MAX 64

struct container {
        struct process init;
        struct cgroup_layout layout;
        struct cgroup cgroup;
        bool has_cgroup;
        bool poststop;      /* there was a container, so its poststop hooks are due when it is gone */
        bool own_pids;      /* init is the first of its own pid namespace, so nothing outlives it */
        int netns, netlink; /* of the sandbox when we made one (may come prepared from a warm shim), else -1 */
        int host_netlink;   /* -1 without links */
        struct {
                char host_name[IFNAMSIZ];
                uint32_t index; /* of the end in the sandbox; 0: not known */
        } links[CONTAINER_LINKS_MAX];
        uint32_t n_links;
        uint32_t n_taken;  /* links of the host that were moved into the sandbox, in the plan's order, and go back if init never runs */
        uint64_t taken_up; /* bit for bit: which of them were up */
        int starter;       /* listening socket through which a later process starts init, which then outlives us; else -1 */
        int rootfs;        /* O_PATH root of the container as it sees it, for cp and export; -1 before create */
        struct plan *plan; /* not owned */
};
#define CONTAINER_NONE ((struct container){.init = PROCESS_NONE, .netns = -1, .netlink = -1, .host_netlink = -1, .starter = -1, .rootfs = -1})

/*
 * Takes space off the start path, before a plan is known: detects the cgroup layout, and makes a network namespace with its
 * loopback up when `with_netns`. Idempotent; container_create does what is missing.
 */
int container_prepare(struct container *container, bool with_netns, struct berth_error *err);

/*
 * On failure everything this call made is gone and the text names the step. The program is looked for here: a missing one fails the
 * creation, with the sentence that Docker's clients compare; what only execve can tell (ENOEXEC) fails the start.
 */
int container_create(struct container *container, struct plan *plan, const struct process_io *io, struct berth_error *err);
/* Runs the poststart hooks too; when one fails, init is killed and reaped. */
int container_start(struct container *container, struct berth_error *err);

/*
 * For a caller that ends after the creation (the command): with `starter` set, init waits for somebody who connects to it (SOCK_SEQPACKET)
 * and calls this with the connection. What was made stays when the descriptors are closed.
 */
int container_start_detached(int connection, struct berth_error *err);
void container_forget(struct container *container);

/* How a further process may differ from init; NULL or zeroes: it does not. */
struct exec_options {
        const char *cgroup; /* a group below the container's, which exists: "/a/b"; NULL: the container's */
        bool detached;      /* it outlives the caller */
};

/*
 * A further process inside: namespaces, cgroup, capabilities, seccomp as its plan says. Same two steps. Needs of the container: init (pid and
 * pidfd), layout and cgroup, rootfs; without its plan, the kernel is asked whether it has a user namespace.
 */
int container_exec(struct container *container, const struct plan *plan, const struct exec_options *options, const struct process_io *io,
                   struct process *ret, struct berth_error *err);
int process_start(struct process *process, struct berth_error *err);
void process_close(struct process *process); /* descriptors only; never signals */

/*
 * After the init process was reaped (or to give up): kills what is left in the cgroup, removes it, takes the host's link down
 * (the kernel removes it with the namespace, within some 20 ms), closes every descriptor, runs the poststop hooks. Errors are collected in the
 * first one; it always goes on to the end.
 */
int container_release(struct container *container, struct berth_error *err);
