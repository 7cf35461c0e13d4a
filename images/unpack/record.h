/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../../runtime/lib/error.h"

/* Where --verify finds the record. */
enum { RECORD_FD = 4 };

/* Writes what is below the directory, with digests, to standard output. */
int record_write(int target, struct berth_error *err);

/*
 * Compares the directory with its record on RECORD_FD. Prints a line for each of the first differences (`missing etc/motd`, also `extra`,
 * `type`, `mode`, `owner`, `size`, `device`, `content`, `unreadable`) and `total DIFFERENCES ENTRIES` at the end.
 * -LAYER_ERROR when the record itself is damaged.
 */
int record_verify(int target, struct berth_error *err);
