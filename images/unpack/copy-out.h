/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "report.h"

#include <stdbool.h>

struct copy_out_options {
        const char *path;
        const char *name; /* of the entry, and in front of what is below it; NULL: only look */
        int users; /* the container's user namespace, -1: the caller's */
        struct limits limits;
};

/*
 * Tells on standard output what lies at a path of the container whose root is on descriptor 3, and writes it as an archive to descriptor 4.
 * The container may run, and change all of it meanwhile. *ret_confined as with unpack_run.
 */
int copy_out_run(const struct copy_out_options *options, bool *ret_confined, struct berth_error *err);
