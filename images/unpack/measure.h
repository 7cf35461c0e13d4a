/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../../runtime/lib/error.h"

#include <stdint.h>

struct usage {
        uint64_t bytes; /* of disk, hard links once */
        uint64_t inodes;
        uint64_t content; /* lengths of all that is no directory, hard links once */
};

/* Counts what is below the directory, which may be in use; confined as the unpacking is. -E2BIG above ten million entries. */
int measure_run(int target, struct usage *ret, struct berth_error *err);
