/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../../runtime/lib/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
        PAX_MAX_SIZE = 1 << 20,
        PAX_MAX_XATTRS = 256,
        PAX_MAX_XATTR_SIZE = 64 << 10, /* XATTR_SIZE_MAX of the kernel */
};

struct pax_xattr {
        const char *name; /* without the SCHILY.xattr. in front */
        const void *value;
        size_t size;
};

/* What an extended header says of the entry that follows; it points into the header's bytes. */
struct pax {
        const char *path;
        const char *link;
        bool has_size, has_uid, has_gid, has_mtime;
        uint64_t size;
        uint64_t uid;
        uint64_t gid;
        int64_t mtime;
        uint32_t mtime_nsec;
        size_t n_xattrs;
        struct pax_xattr xattrs[PAX_MAX_XATTRS];
};

/* Reads the records of one extended header and adds them to *pax. The bytes are changed in place and must outlive it. @see POSIX pax(1) */
int pax_parse(char *data, size_t size, struct pax *pax, struct berth_error *err);
