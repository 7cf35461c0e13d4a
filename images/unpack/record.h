/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../../runtime/lib/error.h"
#include "known-digests.h"

/* Where --verify finds the record. */
enum { RECORD_FD = 4 };

/* Writes what is below the directory, with digests, to standard output. */
int record_write(int target, struct berth_error *err);

/* The same of a tree of which whoever made it knows much, to a descriptor. */
int record_write_known(int root, const struct known_digests *known, int output, struct berth_error *err);

/*
 * Compares the directory with its record on RECORD_FD. Prints a line for each of the first differences (`missing etc/motd`, also `extra`,
 * `type`, `mode`, `owner`, `size`, `device`, `content`, `unreadable`) and `total DIFFERENCES ENTRIES` at the end.
 * -LAYER_ERROR when the record itself is damaged.
 */
int record_verify(int target, struct berth_error *err);
