/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "pax.h"
#include "source.h"

#include <limits.h>
#include <sys/types.h>

enum tar_kind { TAR_FILE, TAR_HARD_LINK, TAR_SYMLINK, TAR_CHARACTER_DEVICE, TAR_BLOCK_DEVICE, TAR_DIRECTORY, TAR_FIFO };

/* One member of the archive, as its headers together describe it. */
struct tar_entry {
        enum tar_kind kind;
        const char *name; /* as written; not checked for what it names */
        const char *link;
        mode_t mode; /* permission bits only */
        uid_t uid;
        gid_t gid;
        uint64_t size; /* of the content that follows; 0 for all but files */
        struct timespec mtime;
        unsigned major;
        unsigned minor;
        const struct pax_xattr *xattrs;
        size_t n_xattrs;
};

/* Where the parts of an entry's headers are kept until the next one is read. */
struct tar_reader {
        struct source *source;
        char name[257];
        char link[101];
        char *pax_data;
        char *long_name;
        char *long_link;
        struct pax pax;
        struct tar_entry entry;
};

/*
 * Reads the headers of the next member; *ret_entry is NULL at the end of the archive. The caller reads the `size` bytes of content and
 * then calls tar_skip_padding. Formats: v7, ustar, GNU (long names, binary numbers), pax. @see POSIX pax(1), tar(5)
 */
int tar_next(struct tar_reader *reader, const struct tar_entry **ret_entry, struct berth_error *err);
int tar_skip_padding(struct tar_reader *reader, struct berth_error *err);

/* Frees what was kept for the last entry. */
void tar_forget(struct tar_reader *reader);
