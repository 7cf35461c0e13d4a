/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../../runtime/lib/error.h"
#include "known-digests.h"

#include <stdint.h>

/* Each level of directories takes a descriptor. */
enum { LISTING_MOST_LEVELS = 2100 };

/* One entry of a tree, as far as it must never change. */
struct listed {
        const char *path; /* without a slash in front; "" for the root */
        uint32_t mode;
        uint32_t uid;
        uint32_t gid;
        uint64_t size;   /* of files and symlinks */
        uint64_t device; /* of device nodes */
        /* SHA-256 of a file's content or a symlink's target, and of the extended attributes when there are some; zeros when there is neither. */
        uint8_t digest[32];
        int unreadable; /* the errno of a file that the disk does not give; the digest is then none */
};

/* Called for each entry: parents before children, names in the order of their bytes. A negative errno ends the walk. */
typedef int listing_visit(void *user, const struct listed *entry, struct berth_error *err);

/* Walks a tree that nobody changes, and reads what is not `known` (which may be NULL). 0, a negative errno, or what `visit` returned. */
int listing_walk(int root, const struct known_digests *known, listing_visit *visit, void *user, struct berth_error *err);
