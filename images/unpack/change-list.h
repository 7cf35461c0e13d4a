/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "compare.h"

/* Changes in memory, to be written in order; starts out all zero. */
struct change_list {
        struct names paths;
};

/* The `tell` of a comparison. */
int change_list_add(void *to, const struct change *change, int directory, struct berth_error *err);

/* Sorted by path: "A/etc/motd" and a NUL for each; the letters are Docker's (C, A, D). */
int change_list_write(struct change_list *list, int fd, struct berth_error *err);
