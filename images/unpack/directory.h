/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* What getdents64(2) gives. readdir(3) would allocate, and open its own descriptors. */
struct kernel_dirent {
        uint64_t inode;
        int64_t offset;
        unsigned short length;
        unsigned char type;
        char name[];
};

enum { DIRECTORY_BUFFER = 8192 };

struct directory {
        int fd;
        long size;
        long at;
        _Alignas(struct kernel_dirent) char buffer[DIRECTORY_BUFFER];
};

void directory_begin(struct directory *directory, int fd);

/* 1: *ret is the next entry (never . or ..), good until the next call; 0: the end; or a negative errno. */
int directory_next(struct directory *directory, const struct kernel_dirent **ret);
