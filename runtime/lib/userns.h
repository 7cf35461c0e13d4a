/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "container.h"
#include "plan-internal.h"

/* User namespaces and their maps (user_namespaces(7)). For callers with the rights of the namespace above. */

/* Writes uid_map and gid_map of a process that has just entered a new user namespace and waits. setgroups(2) stays allowed. */
int userns_write_maps(pid_t pid, const struct plan_id_map *maps, uint32_t n, struct berth_error *err);

/* Whether these are the maps of the process's user namespace, in any order; -EINVAL when not. */
int userns_check_maps(pid_t pid, const struct plan_id_map *maps, uint32_t n, struct berth_error *err);

/*
 * Gives pipes and sockets to a user of the process's user namespace, who may then open /dev/stdout again. Who stays inside has no right to do
 * that to what belongs to the host.
 */
int userns_give_stdio(pid_t pid, uint32_t uid, const struct process_io *io, struct berth_error *err);

/* In a process that has just entered a user namespace, with all capabilities there: it leaves the host's ids behind. */
int userns_become_root(struct berth_error *err);

/*
 * A descriptor of a user namespace with these maps that nobody is in, for mount_setattr(2) with MOUNT_ATTR_IDMAP and for giving files to the
 * container's users. Forks a child for a moment; for a single-threaded caller.
 */
int userns_open(const struct plan_id_map *maps, uint32_t n, int *ret_fd, struct berth_error *err);

/* The id outside for one inside, or UINT32_MAX when it is not mapped. */
uint32_t userns_outside(const struct plan_id_map *maps, uint32_t n, bool group, uint32_t inside);
