/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

enum { TAR_BLOCK = 512 };

/* @see POSIX pax(1), ustar interchange format */
struct tar_header {
        char name[100];
        char mode[8];
        char uid[8];
        char gid[8];
        char size[12];
        char mtime[12];
        char checksum[8];
        char type;
        char link[100];
        char magic[8]; /* "ustar\0" "00", or GNU's "ustar  \0" */
        char user[32];
        char group[32];
        char major[8];
        char minor[8];
        char prefix[155];
        char padding[12];
};
_Static_assert(sizeof(struct tar_header) == TAR_BLOCK, "a header is one block");
