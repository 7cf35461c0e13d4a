/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../../runtime/lib/error.h"

#include <errno.h>
#include <stdint.h>

/* Exit codes; unpack-process.ts gives each one its kind of error. */
enum {
        EXIT_LAYER = 1,    /* the layer is not acceptable: the sentence names the entry */
        EXIT_HOST = 2,     /* this host cannot confine us, or we were called wrongly */
        EXIT_NO_SPACE = 3, /* the disk or the quota is full */
        EXIT_MISSING = 5,  /* what is asked for is not there */
        EXIT_INTERNAL = 4, /* the disk failed, or we did */
};

struct limits {
        uint64_t bytes;
        uint64_t entries;
        uint64_t ratio; /* 0: none */
};

struct counts {
        uint64_t size; /* of the uncompressed archive */
        uint64_t entries;
        uint64_t inodes;
        uint64_t disk_bytes;
        uint64_t skipped_xattrs; /* of namespaces that a layer has no say in */
        uint8_t diff_id[32];
};

/* One page shared by the three processes; each writes its own part and the supervisor reads all when they have ended. */
struct shared {
        struct berth_error inflate;
        struct berth_error write;
        struct counts counts;
};

/* The error code of everything that is wrong with the layer itself; the text is then the whole sentence. */
#define LAYER_ERROR EBADMSG
