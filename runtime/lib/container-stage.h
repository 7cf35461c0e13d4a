/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "container-init.h"

/*
 * A process between the caller and the container's first, for plans with a user or time namespace or with id-mapped mounts. It has the host's
 * rights and does all that needs them: it joins the cgroups and the namespaces that are given by path, whoever owns them, sets the clocks and
 * opens what the root filesystem is made of. Then it enters the user namespace if there is one by path, clones the container's process as a
 * child of the caller's (CLONE_PARENT) into everything else, hands it over and ends.
 */
bool container_needs_stage(const struct plan *plan, const struct namespace_set *namespaces);

_Noreturn void container_stage(const struct container_init *init);

/*
 * In the caller: takes the container's process from the stage, which is reaped, and lets it go on once its user namespace is complete. On
 * failure both are gone.
 */
int container_await_stage(struct process *stage, const struct plan *plan, const struct namespace_set *namespaces, const struct process_io *io,
                          struct process *ret, struct berth_error *err);
