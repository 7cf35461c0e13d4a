/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../../runtime/lib/error.h"

#include <stdint.h>

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

/* Walks a tree that nobody changes. 0, a negative errno, or what `visit` returned. */
int listing_walk(int root, listing_visit *visit, void *user, struct berth_error *err);
