/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "error.h"
#include "loop.h"

struct shim;

/* The socket on which a later daemon finds us. */
struct listener {
        struct source source;
        struct timer pause; /* armed while there are no descriptors left to take a connection */
};

/* Makes <directory>/shim.sock. */
int listener_open(struct shim *shim, struct berth_error *err);
void listener_close(struct shim *shim);
