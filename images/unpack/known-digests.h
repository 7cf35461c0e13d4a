/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../../runtime/lib/error.h"
#include "sha256.h"

#include <stdbool.h>
#include <sys/types.h>

struct known_inode {
        ino_t inode; /* 0: free */
        mode_t kind; /* S_IFREG: a file with this digest and no attributes; S_IFDIR: a directory marked opaque; 0: nothing is known */
        uint8_t digest[32];
};

/* What whoever made a tree knows of its inodes, so that a record of it need not read them again. Lookups in one that is all zero find nothing. */
struct known_digests {
        struct sha256 blank; /* asking the processor what it can is slow in virtual machines: once is enough */
        struct known_inode *slots;
        size_t capacity;
        size_t used;
};

void known_digests_init(struct known_digests *known);

/*
 * Takes the place of what was known of the inode. Memory has a bound: beyond a million inodes, files that are new here are not remembered.
 * `digest` may be NULL for what is no file.
 */
int known_digests_put(struct known_digests *known, ino_t inode, mode_t kind, const uint8_t digest[32], struct berth_error *err);

/* The inode is free again, or no longer what was known. */
void known_digests_forget(struct known_digests *known, ino_t inode);

/* NULL when nothing of that kind is known. */
const uint8_t *known_digests_find(const struct known_digests *known, ino_t inode, mode_t kind);
