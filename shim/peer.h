/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

struct shim;

/*
 * May who is at the other end give orders? Root, or whoever we run as, in our own pid namespace and outside the container's cgroup: a
 * container that was given our directory is root as well.
 */
bool peer_is_trusted(const struct shim *shim, int sock);
