/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../../runtime/lib/error.h"
#include "sha256.h"

#include <stdbool.h>
#include <sys/stat.h>

struct known_inode {
        ino_t inode; /* 0: free */
        mode_t mode; /* of S_IFREG: a file with this digest and no attributes; of S_IFDIR: a directory marked opaque; 0: nothing is known */
        uid_t uid;
        gid_t gid;
        uint64_t size;
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
 * What is known of a file that will not change any more, or of a directory, takes the place of what was known of the
 * inode. Memory has a bound: beyond a million inodes, files that are new here are not remembered.
 * `digest` may be NULL for what is no file.
 */
int known_digests_put(struct known_digests *known, const struct stat *st, const uint8_t digest[32], struct berth_error *err);

/* The inode is free again, or no longer what was known. */
void known_digests_forget(struct known_digests *known, ino_t inode);

/* NULL when nothing of that kind is known. */
const struct known_inode *known_digests_find(const struct known_digests *known, ino_t inode, mode_t kind);
