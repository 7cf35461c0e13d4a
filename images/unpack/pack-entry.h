/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "archive.h"

#include <sys/stat.h>

/* Where files with several names stood first; starts out all zero. */
struct link_paths {
        struct link_path {
                ino_t inode; /* 0: free */
                char *path;
        } * slots;
        size_t capacity;
        size_t used;
};

struct packer {
        struct archive archive;
        struct attributes attributes;
        struct link_paths links;
        uint64_t entries;
};

/* What is packed: a name in an open directory, as it was when it was looked at. */
struct packed_place {
        int parent;
        const char *name;
        const char *path; /* in the archive */
        const struct stat *st;
};

/*
 * Writes one file, directory, symlink, device or fifo with all it has. Sockets mean nothing to others and are left out; so is what has gone
 * since. A file that changes meanwhile keeps the size it had when it was opened.
 */
int pack_entry(struct packer *packer, const struct packed_place *place, struct berth_error *err);

/* Writes the mark that hides `name` of the layers below: in the directory `path` ("" or "a/b"); NULL hides all that is in it. */
int pack_whiteout(struct packer *packer, const char *path, const char *name, struct berth_error *err);
