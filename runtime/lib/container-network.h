/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "container.h"

/* Links of the sandbox: what the keeper's plan says, made from our side while the container's init prepares itself. */
/* Takes the namespace of the waiting process, which was made with it, as the sandbox. */
int container_network_adopt(struct container *container, struct berth_error *err);
int container_network_up(struct container *container, struct berth_error *err);
/* linux.netDevices: links of the host move into the sandbox. */
int container_network_take(struct container *container, struct berth_error *err);
/* Links that a container took whose maker has gone go back, as container_network_down does it. `up`: its taken_up. */
int container_network_recover(struct plan *plan, int netns, uint64_t up, struct berth_error *err);
int container_network_down(struct container *container, struct berth_error *err);
