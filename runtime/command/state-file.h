/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "cgroup.h"
#include "state-directory.h"

/* What is remembered of a container, in its state.json. Strings belong to `document`. */
struct state {
        json_t *document;
        const char *id, *bundle, *rootfs, *created;
        const char *cgroup;  /* the path in every hierarchy; NULL: none */
        json_t *annotations; /* NULL: none */
        pid_t pid;
        uint64_t start_time;
        bool own_pids;     /* its processes end with the first one */
        bool took_links;   /* links of the host are in its network namespace, and go back if it never runs */
        uint64_t links_up; /* bit for bit: which of them were up */
        bool hooked;       /* it has hooks for the start or the deletion */
        bool waiting;      /* created and not started */
};
void state_close(struct state *state);
#define _cleanup_state_ __attribute__((cleanup(state_close)))

enum state_status { STATE_CREATED, STATE_RUNNING, STATE_PAUSED, STATE_STOPPED };

/* Writes all but document and waiting. `layout` tells where the group's directories are. */
int state_write(int directory, const struct state *state, const struct cgroup_layout *layout, struct berth_error *err);

/* -ENOENT when there is no state yet: somebody is making the container, or was killed while doing so. */
int state_read(int directory, const char *id, struct state *ret, struct berth_error *err);

/* Opens the directory, locked, and reads: for verbs that change something. */
int state_take(const struct command *command, const char *id, int *ret_directory, struct state *ret, struct berth_error *err);

/* Opens the directory, reads, and closes; for who only looks. */
int state_look(const struct command *command, const char *id, struct state *ret, struct berth_error *err);

/* `layout` may be empty: it is filled when it is needed. */
int state_status(const struct state *state, struct cgroup_layout *layout, enum state_status *ret, struct berth_error *err);
const char *state_status_word(enum state_status status);

/* A pidfd of the first process; -ESRCH, without a sentence, when it has ended. */
int state_open_process(const struct state *state, int *ret_pidfd);

/* For a process of it that was killed: see cgroup_thaw_killed. */
int state_thaw_killed(const struct state *state, struct berth_error *err);

/* The container's group, in a layout that is filled when it is needed. -EINVAL when it has none. */
int state_cgroup(const struct state *state, struct cgroup_layout *layout, struct cgroup *ret, struct berth_error *err);

/* In the form of runtime-spec runtime.md#state and runc's, with `owner` when it is not NULL; the caller json_decref()s it. */
json_t *state_to_json(const struct state *state, enum state_status status, const char *owner);
