/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../../runtime/lib/error.h"

#include <stdbool.h>
#include <sys/types.h>

/* Numbers of inodes of one filesystem; starts out all zero. */
struct inode_set {
        ino_t *slots; /* 0: free */
        size_t capacity;
        size_t used;
};

int inode_set_add(struct inode_set *set, ino_t inode, struct berth_error *err);
bool inode_set_has(const struct inode_set *set, ino_t inode);
